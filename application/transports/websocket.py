"""GraphQL over WebSocket: the handshakes.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from application.request_ids import naming_headers
from application.transports.connection import Connection
from application.transports.gateway import Gateway, Refused
from application.transports.limits import Limits
from application.transports.messages import Closure
from application.transports.places import Places, address

_LEFT = 1006
"""No code was exchanged (RFC 6455, section 7.4.1)."""

SUBPROTOCOL = "graphql-transport-ws"


class WebSocketEndpoint:
    """The ASGI application that answers WebSocket handshakes.

    A handshake with an Origin of another host is refused with 403, unless the origin is in
    `allowed_origins`: browsers send cookies with it whatever page it comes from. Each socket takes
    a place of its address.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        allowed_origins: Collection[str] = (),
        limits: Limits | None = None,
        places: Places | None = None,
    ) -> None:
        self._gateway = gateway
        self._places = places or Places()
        self._allowed_origins = {origin.lower().rstrip("/") for origin in allowed_origins}
        self._limits = limits or Limits()
        self._connections: set[Connection] = set()
        self.closed: Counter[int] = Counter()
        """How many have ended, by the code that we sent; 1006 where the peer has left."""
        self._stopping: Closure | None = None

    @property
    def open(self) -> Collection[Connection]:
        return self._connections

    def stop(self, code: int, reason: str) -> None:
        """Let nobody in any more, and do not wait for those who have not begun a session."""
        self._stopping = Closure(code, reason)
        for connection in list(self._connections):
            connection.stop(self._stopping)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket: WebSocket[Any] = WebSocket(scope, receive, send)
        if not self._is_allowed(websocket):
            await websocket.close()
            return
        with suppress(WebSocketDisconnect):
            if SUBPROTOCOL not in scope["subprotocols"]:
                await websocket.accept()
                await websocket.close(4406, "Subprotocol not acceptable")
                return
            await websocket.accept(SUBPROTOCOL, naming_headers())
            if self._stopping is not None:
                await websocket.close(self._stopping.code, self._stopping.reason)
                return
            holder = address(websocket)
            try:
                self._places.take(holder)
            except Refused as refused:
                self.closed[refused.code] += 1
                await websocket.close(refused.code, refused.reason)
                return
            connection = Connection(self._gateway, scope, receive, send, self._limits)
            # Each name would keep something of the handshake for as long as the socket is open.
            del scope, receive, send, websocket
            self._connections.add(connection)
            try:
                closure = await connection.serve()
                self.closed[_LEFT if closure is None else closure.code] += 1
            finally:
                self._connections.discard(connection)
                self._places.leave(holder)

    def _is_allowed(self, websocket: WebSocket[Any]) -> bool:
        origin = websocket.headers.get("origin")
        if origin is None:
            return True
        origin = origin.lower()
        host = websocket.headers.get("host", "").lower()
        # A page without TLS can be anybody's on the way, so it is not our own.
        is_weaker = websocket.scope.get("scheme") == "wss" and origin.startswith("http:")
        is_own = host != "" and _host(origin) == host and not is_weaker
        return is_own or origin in self._allowed_origins


def _host(origin: str) -> str:
    """The host and port; nothing for the origin `null` of sandboxed pages."""
    return origin.partition("://")[2]
