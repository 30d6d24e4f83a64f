"""One socket of graphql-transport-ws: its duties and its end.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from application.transports import messages
from application.transports.errors import INTERNAL_ERROR, ending, error
from application.transports.gateway import Gateway, LiveSession, Refused
from application.transports.limits import Limits
from application.transports.messages import (
    Closure,
    Complete,
    ConnectionInit,
    Message,
    Ping,
    Pong,
    Subscribe,
    parse_message,
)
from application.transports.operations import Operations
from application.transports.outbox import Outbox
from execution.errors import RequestError

_log = logging.getLogger(__name__)

_CLOSE_SECONDS = 3.0
"""How long a peer may take to read what goes before the close frame."""

_SLOW_CONSUMER = Closure(1013, "slow consumer, resume with after")
_TOO_MANY_OPERATIONS = error("Too many operations on this connection.", "RATE_LIMITED")


class Connection:
    """A socket with the subprotocol agreed.

    Five tasks serve it (reading, writing, pinging, attending to the session, watching that the
    peer reads) and one each operation. Whoever finds that it is over completes `_over`, with a
    closure or with None where there is nobody left to tell.
    """

    def __init__(self, gateway: Gateway, websocket: WebSocket[Any], limits: Limits) -> None:
        self._gateway = gateway
        self._websocket = websocket
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Closure | None] = self._loop.create_future()
        self._outbox = Outbox(limits.result_bytes, limits.other_bytes)
        self._operations = Operations(gateway.engine, self._outbox)
        self._heard = self._loop.time()
        self._session: LiveSession | None = None
        self._is_open = asyncio.Event()
        self._ending: Closure | None = None
        """How the session has ended, while the operations that ran then finish."""

    async def serve(self) -> None:
        duties = [
            asyncio.create_task(self._guarded(duty))
            for duty in (self._read, self._write, self._ping, self._attend, self._watch)
        ]
        closure = None
        try:
            closure = await self._over
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
            self._operations.stop_all()
            try:
                if closure is not None:
                    await self._close(closure)
            finally:
                await self._operations.finished()
                await self._leave()

    def stop(self, closure: Closure) -> None:
        """The server stops. Sessions are told by the gateway, and end in their own time."""
        if self._session is None:
            self._end(closure)

    def _end(self, closure: Closure | None) -> None:
        if not self._over.done():
            self._over.set_result(closure)

    async def _guarded(self, duty: Callable[[], Awaitable[None]]) -> None:
        """A duty that ends the connection when it fails."""
        try:
            await duty()
        except Closure as closure:
            self._end(closure)
        except WebSocketDisconnect:
            self._end(None)
        except Exception:
            _log.exception("A WebSocket failed")
            self._end(Closure(4500, "Internal server error"))

    # Reading

    async def _read(self) -> None:
        while True:
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code", 1005))
            self._heard = self._loop.time()
            await self._handle(parse_message(event.get("text")))

    async def _handle(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                await self._open(message)
            case Ping():
                self._send(messages.pong(message.payload))
            case Pong():
                pass
            case Subscribe():
                self._subscribe(message)
            case Complete():
                self._operations.stop(message.id)

    async def _open(self, init: ConnectionInit) -> None:
        """Open the session; no other message is read before it is."""
        if self._session is not None:
            raise Closure(4429, "Too many initialisation requests")
        try:
            self._session = await self._gateway.open(self._websocket, init.payload)
        except Refused as refused:
            raise Closure(refused.code, refused.reason) from None
        self._is_open.set()
        self._send(messages.connection_ack())

    def _subscribe(self, message: Subscribe) -> None:
        if self._session is None:
            raise Closure(4401, "Unauthorized")
        if message.id in self._operations:
            raise Closure(4409, f"Subscriber for {message.id} already exists")
        if self._ending is not None:
            self._refuse(message, [ending(self._ending.code, self._ending.reason)])
            return
        if len(self._operations) >= self._limits.max_operations:
            self._refuse(message, [_TOO_MANY_OPERATIONS])
            return
        try:
            operation = self._gateway.engine.prepare(message.request)
        except RequestError as request_error:
            self._refuse(message, request_error.formatted)
        except Exception:
            _log.exception("An operation over WebSocket could not be prepared")
            self._refuse(message, [INTERNAL_ERROR])
        else:
            self._operations.start(message.id, operation, self._session)

    def _refuse(self, message: Subscribe, errors: list[dict[str, Any]]) -> None:
        self._send(messages.error(message.id, errors))

    # The session

    async def _attend(self) -> None:
        """See that the session begins in time and, when it ends, what runs can finish."""
        session = await self._opened_session()
        # Not to be cancelled with us, as it would be if it was awaited.
        await asyncio.wait([session.ended])
        self._ending = Closure(*session.ended.result())
        self._operations.stop_subscriptions()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_seconds):
                await self._operations.finished()
        raise self._ending

    async def _opened_session(self) -> LiveSession:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.init_seconds):
                await self._is_open.wait()
        if self._session is None:
            raise Closure(4408, "Connection initialisation timeout")
        return self._session

    # Writing

    def _send(self, message: bytes) -> None:
        """Send what cannot wait: the reading does not depend on how fast a peer reads."""
        if not self._outbox.put_other(message):
            raise _SLOW_CONSUMER

    async def _write(self) -> None:
        while True:
            await self._write_first()

    async def _write_first(self) -> None:
        message = await self._outbox.first()
        try:
            await self._websocket.send_text(message.decode())
        except RuntimeError:
            # The server has closed the socket by itself, as uvicorn does when it stops.
            raise WebSocketDisconnect(1006) from None
        self._outbox.drop_first()

    async def _watch(self) -> None:
        await self._outbox.stalled(self._limits.stall_seconds)
        raise _SLOW_CONSUMER

    async def _ping(self) -> None:
        """Ping, and give up a peer that is silent in spite of it.

        1001 as the peer seems to have gone away; clients reconnect on it. (4408 would mean that
        the init was late.)
        """
        while True:
            await asyncio.sleep(self._limits.ping_seconds)
            if self._loop.time() - self._heard >= self._limits.idle_seconds:
                raise Closure(1001, "No message in time")
            self._send(messages.ping())

    # Ending

    async def _close(self, closure: Closure) -> None:
        """Tell the peer, and before that what waits for it, unless that is too much for it."""
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while self._outbox and closure is not _SLOW_CONSUMER:
                    await self._write_first()
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._websocket.close(closure.code, closure.reason)

    async def _leave(self) -> None:
        if self._session is not None:
            await self._session.close()
