"""The protocols that uvicorn serves with: its own for HTTP, bounded; ours for WebSockets.

uvicorn's WebSockets take 9 KB more for each connection, and twice as long to open one.
"""

import asyncio
import logging
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from typing import Any, ClassVar, cast
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from starlette.types import Message, Scope
from uvicorn.config import Config
from uvicorn.protocols.utils import (
    ClientDisconnected,
    get_client_addr,
    get_local_addr,
    get_path_with_query_string,
    get_remote_addr,
    is_ssl,
)
from uvicorn.server import ServerState
from websockets.frames import Opcode

from application.transports.arrival import ArrivalProtocol
from application.transports.closing import (
    ClosingTransport,
    Farewell,
    leave_the_rest_to_the_kernel,
)
from application.transports.frames import (
    EXTENSION,
    BrokenFrame,
    FrameReader,
    close_frame,
    close_of,
    frame,
    text_frame,
    text_of,
)
from application.transports.handshake import BadHandshake, Handshake, parse_handshake, rejection

_log = logging.getLogger("uvicorn.error")

_HANDSHAKE_SECONDS = 3.0
"""How long a peer may take to answer a close frame."""

_FRAMES_IN_A_TURN = 100
"""How many frames of a socket are heard until others have their turn."""

_TOGETHER_BYTES = 64 * 1024
"""About how much may wait for the end of a turn; as much as a transport holds."""


class HTTPProtocol(ArrivalProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, ClosingTransport(transport)))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        cast(ClosingTransport, self.transport).connection_lost()


class _State(Enum):
    OPENING = 1
    OPEN = 2
    CLOSING = 3
    """We have sent a close frame, and wait for the peer's."""
    CLOSED = 4
    """Nothing may be written any more."""


