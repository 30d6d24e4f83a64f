"""uvicorn's protocols, with an end to every connection and to every message.

A transport that is closed waits for the peer to take what was written, and for ever if it takes
nothing: its descriptor and its memory would stay. Here such a peer is given up.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from application.transports.arrival import ArrivalProtocol
from application.transports.frames import EXTENSION, text_frame
from application.transports.limits import STALL_SECONDS

_HANDSHAKE_SECONDS = 3.0
"""How long a peer may take to answer a close frame."""

_TOGETHER_BYTES = 64 * 1024
"""About how much may wait for the end of a turn; as much as a transport holds."""

_MAX_FRAGMENTS = 1_000
"""Of one message: there may be any number of empty ones in the few bytes that it may have."""

_LAST_BYTES = 256 * 1024
"""What the kernel may take from us at the end of a socket: more than the transport holds."""


class ClosingTransport:
    """A transport that does get closed: aborted when the peer takes nothing more for a while."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._check: asyncio.TimerHandle | None = None
        self._is_lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        # uvloop's raises when the peer has just gone.
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        self._transport.close()
        if self._check is None and not self._is_lost:
            self._check_later()

    def connection_lost(self) -> None:
        self._is_lost = True
        if self._check is not None:
            self._check.cancel()
            self._check = None

    def _check_later(self) -> None:
        left = self._transport.get_write_buffer_size()
        self._check = self._loop.call_later(STALL_SECONDS, self._abort_unless_less_than, left)

    def _abort_unless_less_than(self, before: int) -> None:
        if self._transport.get_write_buffer_size() < before:
            self._check_later()
        else:
            self._transport.abort()


class _Events:
    """What a socket's only reader takes, one by one: asyncio's queue for anybody takes 3 KB."""

    __slots__ = ("_events", "_waiter")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._waiter: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        self._events.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def empty(self) -> bool:
        return not self._events

    async def get(self) -> Any:
        while not self._events:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._events.pop(0)


class HTTPProtocol(ArrivalProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_closing(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        _closing(self.transport).connection_lost()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = _HANDSHAKE_SECONDS
        self.queue = _Events()  # type: ignore[assignment]
        self._frames: list[bytes] = []
        self._frames_size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(_closing(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        _closing(self.transport).connection_lost()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent and not self.conn.extensions:
            extensions = cast(dict[str, object], self.scope["extensions"])
            extensions[EXTENSION] = self.write_text

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= _MAX_FRAGMENTS:
            self._fail(1009, "Too many fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            # Pongs must not heap up for a peer that does not read them; it may have the next one.
            self.conn.data_to_send()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                str(b"".join(self.frames), "utf-8")
            except UnicodeDecodeError:
                self._fail(1007, "Text is UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            # Broken before it was open: there is nothing to close but the connection.
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.transport.close()
        else:
            super().handle_parser_exception()

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def write_text(self, text: bytes) -> bool:
        """Write a text frame past ASGI; see `frames`.

        Frames of one turn of the event loop leave together: a system call costs more than all
        else about them.
        """
        if not self._frames:
            if not self.writable.is_set() or self.close_sent or self.disconnected:
                return False
            self.loop.call_soon(self._flush)
        elif self._frames_size > _TOGETHER_BYTES:
            return False
        frame = text_frame(text)
        self._frames.append(frame)
        self._frames_size += len(frame)
        return True

    def _flush(self) -> None:
        if self._frames:
            together = self._frames[0] if len(self._frames) == 1 else b"".join(self._frames)
            self._frames = []
            self._frames_size = 0
            self.transport.write(together)

    async def send(self, message: Any) -> None:
        self._flush()
        if message["type"] == "websocket.close":
            # It goes behind what the peer has not read, for which others have to wait.
            self.writable.set()
            self._leave_the_rest_to_the_kernel()
        await super().send(message)
        if message["type"] == "websocket.accept":
            # Two sets of headers, of no use any more: a tenth of what a silent socket takes.
            del self.request, self.response

    def shutdown(self) -> None:
        self._flush()
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            # Closed by the peer, which does not read our answer: uvicorn would fail to close it.
            self.transport.close()
            return
        self._leave_the_rest_to_the_kernel()
        super().shutdown()

    def _leave_the_rest_to_the_kernel(self) -> None:
        """So that a peer that begins to read again, however late, finds the close frame.

        The kernel keeps it when the process has long forgotten the socket.
        """
        if self.transport.is_closing():
            return
        connection = self.transport.get_extra_info("socket")
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LAST_BYTES)
        bound_by_peer(connection, unsent_bytes=_LAST_BYTES, silence_seconds=0)


def bound_by_peer(
    connection: socket.socket, *, unsent_bytes: int = 64 * 1024, silence_seconds: int = 30
) -> None:
    """Limit what the kernel holds for a peer that does not read, where the kernel can.

    Else it would take megabytes before we noticed anything. And it gives up a peer that has not
    confirmed anything for so long: event streams have no pongs to tell that one has vanished. Set
    on a listener this counts for all its connections.
    """
    options = {"TCP_NOTSENT_LOWAT": unsent_bytes, "TCP_USER_TIMEOUT": silence_seconds * 1_000}
    for name, value in options.items():
        if hasattr(socket, name):
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _closing(transport: asyncio.BaseTransport) -> Any:
    """The transport, wrapped unless it is: a WebSocket takes over that of its HTTP request."""
    if isinstance(transport, ClosingTransport):
        return transport
    return ClosingTransport(cast(asyncio.Transport, transport))
