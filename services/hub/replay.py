"""Replay: what a subscriber reads of the logs by itself, after a cursor or when it is behind."""

from services.cursors import Cursor
from services.errors import CursorExpired, Unavailable
from services.hub.attendance import Attendance
from services.hub.register import EXPIRED, Register
from services.hub.subscription import Subscription
from services.log import Log, News
from services.models import MessageEvent, PresenceEvent, RoomEvent
from services.redis.store import Store
from services.rooms import Rooms
from services.together import together

_MOST_ADDED = 10_000
"""Rooms that a bot may be added to while it does not listen."""


class Replay:
    def __init__(
        self, store: Store, log: Log, rooms: Rooms, attendance: Attendance, register: Register
    ) -> None:
        self._store = store
        self._log = log
        self._rooms = rooms
        self._attendance = attendance
        self._register = register

    async def begin(self, subscription: Subscription, after: Cursor | None) -> None:
        """Begin a stream, to be taken off the register in any case. Raises what ends it."""
        epoch = self._register.epoch
        if after is not None:
            await self._check_cursor(after)
        await self._enroll(subscription)
        if after is None:
            await self._register.until_heard(subscription)
            await subscription.begin_now(self._log)
            return
        await subscription.begin_after(self._log, after)
        if self._register.epoch != epoch:
            # Something was lost before the hub could have ended this subscription for it.
            await self._check_cursor(after)

    async def read_on(self, subscription: Subscription) -> list[MessageEvent | RoomEvent]:
        """The next of what the logs hold after the subscription's position, not all at once: it is
        behind until there is no more. Live events wait from before the reading on."""
        since, position = subscription.since, subscription.position
        subscription.follow()
        try:
            now, room_ids = await self._present(subscription)
            # Not those rooms that it only has had: nothing of what was taken away is told again.
            news = await subscription.read(self._log, room_ids, since, now)
            events = await self._concerning(subscription, news, room_ids, since, now)
        except Unavailable:
            # A room that it gained meanwhile may have moved it on, past what it has not read.
            subscription.position = position
            raise
        subscription.note_read(news, now)
        if not news.is_all:
            subscription.fall_behind()
        return events

    async def _check_cursor(self, cursor: Cursor) -> None:
        reach = await self._store.epochs.reach(self._store, cursor.epoch)
        if reach is None or cursor.position > reach:
            raise CursorExpired(EXPIRED)

    async def _enroll(self, subscription: Subscription) -> None:
        self._register.add(subscription)
        # Rooms that are added after those that are read now ring, and so does who comes or goes.
        await self._register.until_heard(subscription)
        if PresenceEvent in subscription.kinds:
            await self._attendance.begin()
        room_ids, subscription.is_bot = await together(
            self._rooms_of(subscription), self._rooms.is_bot(subscription.user_id)
        )
        self._register.enter(subscription, room_ids)
        if subscription.is_bot:
            self._register.bots.add(subscription)

    async def _present(self, subscription: Subscription) -> tuple[int, set[str]]:
        """The present moment and the subscription's rooms, all of which are heard."""
        while True:
            await self._register.until_heard(subscription)
            # The clock before the rooms: one that is added later has nothing up to this moment.
            now, room_ids = await together(self._log.now(), self._rooms_of(subscription))
            if room_ids <= subscription.rooms:
                return now, room_ids
            self._register.enter(subscription, room_ids)

    async def _rooms_of(self, subscription: Subscription) -> set[str]:
        """What it may follow now. Raises NotFound when that is a room that its user may not see."""
        if subscription.room_id is not None:
            await self._rooms.visible(subscription.user_id, subscription.room_id)
            return {subscription.room_id}
        return await self._rooms.ids_of_user(subscription.user_id)

    async def _concerning(
        self, subscription: Subscription, news: News, room_ids: set[str], after: int, upto: int
    ) -> list[MessageEvent | RoomEvent]:
        """Of what its logs have told, what is for a subscriber who may see these rooms."""
        events = [
            event
            for _, event in news.entries
            if isinstance(event, MessageEvent) or event.room_id in room_ids
        ]
        if subscription.is_bot and events:
            return await self._since_added(subscription, events, after, upto)
        return events

    async def _since_added(
        self, bot: Subscription, events: list[MessageEvent | RoomEvent], after: int, upto: int
    ) -> list[MessageEvent | RoomEvent]:
        """Without the messages of a room from before the bot was added to it: it is for what is
        said from then on."""
        upto += bot.margin
        news = await self._log.news([f"user:{bot.user_id}"], after, upto, limit=_MOST_ADDED)
        added = {
            event.room_id: event.position - bot.margin
            for _, event in news.entries
            if isinstance(event, RoomEvent)
        }
        return [
            event
            for event in events
            if isinstance(event, RoomEvent)
            or event.position > added.get(event.message.room_id, after)
        ]
