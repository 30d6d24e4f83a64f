"""The hub: from the channel of a process to the subscribers whom an event concerns.

The channel is a doorbell, the log is the truth. A ring names a room (or user) and a position; the
hub reads that log up to the position and hands each entry, once and in order, to the subscribers
who may see it. Replay and catching up after a broken connection are the same reading.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import suppress

from broadcaster import Broadcast
from broadcaster import Event as ChannelEvent

from services import keys
from services.bridge import Bridge
from services.channel import Connected, Published, RedisChannels
from services.cursors import Cursor
from services.errors import CursorExpired, Unavailable
from services.ids import is_room_id, is_user_id, private_members
from services.log import Log
from services.models import (
    CaughtUpEvent,
    Event,
    MessageEvent,
    PresenceEvent,
    RoomEvent,
)
from services.rooms import Rooms
from services.store import Store

_log = logging.getLogger(__name__)

_MAX_WAITING = 2_000
"""Events that wait for one subscriber before it is told to come back with its cursor."""

_PAUSE_AFTER_FAILURE = 0.2
"""Seconds until what a failed delivery left is read again."""

_EXPIRED = "The history after this cursor is no longer kept: reload."

Kinds = Collection[type[Event]]


class Subscription:
    """One subscriber: what it wants and what waits for it."""

    def __init__(self, user_id: str, room_id: str | None, kinds: Kinds) -> None:
        self.user_id = user_id
        self.room_id = room_id
        self.kinds = frozenset(kinds)
        self.rooms: set[str] = set() if room_id is None else {room_id}
        self.replayed: dict[str, int] = {}
        """Up to where the replay has told of each log; what is live begins after it."""
        self._waiting: deque[tuple[str, MessageEvent | RoomEvent | PresenceEvent]] = deque()
        self._wake = asyncio.Event()
        self._failure: Exception | None = None

    def put(self, log: str, event: MessageEvent | RoomEvent) -> None:
        if type(event) in self.kinds:
            self._append(log, event)

    def put_presence(self, event: PresenceEvent) -> None:
        if PresenceEvent in self.kinds:
            self._append("", event)

    def fail(self, failure: Exception) -> None:
        """End the stream with an error once what waits was taken."""
        self._failure = failure
        self._wake.set()

    async def take(self) -> Event:
        """The next event that the replay has not told of."""
        while True:
            while not self._waiting:
                if self._failure is not None:
                    raise self._failure
                self._wake.clear()
                await self._wake.wait()
            log, event = self._waiting.popleft()
            if isinstance(event, PresenceEvent) or event.position > self.replayed.get(log, 0):
                return event

    def _append(self, log: str, event: MessageEvent | RoomEvent | PresenceEvent) -> None:
        if self._failure is not None:
            return
        if len(self._waiting) >= _MAX_WAITING:
            self.fail(Unavailable("Events arrive faster than you read: resume with `after`."))
            return
        self._waiting.append((log, event))
        self._wake.set()


class Hub:
    """One per process. `open` before use; subscriptions end when it is closed."""

    def __init__(self, store: Store, log: Log, rooms: Rooms, bridge: Bridge) -> None:
        self._store = store
        self._log = log
        self._rooms = rooms
        self._bridge = bridge
        self._channels = RedisChannels(
            store.redis, (keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL, keys.SESSIONS_CHANNEL)
        )
        self._broadcast = Broadcast(backend=self._channels)
        self._tasks: list[asyncio.Task[None]] = []
        self._subscriptions: set[Subscription] = set()
        self._by_room: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._by_user: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._rung: dict[str, tuple[int, int]] = {}
        """Logs that rang since the last delivery: lowest and highest position."""
        self._told: dict[str, int] = {}
        """Position up to which each log with a subscriber was delivered."""
        self._newest = 0
        """Highest position delivered: in a log that is new to us, what is newer was missed."""
        self._missed = False
        self._envelopes: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.on_session_ended: Callable[[str], None] = lambda token_hash: None
        self.on_reconnected: Callable[[], Awaitable[None]] | None = None

    @property
    def is_connected(self) -> bool:
        return self._channels.connected.is_set()

    async def open(self) -> None:
        self._newest = await self._log.now()
        await self._broadcast.connect()
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub-listen"),
            asyncio.create_task(self._deliver_forever(), name="hub-deliver"),
        ]
        await self._channels.connected.wait()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._broadcast.disconnect()

    async def subscribe(
        self,
        user_id: str,
        kinds: Kinds,
        *,
        room_id: str | None = None,
        after: Cursor | None = None,
    ) -> AsyncGenerator[Event]:
        """Events that concern the user: first what is newer than `after`, then live ones.

        `room_id` narrows messages to one room; None means all rooms that the user is in. Between
        the two parts stands one CaughtUpEvent, for those who ask for that kind. Raises NotFound
        for a room that the user may not see, CursorExpired for a cursor of another store.
        """
        if room_id is not None:
            await self._rooms.visible(user_id, room_id)
        if after is not None and after.epoch != self._store.epoch:
            raise CursorExpired(_EXPIRED)
        start = await self._log.now()
        subscription = Subscription(user_id, room_id, kinds)
        try:
            await self._register(subscription)
            replayed = [] if after is None else await self._replay(subscription, after.position)
            for event in replayed:
                yield event
            if CaughtUpEvent in subscription.kinds:
                position = start if after is None else after.position
                if replayed:
                    position = max(position, replayed[-1].position)
                yield CaughtUpEvent(position, len(replayed))
            while True:
                yield await subscription.take()
        finally:
            self._unregister(subscription)

    async def check_epoch(self) -> None:
        """End every subscription if the store is another one than before."""
        if await self._store.read_epoch():
            for subscription in list(self._subscriptions):
                subscription.fail(CursorExpired(_EXPIRED))
            self._told.clear()
            self._newest = await self._log.now()

    async def _register(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)
        self._by_user[subscription.user_id].add(subscription)
        if subscription.room_id is None:
            subscription.rooms |= await self._rooms.ids_of_user(subscription.user_id)
        for room_id in subscription.rooms:
            self._by_room[room_id].add(subscription)
        logs = [f"room:{room_id}" for room_id in subscription.rooms]
        logs.append(f"user:{subscription.user_id}")
        for log, end in (
            await self._log.ends(log for log in logs if log not in self._told)
        ).items():
            self._told.setdefault(log, end)

    def _unregister(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._by_user[subscription.user_id].discard(subscription)
        if not self._by_user[subscription.user_id]:
            del self._by_user[subscription.user_id]
            self._told.pop(f"user:{subscription.user_id}", None)
        for room_id in subscription.rooms:
            self._by_room[room_id].discard(subscription)
            if not self._by_room[room_id]:
                del self._by_room[room_id]
                self._told.pop(f"room:{room_id}", None)

    async def _replay(
        self, subscription: Subscription, after: int
    ) -> list[MessageEvent | RoomEvent]:
        """What the logs hold after a position, in the order of the positions."""
        events: list[MessageEvent | RoomEvent] = []
        if MessageEvent in subscription.kinds:
            logs = await self._log.read_many(dict.fromkeys(subscription.rooms, after))
            for room_id, messages in logs.items():
                events += [MessageEvent(message) for message in messages]
                if messages:
                    subscription.replayed[f"room:{room_id}"] = messages[-1].position
        if RoomEvent in subscription.kinds:
            added = await self._log.rooms_added(subscription.user_id, after)
            events += [RoomEvent(position, room_id) for position, room_id in added]
            if added:
                subscription.replayed[f"user:{subscription.user_id}"] = added[-1][0]
        return sorted(events, key=lambda event: event.position)

    async def _listen(self) -> None:
        """Note what rang; never wait for a delivery, so that the connection is always read."""
        async with self._broadcast.subscribe(keys.MESSAGES_CHANNEL) as subscriber:
            while True:
                self._note(await subscriber.get())
                self._wake.set()

    def _note(self, event: ChannelEvent) -> None:
        if isinstance(event, Connected):
            self._missed = True
        elif not isinstance(event, Published):
            return
        elif event.source == keys.LOG_CHANNEL:
            self._ring(event.data)
        elif event.source == keys.SESSIONS_CHANNEL:
            self.on_session_ended(event.data.decode(errors="replace"))
        elif not self._bridge.is_rung(event.data):
            self._envelopes.append(event.data)

    def _ring(self, data: bytes) -> None:
        log, _, position = data.decode(errors="replace").partition(" ")
        kind, _, name = log.partition(":")
        known = {"room": is_room_id, "user": is_user_id}.get(kind)
        if known is None or not known(name) or not position.isdecimal() or len(position) > 18:
            _log.warning("Dropped a malformed ring on %s: %.80r", keys.LOG_CHANNEL, data)
            return
        low, high = self._rung.get(log, (int(position), int(position)))
        self._rung[log] = (min(low, int(position)), max(high, int(position)))

    async def _deliver_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._deliver()
                continue
            except Unavailable:
                pass  # The store went away under the reading.
            except Exception:
                _log.exception("Delivery failed; reading the logs again.")
            self._missed = True
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
            self._wake.set()

    async def _deliver(self) -> None:
        if self._missed:
            self._missed = False
            await self._catch_up()
        while self._envelopes:
            await self._receive(self._envelopes.popleft())
        rung, self._rung = self._rung, {}
        if rung:
            await self._deliver_logs(rung)

    async def _receive(self, envelope: bytes) -> None:
        """An envelope of the shared channel: presence goes to all, the rest rings when logged."""
        user_id = await self._bridge.receive(envelope)
        if user_id is not None:
            for subscription in self._subscriptions:
                subscription.put_presence(PresenceEvent(user_id))

    async def _deliver_logs(self, rung: dict[str, tuple[int, int]]) -> None:
        """Read the logs that rang and hand out their entries in the order of the positions."""
        entries: list[tuple[str, MessageEvent | RoomEvent]] = []
        rooms: dict[str, int] = {}
        upto = max(high for _, high in rung.values())
        for log, (low, _) in rung.items():
            kind, _, name = log.partition(":")
            after = self._told.get(log, low - 1)
            if kind == "room" and self._is_wanted(name):
                rooms[name] = after
            elif kind == "user" and name in self._by_user:
                added = await self._log.rooms_added(name, after)
                entries += [(log, RoomEvent(position, room_id)) for position, room_id in added]
        for room_id, messages in (await self._log.read_many(rooms, upto)).items():
            entries += [(f"room:{room_id}", MessageEvent(message)) for message in messages]
        allowed = await self._members({room_id for room_id in rooms if private_members(room_id)})
        for log, event in sorted(entries, key=lambda entry: entry[1].position):
            self._hand_out(log, event, allowed)
            self._told[log] = event.position
            self._newest = max(self._newest, event.position)

    def _is_wanted(self, room_id: str) -> bool:
        return room_id in self._by_room or any(
            user_id in self._by_user for user_id in private_members(room_id) or ()
        )

    async def _members(self, private_rooms: set[str]) -> dict[str, set[str]]:
        """Who of a private room's two users is in it now; asked for every delivery."""
        pipe = self._store.pipeline()
        asked = [
            (room_id, user_id)
            for room_id in private_rooms
            for user_id in private_members(room_id) or ()
            if user_id in self._by_user
        ]
        for room_id, user_id in asked:
            pipe.sismember(keys.user_rooms(user_id), room_id)
        replies = await self._store.execute(pipe) if asked else []
        members: dict[str, set[str]] = {room_id: set() for room_id in private_rooms}
        for (room_id, user_id), is_member in zip(asked, replies, strict=True):
            if is_member:
                members[room_id].add(user_id)
        return members

    def _hand_out(
        self, log: str, event: MessageEvent | RoomEvent, allowed: dict[str, set[str]]
    ) -> None:
        if isinstance(event, RoomEvent):
            for subscription in self._by_user.get(log.removeprefix("user:"), ()):
                if subscription.room_id is None:
                    subscription.rooms.add(event.room_id)
                    self._by_room[event.room_id].add(subscription)
                subscription.put(log, event)
            return
        room_id = event.message.room_id
        if room_id not in allowed:
            for subscription in self._by_room.get(room_id, ()):
                subscription.put(log, event)
            return
        for user_id in allowed[room_id]:
            for subscription in self._by_user.get(user_id, ()):
                if subscription.room_id in (None, room_id):
                    subscription.put(log, event)

    async def _catch_up(self) -> None:
        """After a (re)connection: find what was stored meanwhile and deliver it like the rest."""
        await self.check_epoch()
        if self.on_reconnected is not None:
            await self.on_reconnected()
        for subscription in list(self._subscriptions):
            if subscription.room_id is None:
                fresh = await self._rooms.ids_of_user(subscription.user_id) - subscription.rooms
                subscription.rooms |= fresh
                for room_id in fresh:
                    self._by_room[room_id].add(subscription)
        await self._log.ingest(list(self._by_room))
        logs = [f"room:{room_id}" for room_id in self._by_room]
        logs += [f"user:{user_id}" for user_id in self._by_user]
        ends = await self._log.ends(logs)
        missed = {
            log: (self._newest + 1, end)
            for log, end in ends.items()
            if end > self._told.get(log, self._newest)
        }
        if missed:
            await self._deliver_logs(missed)
