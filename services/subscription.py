"""One subscriber: what it wants, how far it has come, what waits for it."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from services.models import Event, MessageEvent, PresenceEvent, RoomEvent

if TYPE_CHECKING:
    from services.audience import Audience

MAX_WAITING_BYTES = 384 * 1024
"""What waits for one subscriber beyond this is forgotten, and read from the log again."""

_OVERHEAD_BYTES = 200
"""About what an event takes besides its text."""

LiveEvent = MessageEvent | RoomEvent | PresenceEvent

Listener = Callable[[bytes], bool]
"""Takes what an audience is told, or says that it cannot."""


class Subscription:
    def __init__(self, user_id: str, room_id: str | None, kinds: Collection[type[Event]]) -> None:
        self.user_id = user_id
        self.room_id = room_id
        self.kinds = frozenset(kinds)
        self.rooms: set[str] = set() if room_id is None else {room_id}
        self.position = 0
        """Everything up to here was taken or is not for this subscriber."""
        self.is_behind = True
        """The log has to be read from `position` on."""
        self.audience: Audience | None = None
        """With whom it is told of what is live; alone if with nobody."""
        self.listener: Listener | None = None
        self._waiting: deque[LiveEvent] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._failure: Exception | None = None

    @property
    def logs(self) -> list[str]:
        """The logs that it follows, as `Log.news` calls them."""
        rooms = self.rooms if MessageEvent in self.kinds else ()
        users = [self.user_id] if RoomEvent in self.kinds else ()
        return [*(f"room:{room_id}" for room_id in rooms), *(f"user:{id_}" for id_ in users)]

    def follow(self) -> None:
        """Let live events wait from now on."""
        self.is_behind = False

    def put(self, event: LiveEvent) -> None:
        if type(event) not in self.kinds or self._failure is not None:
            return
        if self.is_behind and not isinstance(event, PresenceEvent):
            return
        self._waiting.append(event)
        self._bytes += _size(event)
        if self._bytes > MAX_WAITING_BYTES:
            self.fall_behind()
        self._wake.set()

    def fail(self, failure: Exception) -> None:
        """End the stream with an error, at once. The first one counts."""
        self._failure = self._failure or failure
        self._wake.set()

    def check(self) -> None:
        """Raise what ends the stream."""
        if self._failure is not None:
            raise self._failure

    def take(self) -> LiveEvent | None:
        """The next of what waits that is new to the subscriber."""
        while self._waiting:
            event = self._waiting.popleft()
            self._bytes -= _size(event)
            if isinstance(event, PresenceEvent):
                return event
            if event.position > self.position:
                self.position = event.position
                return event
        return None

    async def news(self) -> None:
        """Wait until there is something to take, to read, or to raise."""
        while not (self._waiting or self.is_behind or self._failure):
            self._wake.clear()
            await self._wake.wait()

    def hear(self, position: int | None, words: bytes | None) -> bool:
        """Take what its audience is told; False, and behind, where the listener cannot.

        `position` is None for what is in no log, `words` for what there is nothing to tell of.
        """
        if self.listener is None or self._failure is not None:
            return True  # It has left meanwhile.
        if position is not None and position <= self.position:
            return True
        if words is not None and not self.listener(words):
            self.fall_behind()
            self._wake.set()
            return False
        if position is not None:
            self.position = position
        return True

    def fall_behind(self) -> None:
        """Forget what the log has. Who came and went is in no log, so that stays, once for each."""
        self.is_behind = True
        self._waiting = deque(
            dict.fromkeys(event for event in self._waiting if isinstance(event, PresenceEvent))
        )
        self._bytes = len(self._waiting) * _OVERHEAD_BYTES


def _size(event: LiveEvent) -> int:
    text = event.message.text if isinstance(event, MessageEvent) else ""
    return _OVERHEAD_BYTES + sys.getsizeof(text)
