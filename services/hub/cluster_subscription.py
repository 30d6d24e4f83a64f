"""A subscriber on a Redis Cluster, where each log has a clock of its own (docs/decisions/0016)."""

from collections.abc import Collection

from services.cursors import Cursor
from services.hub.subscription import READ_LIMIT, LiveEvent, Subscription
from services.log import Log, News
from services.models import Event, MessageEvent, PresenceEvent, RoomEvent
from services.together import together

MARGIN = 2_000_000
"""Microseconds by which the clocks of the cluster's servers may differ."""


class ClusterSubscription(Subscription):
    """One that has come so far in each of its logs."""

    margin = MARGIN

    def __init__(self, user_id: str, room_id: str | None, kinds: Collection[type[Event]]) -> None:
        super().__init__(user_id, room_id, kinds)
        self.beginning = 0
        """The position after which it reads the logs of which it has had nothing yet."""
        self.reached: dict[str, int] = {}
        """The newest position that it has had of each of the others."""

    async def begin_now(self, log: Log) -> None:
        self.follow()
        now, self.reached = await together(log.now(), log.clocks(self.logs(self.rooms)))
        self.position, self.beginning = now, now - MARGIN

    async def begin_after(self, log: Log, after: Cursor) -> None:
        self.beginning = max(0, after.position - after.doubt - MARGIN)
        # The cursor of a message is the end of what its room has told. Should two logs have the
        # same position, either may be meant.
        holders = await log.holders(self.logs(self.rooms), after.position)
        if len(holders) == 1:
            self.reached[holders[0]] = after.position

    @property
    def since(self) -> int:
        return self.beginning

    async def read(self, log: Log, room_ids: Collection[str], since: int, upto: int) -> News:
        places = {name: self.reached.get(name, since) for name in self.logs(room_ids)}
        return await log.news_of_each(places, limit=READ_LIMIT)

    def note_read(self, news: News, upto: int) -> None:
        for name, position in news.reached.items():
            self.reached[name] = max(position, self.reached.get(name, self.beginning))
        self.position = upto if news.is_all else news.upto

    def has_had(self, event: LiveEvent) -> bool:
        if isinstance(event, PresenceEvent):
            return False
        return event.position <= self.reached.get(self._log_of(event), self.beginning)

    def note(self, event: LiveEvent) -> None:
        if isinstance(event, PresenceEvent):
            return
        self.reached[self._log_of(event)] = event.position
        if isinstance(event, RoomEvent):
            self.gain(event)

    def gain(self, event: RoomEvent) -> None:
        # What was said there before is none of its business.
        room, since = f"room:{event.room_id}", event.position - MARGIN
        self.reached[room] = max(since, self.reached.get(room, 0))

    def _log_of(self, event: MessageEvent | RoomEvent) -> str:
        if isinstance(event, MessageEvent):
            return f"room:{event.message.room_id}"
        return f"user:{self.user_id}"
