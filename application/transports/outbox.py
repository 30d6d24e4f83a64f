"""The outbox of a socket: what waits until the peer reads."""

import asyncio
import sys
from collections import deque
from typing import NamedTuple


class _Waiting(NamedTuple):
    message: bytes
    is_result: bool

    @property
    def size(self) -> int:
        """What it takes in memory: a pong's bytes are the least of it."""
        return sys.getsizeof(self.message) + sys.getsizeof(self)


class Outbox:
    """Bounded in bytes; what is being written still counts.

    Results have back-pressure: an operation asks for its next one only when there is room, and may
    then have any single result, however large. Other messages answer what the peer sent, and it is
    up to the peer to read them; so they have a bound of their own.
    """

    __slots__ = ("_has_room", "_max_others", "_max_results", "_others", "_results", "_waiting")

    def __init__(self, max_results: int, max_others: int) -> None:
        self._max_results = max_results
        self._max_others = max_others
        self._waiting: deque[_Waiting] | None = None
        """None while nothing waits, as in most sockets at any moment."""
        self._results = 0
        self._others = 0
        self._has_room: asyncio.Future[None] | None = None

    @property
    def size(self) -> int:
        """What all that waits takes in memory, in bytes."""
        return self._results + self._others

    @property
    def is_full(self) -> bool:
        return self._results >= self._max_results

    def put_result(self, message: bytes) -> None:
        waiting = _Waiting(message, is_result=True)
        self._results += waiting.size
        self._append(waiting)

    def put_other(self, message: bytes) -> bool:
        """False when the message does not fit, and was not taken. One always does."""
        waiting = _Waiting(message, is_result=False)
        if self._others and self._others + waiting.size > self._max_others:
            return False
        self._others += waiting.size
        self._append(waiting)
        return True

    async def room(self) -> None:
        """Wait until there is room for a result."""
        while self.is_full:
            if self._has_room is None:
                self._has_room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._has_room)

    def first(self) -> bytes | None:
        """The message to write, if there is one; it stays until `drop_first`."""
        return self._waiting[0].message if self._waiting else None

    def drop_first(self) -> None:
        if not self._waiting:
            return
        dropped = self._waiting.popleft()
        if not self._waiting:
            self._waiting = None
        if dropped.is_result:
            self._results -= dropped.size
        else:
            self._others -= dropped.size
        if self._has_room is not None and not self.is_full:
            self._has_room.set_result(None)
            self._has_room = None

    def _append(self, waiting: _Waiting) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(waiting)
