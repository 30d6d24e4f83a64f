"""The outbox of a socket: what waits until the peer reads."""

import asyncio
from collections import deque


class Outbox:
    """Bounded in messages and in bytes; what is being written still counts.

    A message larger than the bound is taken when nothing waits: the bound is against peers that
    do not read, and one that reads must be able to have any single result.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()

    def put(self, message: bytes) -> bool:
        """False when the message does not fit, and was not taken."""
        if self._messages and not self._fits(len(message)):
            return False
        self._messages.append(message)
        self._bytes += len(message)
        self._filled.set()
        return True

    async def first(self) -> bytes:
        """The message to write; it stays until `drop_first`."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        return self._messages[0]

    def drop_first(self) -> None:
        self._bytes -= len(self._messages.popleft())

    def __bool__(self) -> bool:
        return bool(self._messages)

    def _fits(self, size: int) -> bool:
        return len(self._messages) < self._max_messages and self._bytes + size <= self._max_bytes
