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

    def __init__(self, max_results: int, max_others: int) -> None:
        self._max_results = max_results
        self._max_others = max_others
        self._waiting: deque[_Waiting] = deque()
        self._results = 0
        self._others = 0
        self._is_filled = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_full = asyncio.Event()
        self._moved_at = 0.0
        """When it became full or, later, when the peer last took something."""

    def put_result(self, message: bytes) -> None:
        waiting = _Waiting(message, is_result=True)
        self._results += waiting.size
        self._append(waiting)
        if self._results >= self._max_results and not self._is_full.is_set():
            self._has_room.clear()
            self._is_full.set()
            self._note_movement()

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
        await self._has_room.wait()

    async def stalled(self, seconds: float) -> None:
        """Wait until it has been full for so long without anything taken."""
        while True:
            await self._is_full.wait()
            rest = self._moved_at + seconds - asyncio.get_running_loop().time()
            if rest <= 0:
                return
            await asyncio.sleep(rest)

    async def first(self) -> bytes:
        """The message to write; it stays until `drop_first`."""
        while not self._waiting:
            self._is_filled.clear()
            await self._is_filled.wait()
        return self._waiting[0].message

    def drop_first(self) -> None:
        dropped = self._waiting.popleft()
        if dropped.is_result:
            self._results -= dropped.size
        else:
            self._others -= dropped.size
        self._note_movement()
        if self._results < self._max_results and self._is_full.is_set():
            self._is_full.clear()
            self._has_room.set()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def _append(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._is_filled.set()

    def _note_movement(self) -> None:
        self._moved_at = asyncio.get_running_loop().time()
