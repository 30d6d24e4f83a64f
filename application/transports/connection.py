"""One socket of graphql-transport-ws: its operations, its outbox, its end.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from application.transports import messages
from application.transports.errors import INTERNAL_ERROR
from application.transports.errors import error as error_entry
from application.transports.gateway import Gateway, LiveSession, Refused
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
from application.transports.outbox import Outbox
from execution.errors import RequestError
from execution.request import GraphQLRequest

_log = logging.getLogger(__name__)

_CLOSE_SECONDS = 5.0
"""How long a peer may take to read what goes before the close frame."""

_SLOW_CONSUMER = Closure(1013, "slow consumer, resume with after")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one socket."""

    init_seconds: float = 10.0
    ping_seconds: float = 15.0
    idle_seconds: float = 30.0
    max_operations: int = 100
    outbox_messages: int = 1_000
    outbox_bytes: int = 1024 * 1024


class Connection:
    """A socket with the subprotocol agreed.

    Four tasks serve it (reading, writing, pinging, waiting for the init) and one each operation.
    Whoever finds that it is over completes `_over`, with a closure or with None where there is
    nobody left to tell.
    """

    def __init__(self, gateway: Gateway, websocket: WebSocket[Any], limits: Limits) -> None:
        self._gateway = gateway
        self._websocket = websocket
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Closure | None] = self._loop.create_future()
        self._outbox = Outbox(limits.outbox_messages, limits.outbox_bytes)
        self._heard = self._loop.time()
        self._session: LiveSession | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        """Those whose id is in use; a stopped one gives its id back at once."""
        self._tasks: set[asyncio.Task[None]] = set()
        """Those that run, among them the stopped ones that still clean up."""

    async def serve(self) -> None:
        duties = [
            asyncio.create_task(self._guarded(duty))
            for duty in (self._read, self._write, self._ping, self._await_init)
        ]
        closure = None
        try:
            closure = await self._over
        finally:
            _cancel(duties)
            await _finish(duties)
            _cancel(self._operations.values())
            try:
                if closure is not None:
                    await self._close(closure)
            finally:
                await _finish(self._tasks)
                await self._leave()

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
                self._stop(message.id)

    async def _open(self, init: ConnectionInit) -> None:
        """Open the session; no other message is read before it is."""
        if self._session is not None:
            raise Closure(4429, "Too many initialisation requests")
        try:
            session = await self._gateway.open(self._websocket, init.payload)
        except Refused as refused:
            raise Closure(refused.code, refused.reason) from None
        self._session = session
        session.ended.add_done_callback(self._session_ended)
        self._send(messages.connection_ack())

    def _session_ended(self, ended: "asyncio.Future[tuple[int, str]]") -> None:
        if not ended.cancelled():
            self._end(Closure(*ended.result()))

    # Operations

    def _subscribe(self, message: Subscribe) -> None:
        if self._session is None:
            raise Closure(4401, "Unauthorized")
        if message.id in self._operations:
            raise Closure(4409, f"Subscriber for {message.id} already exists")
        if len(self._tasks) >= self._limits.max_operations:
            entry = error_entry("Too many operations on this connection.", "RATE_LIMITED")
            self._send(messages.error(message.id, [entry]))
            return
        task = asyncio.create_task(self._run(self._session, message))
        self._operations[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self, id_: str) -> None:
        """Stop an operation; ids that are not known belong to completed ones."""
        if task := self._operations.pop(id_, None):
            task.cancel()

    async def _run(self, session: LiveSession, message: Subscribe) -> None:
        id_ = message.id
        try:
            async with aclosing(self._responses(session, message.request)) as responses:
                async for response in responses:
                    self._send_of(id_, messages.next_(id_, response))
                    # The writer's turn: a source that has much in store never waits by itself.
                    await asyncio.sleep(0)
            last = messages.complete(id_)
        except RequestError as request_error:
            last = messages.error(id_, request_error.formatted)
        except Exception:
            _log.exception("An operation over WebSocket failed")
            last = messages.error(id_, [INTERNAL_ERROR])
        self._send_of(id_, last)
        if self._owns(id_):
            del self._operations[id_]

    async def _responses(
        self, session: LiveSession, request: GraphQLRequest
    ) -> AsyncGenerator[dict[str, Any]]:
        engine = self._gateway.engine
        operation = engine.prepare(request)
        if operation.type != "subscription":
            yield await engine.execute(operation, session.context())
            return
        async with aclosing(engine.subscribe(operation, session.context())) as responses:
            async for response in responses:
                yield response

    def _send_of(self, id_: str, message: bytes) -> None:
        """Send for the operation that runs here, unless the client has stopped it."""
        if self._owns(id_):
            self._send(message)

    def _owns(self, id_: str) -> bool:
        return self._operations.get(id_) is asyncio.current_task()

    # Writing

    def _send(self, message: bytes) -> None:
        """Never waits: neither the reading nor an operation depends on how fast a peer reads."""
        if not self._over.done() and not self._outbox.put(message):
            self._end(_SLOW_CONSUMER)

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

    async def _await_init(self) -> None:
        await asyncio.sleep(self._limits.init_seconds)
        if self._session is None:
            raise Closure(4408, "Connection initialisation timeout")

    # Ending

    async def _close(self, closure: Closure) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while self._outbox and closure is not _SLOW_CONSUMER:
                    await self._write_first()
                await self._websocket.close(closure.code, closure.reason)

    async def _leave(self) -> None:
        if self._session is not None:
            self._session.ended.remove_done_callback(self._session_ended)
            await self._session.close()


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


async def _finish(tasks: Iterable[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
