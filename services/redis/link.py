"""One connection to the store that all callers share.

A store answers in the order in which it is asked, so nobody has to wait for the answer of another
before asking. That saves a connection, and a pool's checks of it, for each call: three quarters of
what a round trip costs here.
"""

import asyncio
from asyncio import Future
from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, InvalidResponse
from redis.exceptions import TimeoutError as SocketTimeout

from services.redis.conversation import Conversation
from services.tasks import stop

_TRIES = 3
"""On so many connections: one that breaks each of them must not break those of all others."""
_TICK_SECONDS = 0.1


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

    def __init__(self, make: Callable[[], AbstractConnection], *, silence: float) -> None:
        """`silence`: seconds without any reply after which the peer is taken for gone."""
        self._make = make
        self._silence = silence
        self._waiting: deque[_Exchange] = deque()
        """To be sent."""
        self._sent: deque[_Exchange] = deque()
        """To be answered, in this order."""
        self._conversation: Conversation | None = None
        self._asked_at = 0.0
        """When it was last asked something after all was answered."""
        self._connecting: asyncio.Task[None] | None = None
        self._flush_is_due = False
        self._is_closed = False
        self._tick: asyncio.TimerHandle | None = None

    def ask(self, request: bytes, count: int, patience: float) -> "Future[list[Any]]":
        """The `count` replies to some packed commands; error replies are exceptions among them.

        What is asked in one turn of the event loop goes out in one piece. The future fails with
        redis-py's ConnectionError or TimeoutError, the latter after `patience` seconds.
        """
        loop = asyncio.get_running_loop()
        exchange = _Exchange(request, count, loop.time() + patience, loop.create_future())
        if self._is_closed:
            exchange.fail(ConnectionError("The link is closed."))
            return exchange.answer
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
        """Wait for the answers that are due, and hang up. Nothing more can be asked."""
        self._is_closed = True
        if due := [each.answer for each in (*self._waiting, *self._sent) if not each.answer.done()]:
            await asyncio.wait(due)
        if self._connecting is not None:
            await stop(self._connecting)
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if (conversation := self._conversation) is not None:
            conversation.end()
            await asyncio.wait([conversation.ended])

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
            self._asked_at = asyncio.get_running_loop().time()
        self._sent += due
        self._conversation.say(b"".join([exchange.request for exchange in due]))

    async def _connect(self) -> None:
        try:
            conversation = await Conversation.begin(self._make(), self._receive)
        except Exception as error:
            while self._waiting:
                # A copy: each caller raises it, which leaves its traceback there.
                self._waiting.popleft().fail(copy(error))
        else:
            self._conversation = conversation
            conversation.ended.add_done_callback(self._lose)
            self._flush()
        finally:
            self._connecting = None

    def _receive(self, reply: object) -> None:
        if isinstance(reply, hiredis.PushNotification):
            return  # No answer to anybody.
        if not self._sent:
            raise InvalidResponse("a reply that nobody has asked for")
        exchange = self._sent[0]
        exchange.replies.append(reply)
        if len(exchange.replies) == exchange.count:
            self._sent.popleft()
            if not exchange.answer.done():
                exchange.answer.set_result(exchange.replies)

    def _lose(self, ended: "Future[Exception | None]") -> None:
        """The connection is no more: ask on the next one."""
        error = ended.result()
        self._conversation = None
        unanswered, self._sent = self._sent, deque()
        for exchange in reversed(unanswered):
            exchange.replies.clear()
            if exchange.tries < _TRIES and not self._is_closed:
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
        if (
            self._sent
            and conversation is not None
            and now - self._silence >= max(conversation.heard_at, self._asked_at)
        ):
            conversation.end()
        self._start_ticking()
