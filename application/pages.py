"""The pages for browsers, and the headers that all answers bear."""

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.builds import Assets, Build

_PLAIN = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self' ws: wss:",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}

# The playground's editor starts its workers from blobs and writes inline styles.
_EDITOR = {
    **_PLAIN,
    "worker-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
}


def _policy(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


CLIENT_POLICY = _policy(_PLAIN)
PLAYGROUND_POLICY = _policy(_EDITOR)


_HEADERS = {
    # Of whatever is no page; a page has its own.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": ", ".join(
        f"{feature}=()" for feature in ("camera", "display-capture", "geolocation", "microphone")
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_HEADERS_BEHIND_TLS = {**_HEADERS, "strict-transport-security": "max-age=31536000"}


def pages(client: Build, playground: Build | None) -> list[BaseRoute]:
    """Where a browser finds the builds; the playground's page is for GET requests to the API."""
    routes: list[BaseRoute] = [
        # The client tells its addresses apart by itself.
        Route("/", client.page),
        Route("/r/{room_id}", client.page),
        Route("/settings", client.page),
        Route("/icon.svg", client.icon),
        Mount("/assets", Assets(client)),
    ]
    if playground is not None:
        routes.append(Mount("/playground/assets", Assets(playground)))
    return routes


class SafeHeaders:
    """Middleware: every response says what a browser must not do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = _raw(_HEADERS)
        self._headers_behind_tls = _raw(_HEADERS_BEHIND_TLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        ours = self._headers_behind_tls if scope["scheme"] == "https" else self._headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                given = {name for name, _ in headers}
                message["headers"] = [*headers, *(pair for pair in ours if pair[0] not in given)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def no_store(content: object, status: int = 200) -> Response:
    """JSON about this moment, which nobody may keep."""
    return JSONResponse(content, status, headers={"cache-control": "no-store"})
