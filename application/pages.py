"""The pages for browsers, and the headers that all answers bear."""

from starlette.datastructures import MutableHeaders
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


def pages(client: Build, playground: Build) -> list[BaseRoute]:
    """Where a browser finds the builds; the playground's page is for GET requests to the API."""
    return [
        # The client tells its addresses apart by itself.
        Route("/", client.page),
        Route("/r/{room_id}", client.page),
        Route("/icon.svg", client.icon),
        Mount("/assets", Assets(client)),
        Mount("/playground/assets", Assets(playground)),
    ]


class SafeHeaders:
    """Middleware: every response says that its type is meant and where links may tell about us."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def no_store(content: object, status: int = 200) -> Response:
    """JSON about this moment, which nobody may keep."""
    return JSONResponse(content, status, headers={"cache-control": "no-store"})
