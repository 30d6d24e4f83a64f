"""Who is behind a proxy that we trust, and whether it speaks TLS with them."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_PEER = "parley.peer"


def behind(proxies: Sequence[str], app: ASGIApp) -> ASGIApp:
    """The application, told the client's address and scheme instead of the proxy's.

    `X-Forwarded-For` and `X-Forwarded-Proto` are believed of these addresses and networks only.
    """
    if not proxies:
        return app

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_known(scope):
            # The proxy let through what its client wrote there: then it is the proxy that counts.
            scope["client"] = scope[_PEER]
        await app(scope, receive, send)

    believing = ProxyHeadersMiddleware(cast(Any, told), list(proxies))

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_PEER] = scope.get("client")
        await believing(cast(Any, scope), cast(Any, receive), cast(Any, send))

    return asked


def _is_known(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return False
    try:
        ip_address(client[0])
    except ValueError:
        return False
    return True
