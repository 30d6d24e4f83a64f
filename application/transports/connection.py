"""One socket of graphql-transport-ws: its duties and its end.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from application.transports import messages
from application.transports.ending import Ending
from application.transports.errors import ending, error, unexpected
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
from application.transports.writer import Writer
from execution.errors import RequestError
from execution.operation import Operation
from services.tasks import stop


class Connection:
    """A socket with the subprotocol agreed.

    One task reads; what is to be written is written at once or by a task of the writer's, and each
    operation is a task. The rest are timers and callbacks: most sockets are silent at any moment,
    and there are many. For the same reason nothing of the handshake is kept.
    """

    __slots__ = (
        "_finishing",
        "_gateway",
        "_has_been_heard",
        "_init_timer",
        "_limits",
        "_loop",
        "_operations",
        "_over",
        "_ping_timer",
        "_receive",
        "_scope",
        "_session",
        "_session_over",
        "_writer",
    )

    def __init__(
        self, gateway: Gateway, scope: Scope, receive: Receive, send: Send, limits: Limits
    ) -> None:
        self._gateway = gateway
        self._scope: Scope | None = scope
        """Of the handshake, with its credentials; None when the session is open."""
        self._receive = receive
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._over = Ending()
        self._writer = Writer(scope, send, limits, self._over)
        self._operations = Operations(gateway.engine, self._writer)
        self._has_been_heard = True
        """Whether anything has come since the last ping."""
        self._session: LiveSession | None = None
        self._session_over: Closure | None = None
        """How the session has ended, while the operations that ran then finish."""
        self._finishing: asyncio.Task[None] | None = None

    @property
    def waiting_bytes(self) -> int:
        """What waits until the peer reads."""
        return self._writer.waiting_bytes

    async def serve(self) -> Closure | None:
        """Serve it to its end: with this closure, or None where the peer has left."""
        self._init_timer = self._loop.call_later(self._limits.init_seconds, self._give_up_waiting)
        self._ping_timer = self._loop.call_later(self._limits.ping_seconds, self._ping)
        try:
            with self._over.of_reader():
                await self._read()
        finally:
            self._init_timer.cancel()
            self._ping_timer.cancel()
            if self._finishing is not None:
                await stop(self._finishing)
            self._operations.stop_all()
            try:
                await self._writer.stop()
                if self._over.closure is not None:
                    await self._writer.close(self._over.closure)
            finally:
                await self._operations.finished()
                await self._leave()
        return self._over.closure

    def stop(self, closure: Closure) -> None:
        """The server stops. Sessions are told by the gateway, and end in their own time."""
        if self._session is None:
            self._over.come(closure)

    # Reading

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(event.get("code", 1005))
            self._has_been_heard = True
            message = parse_message(event.get("text"))
            del event  # Else the last one would be kept until the next.
            await self._handle(message)
            del message
            # The others' turn: what has come in one piece waits for nothing.
            await asyncio.sleep(0)

    async def _handle(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                await self._open(message)
            case Ping():
                self._writer.put_other(messages.pong(message.payload))
            case Pong():
                pass
            case Subscribe():
                self._subscribe(message)
            case Complete():
                self._operations.stop(message.id)

    async def _open(self, init: ConnectionInit) -> None:
        """Open the session; no other message is read before it is."""
        if self._scope is None:
            raise Closure(4429, "Too many initialisation requests")
        try:
            self._session = await self._gateway.open(HTTPConnection(self._scope), init.payload)
        except Refused as refused:
            raise Closure(refused.code, refused.reason) from None
        self._init_timer.cancel()
        self._scope.clear()  # There are others on the way who hold it.
        self._scope = None
        self._session.ended.add_done_callback(self._finish)
        self._writer.put_other(messages.connection_ack())

    def _subscribe(self, message: Subscribe) -> None:
        if self._session is None:
            raise Closure(4401, "Unauthorized")
        if message.id in self._operations:
            raise Closure(4409, f"Subscriber for {message.id} already exists")
        if self._session_over is not None:
            self._refuse(message, [ending(self._session_over.code, self._session_over.reason)])
            return
        if len(self._operations) >= self._limits.max_operations:
            self._refuse(message, [_too_many("operations", self._limits.max_operations)])
            return
        most = self._limits.operations_size
        if self._operations and self._operations.size + message.size > most:
            self._refuse(message, [_too_many("characters of running operations", most)])
            return
        try:
            operation = self._gateway.engine.prepare(message.request)
        except RequestError as request_error:
            self._refuse(message, request_error.formatted)
        except Exception:
            what = "an operation over WebSocket could not be prepared"
            self._refuse(message, [unexpected(what)])
        else:
            self._start(message, operation, self._session)

    def _start(self, message: Subscribe, operation: Operation, session: LiveSession) -> None:
        running, limits = self._operations, self._limits
        if operation.type == "subscription" and running.subscriptions >= limits.max_subscriptions:
            self._refuse(message, [_too_many("subscriptions", limits.max_subscriptions)])
        elif running and running.weight_with(operation) > limits.operations_weight:
            what = "tokens and fields of running operations"
            self._refuse(message, [_too_many(what, limits.operations_weight)])
        else:
            running.start(message.id, operation, message.size, session)

    def _refuse(self, message: Subscribe, errors: list[dict[str, Any]]) -> None:
        self._writer.put_other(messages.error(message.id, errors))

    # The session

    def _give_up_waiting(self) -> None:
        if self._session is None:
            self._over.come(Closure(4408, "Connection initialisation timeout"))

    def _finish(self, ended: "asyncio.Future[tuple[int, str]]") -> None:
        """The session has ended: what runs can finish."""
        if not ended.cancelled():
            self._session_over = Closure(*ended.result())
            self._operations.stop_subscriptions()
            self._finishing = asyncio.create_task(self._drain(self._session_over))

    async def _drain(self, closure: Closure) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_seconds):
                await self._operations.finished()
        self._over.come(closure)

    def _ping(self) -> None:
        """Ping, and give up a peer that was silent since the last one.

        So nobody is dead for longer than twice the interval before it is noticed. 1001 as the peer
        seems to have gone away; clients reconnect on it. (4408 would mean that the init was late.)
        """
        self._ping_timer = self._loop.call_later(self._limits.ping_seconds, self._ping)
        try:
            if not self._has_been_heard:
                raise Closure(1001, "No message in time")
            self._has_been_heard = False
            self._writer.put_other(messages.ping())
        except Closure as closure:
            self._over.come(closure)

    async def _leave(self) -> None:
        if self._session is not None:
            await self._session.close()


def _too_many(what: str, most: int) -> dict[str, Any]:
    return error(f"At most {most} {what} are allowed on one connection.", "RATE_LIMITED")