class WebSocketProtocol(asyncio.Protocol):
    """A WebSocket (RFC 6455) without extensions, for an ASGI application."""

    __slots__ = (
        "_app",
        "_arrived",
        "_close_timer",
        "_end",
        "_event",
        "_farewell",
        "_frames",
        "_frames_size",
        "_handshake",
        "_is_reading",
        "_loop",
        "_reader",
        "_scope",
        "_server_state",
        "_state",
        "_turn",
        "_waiter",
        "_writable",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        self._app = config.loaded_app
        self._server_state = server_state
        self._loop = asyncio.get_running_loop()
        self._turn = _Turn.of(self._loop)
        self._state = _State.OPENING
        self._reader: FrameReader | None = FrameReader(config.ws_max_size)
        """None when it has failed: what comes behind cannot be read."""
        self._handshake: Handshake | None = None
        self._scope: Scope | None = {
            "type": "websocket",
            "asgi": {"version": config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "root_path": config.root_path,
            "state": app_state.copy(),
            "extensions": {EXTENSION: self.write_text},
        }
        """Both are of no use any more when it is open."""
        self._arrived: Iterator[tuple[int, bytes]] | None = None
        """What is not heard yet, in the bytes that came: as messages it could be fifty times as
        large."""
        self._event: Message | None = None
        """The next one, for which the application does not wait yet."""
        self._waiter: asyncio.Future[Message] | None = None
        """The application waits for the next."""
        self._end: Message | None = None
        """What it receives after the last."""
        self._is_reading = True
        self._writable: asyncio.Event | None = None
        """Set when the transport takes more; None while it does."""
        self._frames: list[bytes] | None = None
        """What leaves at the end of this turn of the event loop."""
        self._frames_size = 0
        self._close_timer: asyncio.TimerHandle | None = None
        self._farewell: Farewell | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, ClosingTransport):
            transport = transport.transport  # It was opened for HTTP.
        self.transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._handshake is None and self._state is _State.OPENING:
            self._begin(data)
            return
        if self._reader is None:
            return
        arrived = self._reader.read(data)
        self._arrived = arrived if self._arrived is None else chain(self._arrived, arrived)
        self._hear_on()

    def eof_received(self) -> None:
        """The peer says nothing more, not even a good-bye: it has gone."""
        self._over(1006)
        self._close()

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._over(1006)
        self.resume_writing()  # Nobody else will.
        if self._farewell is not None:
            self._farewell.is_over()

    def shutdown(self) -> None:
        """The server stops, and this is still there."""
        if self._state is _State.OPEN:
            self._say_good_bye(1012)
        elif self._state is _State.OPENING:
            self._reject(500, "The server stops")
        self._over(1012)
        self._close()

    # Opening

    def _begin(self, request: bytes) -> None:
        try:
            handshake = parse_handshake(request)
        except BadHandshake as bad:
            self._reject(bad.status, bad.reason, *bad.headers)
            self._close()
            return
        self._handshake = handshake
        path, _, query = handshake.target.partition(b"?")
        transport, scope = self.transport, cast(dict[str, Any], self._scope)
        root_path = scope["root_path"]
        scope |= {
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "path": root_path + unquote(path.decode("latin-1")),
            "raw_path": root_path.encode() + path,
            "query_string": query,
            "headers": handshake.headers,
            "subprotocols": handshake.subprotocols,
        }
        self._event = {"type": "websocket.connect"}
        task = self._loop.create_task(self._app(scope, self.receive, self.send))
        self._server_state.tasks.add(task)
        task.add_done_callback(self._has_ended)

    def _accept(self, message: Message) -> None:
        handshake = cast(Handshake, self._handshake)
        headers = [*self._server_state.default_headers, *message.get("headers", ())]
        self._log_answer("[accepted]")
        self._handshake = self._scope = None
        self._state = _State.OPEN
        self._write(handshake.acceptance(message.get("subprotocol"), headers))

    def _reject(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        self._state = _State.CLOSED
        self._write(rejection(status, reason, [*self._server_state.default_headers, *headers]))

    def _log_answer(self, answer: str) -> None:
        if _log.isEnabledFor(logging.INFO):
            scope = cast(Any, self._scope)
            address, path = get_client_addr(scope), get_path_with_query_string(scope)
            _log.info('%s - "WebSocket %s" %s', address, path, answer)

    def _has_ended(self, task: "asyncio.Task[None]") -> None:
        """So has the application."""
        self._server_state.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, ClientDisconnected):
            _log.error("Exception in ASGI application", exc_info=error)
        if self._state is _State.OPENING:
            self._reject(500, "Internal Server Error")
        if self._state is not _State.CLOSING:
            self._close()

    # Reading

    def receive(self) -> "asyncio.Future[Message]":
        """ASGI's: the next event. There is one reader."""
        waiter: asyncio.Future[Message] = self._loop.create_future()
        if self._event is not None:
            waiter.set_result(self._event)
            self._event = None
            self._hear_on()
        elif self._end is not None:
            waiter.set_result(self._end)
        else:
            self._waiter = waiter
        return waiter

    def _put(self, event: Message) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(event)
            self._waiter = None
        else:
            self._event = event

    def _hear_on(self) -> None:
        """Hear what has arrived, up to a message that has to wait for the application."""
        frames_left = _FRAMES_IN_A_TURN
        try:
            while self._event is None and self._arrived is not None:
                if not frames_left:
                    self._loop.call_soon(self._hear_on)
                    break
                frames_left -= 1
                heard = next(self._arrived, None)
                if heard is None or self._state is _State.CLOSED:
                    self._arrived = None
                else:
                    self._hear(*heard)
        except BrokenFrame as broken:
            self._arrived = None
            self._fail(broken.code, broken.reason)
        is_all = self._event is None and self._arrived is None
        if self._is_reading and not is_all:
            self.transport.pause_reading()
        elif is_all and not self._is_reading:
            self.transport.resume_reading()
        self._is_reading = is_all

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == Opcode.CLOSE:
            self._hear_good_bye(payload)
        elif self._state is _State.CLOSING:
            pass  # The application has gone.
        elif opcode == Opcode.TEXT:
            self._put({"type": "websocket.receive", "text": text_of(payload)})
        elif opcode == Opcode.BINARY:
            self._put({"type": "websocket.receive", "bytes": payload})
        elif opcode == Opcode.PING and self._state is _State.OPEN and self._writable is None:
            # Pongs must not heap up for a peer that does not read them; it may have the next one.
            self._write(frame(Opcode.PONG, payload))

    def _hear_good_bye(self, payload: bytes) -> None:
        code, reason = close_of(payload)
        if self._state is _State.OPEN:
            self._write(frame(Opcode.CLOSE, payload))
        self._over(code, reason)
        self._close()

    def _fail(self, code: int, reason: str) -> None:
        """Section 7.1.7; before it is open there is nothing to close but the connection.

        Until the peer has hung up, too, what it says is still taken: with something unread the
        kernel resets a connection that is closed, and the close frame may be lost (section 7.1.1).
        """
        self._reader = None
        if self._state is _State.OPEN:
            self._say_good_bye(code, reason)
            if self.transport.can_write_eof() and not self.transport.is_closing():
                self.transport.write_eof()
        elif self._state is _State.OPENING:
            self._over(code, reason)
            self._close()

    # Writing

    def write_text(self, text: bytes) -> bool:
        """Write a text frame past ASGI; see `frames`.

        Frames of one turn of the event loop leave together: a system call costs more than all
        else about them.
        """
        frames = self._frames
        if frames is None:
            if self._state is not _State.OPEN or self._writable is not None:
                return False
            self._frames = frames = []
            self._turn.add(self)
        elif self._frames_size > _TOGETHER_BYTES:
            return False
        frames.append(text_frame(text))
        self._frames_size += len(text)
        return True

    def flush(self) -> None:
        frames = self._frames
        if frames is not None:
            self._frames = None
            self._frames_size = 0
            self._write_now(frames[0] if len(frames) == 1 else b"".join(frames))

    async def send(self, message: Message) -> None:
        """ASGI's. Raises ClientDisconnected when the connection is no more."""
        kind = message["type"]
        if self._writable is not None and kind != "websocket.close":
            await self._writable.wait()
        if self._state is _State.CLOSED:
            raise ClientDisconnected
        match kind, self._state:
            case "websocket.accept", _State.OPENING:
                self._accept(message)
            case "websocket.close", _State.OPENING:
                self._log_answer("403")
                self._reject(403, "")
                self._over(1006)
                self._close()
            case "websocket.send", _State.OPEN:
                text = message.get("text")
                self._write(
                    frame(Opcode.BINARY, message["bytes"])
                    if text is None
                    else text_frame(text.encode())
                )
            case "websocket.close", _State.OPEN:
                # It goes behind what the peer has not read, for which others have to wait.
                self._say_good_bye(message.get("code", 1000), message.get("reason") or "")
            case _:
                raise RuntimeError(f"'{kind}' while the WebSocket is {self._state.name}")

    def _write(self, data: bytes) -> None:
        self.flush()
        self._write_now(data)

    def _write_now(self, data: bytes) -> None:
        # uvloop's raises when the peer has just gone.
        if not self.transport.is_closing():
            self.transport.write(data)

    # Closing

    @property
    def _connections(self) -> set[Any]:
        return self._server_state.connections

    def _say_good_bye(self, code: int, reason: str = "") -> None:
        leave_the_rest_to_the_kernel(self.transport)
        self._write(close_frame(code, reason))
        self._state = _State.CLOSING
        self._tell_end(code, reason)
        self._close_timer = self._loop.call_later(_HANDSHAKE_SECONDS, self._close)
        self._event = None
        self._hear_on()

    def _over(self, code: int, reason: str = "") -> None:
        self._state = _State.CLOSED
        self._tell_end(code, reason)

    def _tell_end(self, code: int, reason: str) -> None:
        """The first one counts."""
        if self._end is None:
            self._end = {"type": "websocket.disconnect", "code": code, "reason": reason}
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(self._end)
            self._waiter = None

    def _close(self) -> None:
        if self._close_timer is not None:
            self._close_timer.cancel()
            self._close_timer = None
        if self._farewell is None and self in self._connections:
            self._farewell = Farewell(self.transport)


class _Turn:
    """Those who have something to write at the end of this turn of an event loop."""

    __slots__ = ("_due",)

    _of_loops: ClassVar["WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn]"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._due: list[WebSocketProtocol] = []

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "_Turn":
        turn = cls._of_loops.get(loop)
        if turn is None:
            turn = cls._of_loops[loop] = cls()
        return turn

    def add(self, protocol: WebSocketProtocol) -> None:
        if not self._due:
            # Not a loop of its own: what a value holds stays in a dictionary with weak keys.
            asyncio.get_running_loop().call_soon(self._end)
        self._due.append(protocol)

    def _end(self) -> None:
        due, self._due = self._due, []
        for protocol in due:
            protocol.flush()
