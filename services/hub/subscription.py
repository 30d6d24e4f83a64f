"""One subscriber: what it wants, how far it has come, what waits for it."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, cast

from services.cursors import Cursor
from services.log import Log, News
from services.models import Event, MessageEvent, PresenceEvent, RoomEvent

if TYPE_CHECKING:
    from services.hub.audience import Audience

MAX_WAITING_BYTES = 384 * 1024
"""What waits for one subscriber beyond this is forgotten, and read from the log again."""

READ_LIMIT = 100
"""About how many events it reads of its logs at a time."""

_OVERHEAD_BYTES = 200
"""About what an event takes besides its text."""

LiveEvent = MessageEvent | RoomEvent | PresenceEvent

Listener = Callable[[bytes], bool]
"""Takes what an audience is told, or says that it cannot."""


class Subscription:
    margin = 0
    """Microseconds by which the positions of different logs may be out of step."""

    def __init__(self, user_id: str, room_id: str | None, kinds: Collection[type[Event]]) -> None:
        self.user_id = user_id
        self.room_id = room_id
        self.kinds = frozenset(kinds)
        self.rooms: set[str] = set() if room_id is None else {room_id}
        self.is_bot = False
        """Whether it has to be in a public room to follow it; known when the stream begins."""
        self.position = 0
        """Everything up to here was taken or is not for this subscriber."""
        self.is_behind = True
        """The log has to be read from `position` on."""
        self.audience: Audience | None = None
        """With whom it is told of what is live; alone if with nobody."""
        self.listener: Listener | None = None
        self._waiting: deque[LiveEvent] | None = None
        """None while nothing waits, as with most at any moment."""
        self._bytes = 0
        """Of what waits and is in a log."""
        self._present: set[str] | None = None
        """Whose coming or going waits."""
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None

    @property
    def waiting_bytes(self) -> int:
        """About what waits for it takes in memory."""
        return self._bytes + len(self._present or ()) * _OVERHEAD_BYTES

    def logs(self, room_ids: Collection[str]) -> list[str]:
        """The logs that it reads when it may see these rooms, as `Log.news` calls them."""
        rooms = room_ids if MessageEvent in self.kinds else ()
        users = [self.user_id] if RoomEvent in self.kinds else ()
        return [*(f"room:{room_id}" for room_id in rooms), *(f"user:{id_}" for id_ in users)]

    @property
    def needs_user_log(self) -> bool:
        """Whether it is to learn of new rooms."""
        return self.room_id is None or RoomEvent in self.kinds

    async def begin_now(self, log: Log) -> None:
        """Let it have what comes after the present moment."""
        self.follow()
        self.position = await log.now()

    async def begin_after(self, log: Log, after: Cursor) -> None:
        """Let it read what comes after a cursor."""
        self.position = after.position

    @property
    def since(self) -> int:
        """No log has to be read from before this position."""
        return self.position

    async def read(self, log: Log, room_ids: Collection[str], since: int, upto: int) -> News:
        """The next of what its logs hold, when it may see these rooms; `since` is from before it
        followed them."""
        return await log.news(self.logs(room_ids), since, upto, limit=READ_LIMIT)

    def note_read(self, news: News, upto: int) -> None:
        """It has had what it has read."""
        self.position = news.upto

    def has_had(self, event: LiveEvent) -> bool:
        """Whether it is not new to the subscriber; who came and went always is."""
        return not isinstance(event, PresenceEvent) and event.position <= self.position

    def note(self, event: LiveEvent) -> None:
        """The subscriber has had it now."""
        if not isinstance(event, PresenceEvent):
            self.position = event.position

    def gain(self, event: RoomEvent) -> None:
        """A room has come to its own: what has an earlier position there is not for it, which
        `position` says already."""

    def follow(self) -> None:
        """Let live events wait from now on."""
        self.is_behind = False

    def put(self, event: LiveEvent) -> None:
        if type(event) not in self.kinds or self._failure is not None:
            return
        if isinstance(event, PresenceEvent):
            if self._present is None:
                self._present = set()
            elif event.user_id in self._present:
                return  # How it is with them is told when it is taken.
            self._present.add(event.user_id)
        elif self.is_behind:
            return
        else:
            self._bytes += _size(event)
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(event)
        if self._bytes > MAX_WAITING_BYTES:
            self.fall_behind()
        self._wake()

    def fail(self, failure: Exception) -> None:
        """End the stream with an error, at once. The first one counts."""
        self._failure = self._failure or failure
        self._wake()

    def check(self) -> None:
        """Raise what ends the stream."""
        if self._failure is not None:
            raise self._failure

    def take(self) -> LiveEvent | None:
        """The next of what waits that is new to the subscriber."""
        while self._waiting:
            event = self._waiting.popleft()
            if isinstance(event, PresenceEvent):
                cast(set[str], self._present).discard(event.user_id)
            else:
                self._bytes -= _size(event)
            if not self.has_had(event):
                self.note(event)
                return event
        self._waiting = self._present = None
        return None

    async def news(self) -> None:
        """Wait until there is something to take, to read, or to raise."""
        while not (self._waiting or self.is_behind or self._failure):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def hear(self, event: LiveEvent, words: bytes | None) -> bool:
        """Have the listener take what the audience is told; False where it did not.

        `words` is None for what there is nothing to tell of.
        """
        if self.is_behind or self.listener is None:
            return False  # It reads the log.
        if self.has_had(event):
            return True
        if self._failure is None and (words is None or self.listener(words)):
            self.note(event)
            return True
        self.miss()
        return False

    def reach(self, position: int) -> None:
        """All that concerns it up to there was handed to it."""
        if not self._waiting and not self.is_behind:
            self.position = max(self.position, position)

    def miss(self) -> None:
        """Something live was not heard: it has to be read from the log."""
        self.fall_behind()
        self._wake()

    def fall_behind(self) -> None:
        """Forget what the log has. Who came and went is in no log, so that stays."""
        self.is_behind = True
        if self._bytes:
            waiting = self._waiting or ()
            self._waiting = deque(each for each in waiting if isinstance(each, PresenceEvent))
            self._bytes = 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _size(event: MessageEvent | RoomEvent) -> int:
    text = event.message.text if isinstance(event, MessageEvent) else ""
    return _OVERHEAD_BYTES + sys.getsizeof(text)
