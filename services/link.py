"""One connection to the store that all callers share.

A store answers in the order in which it is asked, so nobody has to wait for the answer of another
before asking. That saves a connection, and a pool's checks of it, for each call: three quarters of
what a round trip costs here. redis-py makes the connection (address, TLS, log-in, epoch); what is
said on it goes past redis-py.
"""

import asyncio
import logging
from asyncio import Future
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis._parsers import BaseParser
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, InvalidResponse, RedisError
from redis.exceptions import TimeoutError as SocketTimeout

_log = logging.getLogger(__name__)

_TRIES = 3
"""On so many connections: one that breaks each of them must not break those of all others."""
_TICK_SECONDS = 0.1
_INCOMPLETE = object()


@dataclass(eq=False, slots=True)
class _Exchange:
    """What is asked together and the replies to it."""

    request: bytes
    count: int
    deadline: float
    answer: "Future[list[Any]]"
    replies: list[Any] = field(default_factory=list)
    tries: int = 0

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Link:
    """Exchanges requests for replies on one connection, made anew when it breaks.

    What had no answer when a connection broke is asked again on the next: requests have to be
    idempotent.
    """

    def __init__(
        self, make: Callable[[], AbstractConnection], *, patience: float, silence: float
    ) -> None:
        """`patience`: seconds until a request fails; `silence`: seconds without any reply after
        which the peer of a connection is taken for gone."""
        self._make = make
        self._patience = patience
        self._silence = silence
        self._waiting: deque[_Exchange] = deque()
        """To be sent."""
        self._sent: deque[_Exchange] = deque()
        """To be answered, in this order."""
        self._conversation: _Conversation | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._flush_is_due = False
        self._tick: asyncio.TimerHandle | None = None

    def ask(self, request: bytes, count: int) -> "Future[list[Any]]":
        """The `count` replies to some packed commands; error replies are exceptions among them.

        What is asked in one turn of the event loop goes out in one piece. The future fails with
        redis-py's ConnectionError or TimeoutError.
        """
        loop = asyncio.get_running_loop()
        exchange = _Exchange(request, count, loop.time() + self._patience, loop.create_future())
        self._waiting.append(exchange)
        if not self._flush_is_due:
            self._flush_is_due = True
            loop.call_soon(self._flush)
        return exchange.answer

    def drop(self) -> None:
        """Give up the connection: it may lead to a peer that is gone, or not the right one."""
        if self._conversation is not None:
            self._conversation.end()

    async def close(self) -> None:
        """Wait for the answers that are due, and hang up."""
        if due := [each.answer for each in (*self._waiting, *self._sent) if not each.answer.done()]:
            await asyncio.wait(due)
        if self._connecting is not None:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._tick is not None:
            self._tick.cancel()
        if (conversation := self._conversation) is not None:
            conversation.end()
            await conversation.ended

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._tick is None:
            self._start_ticking()
        if self._conversation is None:
            if self._connecting is None:
                self._connecting = asyncio.create_task(self._connect(), name="link")
            return
        due = [each for each in self._waiting if not each.answer.done()]
        self._waiting.clear()
        if not due:
            return
        for exchange in due:
            exchange.tries += 1
        if not self._sent:
            self._conversation.silent_since = asyncio.get_running_loop().time()
        self._sent += due
        self._conversation.say(b"".join([exchange.request for exchange in due]))

    async def _connect(self) -> None:
        try:
            conversation = _Conversation(await _connected(self._make()), self)
        except (RedisError, OSError) as error:
            while self._waiting:
                self._waiting.popleft().fail(error)
        else:
            self._conversation = conversation
            self._flush()
        finally:
            self._connecting = None

    def received(self, reply: object) -> None:
        """The next reply."""
        if not self._sent:
            raise InvalidResponse("a reply that nobody has asked for")
        exchange = self._sent[0]
        exchange.replies.append(reply)
        if len(exchange.replies) == exchange.count:
            self._sent.popleft()
            if not exchange.answer.done():
                exchange.answer.set_result(exchange.replies)

    def lost(self, conversation: "_Conversation", error: Exception | None) -> None:
        """The connection is no more; once for each."""
        if self._conversation is not conversation:
            return
        self._conversation = None
        unanswered, self._sent = self._sent, deque()
        for exchange in reversed(unanswered):
            exchange.replies.clear()
            if exchange.tries < _TRIES:
                self._waiting.appendleft(exchange)
            else:
                exchange.fail(ConnectionError(str(error or "The connection was closed.")))
        if self._waiting:
            self._flush()

    # Time

    def _start_ticking(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._check)

    def _check(self) -> None:
        """Fail what has waited too long; not a timer for each, as nearly all are answered soon."""
        self._tick = None
        if not self._waiting and not self._sent:
            return
        now = asyncio.get_running_loop().time()
        for exchange in (*self._waiting, *self._sent):
            if exchange.deadline <= now:
                exchange.fail(SocketTimeout("The store did not answer in time."))
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        conversation = self._conversation
        if self._sent and conversation and conversation.silent_since <= now - self._silence:
            conversation.end()
        self._start_ticking()


class _Conversation(asyncio.Protocol):
    """A connection that redis-py has made, read and written by us."""

    def __init__(self, connection: AbstractConnection, link: Link) -> None:
        self._link = link
        self._connection = connection
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_INCOMPLETE,
        )
        self._loop = asyncio.get_running_loop()
        self.silent_since = self._loop.time()
        """When it was last heard, or was asked something after all was answered."""
        self.ended: Future[None] = self._loop.create_future()
        # The only way past its streams, of which each read is as dear as all that is done here.
        self._transport: Any = connection._writer.transport  # type: ignore[union-attr]
        self._streams = self._transport.get_protocol()
        self._transport.set_protocol(self)

    def say(self, request: bytes) -> None:
        try:
            self._transport.write(request)
        except RuntimeError:
            # From uvloop, when the peer is gone already.
            self.end()

    def end(self) -> None:
        self._transport.abort()
        self._link.lost(self, None)

    def data_received(self, data: bytes) -> None:
        self.silent_since = self._loop.time()
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._link.received(reply)
        except InvalidResponse:
            _log.exception("The store sent what is no answer")
            self.end()

    def connection_lost(self, error: Exception | None) -> None:
        self.ended.set_result(None)
        self._streams.connection_lost(error)
        self._connection._close()  # type: ignore[no-untyped-call]
        self._link.lost(self, error)


async def _connected(connection: AbstractConnection) -> AbstractConnection:
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection
