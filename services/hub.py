"""The hub: from the channel of a process to the subscribers whom an event concerns.

The channel is a doorbell, the log is the truth. A ring names a room (or user) and a position; the
hub reads that log up to the position and hands each entry, once and in order, to the subscribers
who may see it. Replay and catching up after a broken connection are the same reading.
"""

import asyncio
import logging
import re
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext

from broadcaster import Broadcast
from broadcaster import Event as ChannelEvent

from services import keys
from services.audience import Audience, Audiences, Followers, Group, grouped, tell
from services.bells import PRESENCE, Channels
from services.bridge import Bridge
from services.channel import Changed, Connected, Published, RedisChannels
from services.cursors import Cursor
from services.deliveries import Deliveries
from services.errors import CursorExpired, NotFound, Unavailable
from services.ids import is_room_id, is_user_id, private_members
from services.interest import Interest
from services.log import Entry, Log, News
from services.models import Event, Message, MessageEvent, PresenceEvent, RoomEvent
from services.rooms import Rooms
from services.sent import SentMessages
from services.store import Store
from services.stream import EventStream
from services.subscription import READ_LIMIT, Listener, LiveEvent, Subscription
from services.tasks import stop
from services.together import together

_log = logging.getLogger(__name__)

PAUSE_AFTER_FAILURE = 0.2
"""Seconds until what a failed delivery left is read again."""

CHECK_SECONDS = 2.0
"""How often is checked that nothing was missed, and that the store still has what was delivered."""

_MAX_ENVELOPES = 10_000
"""Envelopes that may wait; a flood of them is forgotten, and the store searched instead."""

_MOST_ADDED = 10_000
"""Rooms that a bot may be added to while it does not listen."""

_RUNG_LIMIT = 500
"""About how many entries of the logs that rang are read at a time."""

_READ_OF_EACH = 16

EXPIRED = "The history after this cursor is no longer kept: reload."
_NO_ROOM = "There is no such room."

_USER = re.compile(rb"user:([1-9][0-9]{0,17})(:rooms)?")

WATCHED_KEYS = ("user:", keys.EPOCH)
"""What the keys begin with whose changes are heard: records of users and their rooms, to notice who
leaves one; and the epoch."""

Kinds = Collection[type[Event]]


def _sources(channels: Channels) -> list[str]:
    """The channels that are heard all the time."""
    sources = {
        Channels.SHARED: [keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL],
        Channels.BOTH: [keys.MESSAGES_CHANNEL],
        Channels.SHARDED: [],
    }
    return [*sources[channels], keys.SESSIONS_CHANNEL]


class Hub:
    """One per process. `open` before use; subscriptions end when it is closed."""

    def __init__(
        self,
        store: Store,
        log: Log,
        rooms: Rooms,
        bridge: Bridge,
        server_id: str,
        channels: Channels,
    ) -> None:
        self._store = store
        self._log = log
        self._rooms = rooms
        self._bridge = bridge
        self._channels = RedisChannels(
            store,
            _sources(channels),
            () if store.is_cluster else WATCHED_KEYS,
        )
        self._broadcast = Broadcast(backend=self._channels)
        self._interest = Interest(channels, self._channels)
        self._has_presence_bell = not channels.envelopes
        has_echo = channels.is_sharded and not store.is_cluster
        self._echo = keys.echo(server_id) if has_echo else None
        """The channel on which the process hears itself, where it does not hear everybody."""
        self._said = 0
        """The present moment, as it was last said there."""
        self._echoed = 0
        """The one that came back last: all that rang before was heard."""
        self._notes: dict[str, Callable[[bytes], None]] = {
            keys.MESSAGES_CHANNEL: self._note_envelope,
            keys.PRESENCE_BELL: self._note_envelope,
            keys.SESSIONS_CHANNEL: self._note_session,
            keys.echo(server_id): self._note_echo,
        }
        """By channel; any other is a bell."""
        self._tasks: list[asyncio.Task[None]] = []
        self.audiences = Audiences()
        self.deliveries = Deliveries()
        self._subscriptions = Followers()
        self._bots: set[Subscription] = set()
        """Those of bots among them."""
        self._by_room: defaultdict[str, Followers] = defaultdict(Followers)
        self._by_user: defaultdict[str, Followers] = defaultdict(Followers)
        self._epoch = ""
        """The one that `_position` and the subscriptions' positions are of."""
        self._position = 0
        """Everything up to here was handed to those who may see it."""
        self._witness: Entry | None = None
        """The newest entry delivered: the store has it, or has lost something."""
        self._newest_ring = 0
        self._rung: defaultdict[str, set[int]] = defaultdict(set)
        """Positions by log that rang since the last delivery."""
        self._sent = SentMessages()
        self._is_gaining_rooms = False
        """A user's log has rung and is not handed out yet: what is followed is about to change."""
        self._envelopes: deque[bytes] = deque()
        self._moved: set[str] = set()
        """Users whose rooms have changed."""
        self._missed = False
        self._wake = asyncio.Event()
        self.on_session_ended: Callable[[str], None] = lambda token_hash: None
        self.on_users_changed: Callable[[Collection[str] | None], None] = lambda ids: None
        """None: any may have changed."""
        self.during_delivery: Callable[[Deliveries], AbstractContextManager[object]] = nullcontext
        """Entered while what rang together is delivered."""
        self.on_reconnected: Callable[[], Awaitable[None]] | None = None

    @property
    def is_connected(self) -> bool:
        return self._channels.connected.is_set()

    @property
    def hearing(self) -> int | None:
        """Under which connection `on_users_changed` is called for every change; None if not."""
        return self._channels.hearing

    @property
    def connections(self) -> int:
        """How often it has connected to the channels."""
        return self._channels.connections

    @property
    def received(self) -> int:
        """How many messages have come by the channels, whomever they concern."""
        return self._channels.received

    @property
    def unread(self) -> int:
        """How much was heard that is not noted yet, or waits as an envelope."""
        return self._channels.unread + len(self._envelopes)

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """Those that are open."""
        return list(self._subscriptions)

    async def open(self) -> None:
        self._epoch = self._store.epoch
        self._position = await self._log.now()
        if self._echo is not None:
            self._channels.follow(self._echo)
        await self._broadcast.connect()
        self._tasks = [
            asyncio.create_task(self._listen(), name="hub-listen"),
            asyncio.create_task(self._deliver_forever(), name="hub-deliver"),
            asyncio.create_task(self._check_forever(), name="hub-check"),
        ]
        await self._channels.connected.wait()

    async def close(self) -> None:
        if self._tasks:  # Else it was never opened.
            await stop(*self._tasks)
            await self._broadcast.disconnect()

    # Subscribing

    def subscribe(
        self,
        user_id: str,
        kinds: Kinds,
        *,
        room_id: str | None = None,
        after: Cursor | None = None,
    ) -> EventStream:
        """Events that concern the user: first what is newer than `after`, then live ones.

        `room_id` narrows messages to one room; None means all rooms that the user is in.
        """
        return EventStream(self, self._subscription(user_id, room_id, kinds), after)

    def _subscription(self, user_id: str, room_id: str | None, kinds: Kinds) -> Subscription:
        return Subscription(user_id, room_id, kinds)

    async def begin(self, subscription: Subscription, after: Cursor | None) -> None:
        """Begin a stream, to be unregistered in any case. Raises what ends it."""
        epoch = self._epoch
        if after is not None:
            await self._check_cursor(after)
        await self._register(subscription)
        if after is None:
            await self._until_heard(subscription)
            await subscription.begin_now(self._log)
            return
        await subscription.begin_after(self._log, after)
        if self._epoch != epoch:
            # Something was lost before the hub could have ended this subscription for it.
            await self._check_cursor(after)

    def join(
        self, subscription: Subscription, audience: Audience | None, listener: Listener | None
    ) -> None:
        """Tell a subscriber of what is live as part of an audience; of none, by itself again."""
        followed = [self._subscriptions, self._by_user[subscription.user_id]]
        followed += [self._by_room[room_id] for room_id in subscription.rooms]
        for followers in followed:
            followers.discard(subscription)
        subscription.audience, subscription.listener = audience, listener
        for followers in followed:
            followers.add(subscription)

    def leave(self, subscription: Subscription) -> None:
        if subscription.audience is not None:
            self.join(subscription, None, None)

    async def _check_cursor(self, cursor: Cursor) -> None:
        reach = await self._store.epochs.reach(self._store, cursor.epoch)
        if reach is None or cursor.position > reach:
            raise CursorExpired(EXPIRED)

    async def _register(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)
        self._by_user[subscription.user_id].add(subscription)
        for name in self._bells_beside_rooms(subscription):
            self._interest.want(name, subscription)
        # Rooms that are added after those that are read now ring.
        await self._until_heard(subscription)
        room_ids, subscription.is_bot = await together(
            self._rooms_of(subscription), self._rooms.is_bot(subscription.user_id)
        )
        subscription.rooms |= room_ids
        self._add_to_rooms(subscription, subscription.rooms)
        if subscription.is_bot:
            self._bots.add(subscription)

    def _bells_of(self, subscription: Subscription) -> Iterator[str]:
        """What it has to hear ring."""
        yield from self._bells_beside_rooms(subscription)
        for room_id in subscription.rooms:
            yield f"room:{room_id}"

    def _bells_beside_rooms(self, subscription: Subscription) -> Iterator[str]:
        if subscription.needs_user_log:
            yield f"user:{subscription.user_id}"
        if self._has_presence_bell and PresenceEvent in subscription.kinds:
            yield PRESENCE

    async def _until_heard(self, subscription: Subscription) -> None:
        """Wait until all its bells are heard; also those of rooms that it gains meanwhile."""
        while unheard := self._interest.unheard(self._bells_of(subscription)):
            await self._interest.heard(unheard)

    def unregister(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._bots.discard(subscription)
        self._by_user[subscription.user_id].discard(subscription)
        if not self._by_user[subscription.user_id]:
            del self._by_user[subscription.user_id]
        for name in self._bells_beside_rooms(subscription):
            self._interest.unwant(name, subscription)
        self._remove_from_rooms(subscription, subscription.rooms)

    def _add_to_rooms(self, subscription: Subscription, room_ids: Iterable[str]) -> None:
        for room_id in room_ids:
            self._by_room[room_id].add(subscription)
            self._interest.want(f"room:{room_id}", subscription)

    def _remove_from_rooms(self, subscription: Subscription, room_ids: Iterable[str]) -> None:
        for room_id in room_ids:
            self._by_room[room_id].discard(subscription)
            self._interest.unwant(f"room:{room_id}", subscription)
            if not self._by_room[room_id]:
                del self._by_room[room_id]

    async def read_on(self, subscription: Subscription) -> list[MessageEvent | RoomEvent]:
        """The next of what the logs hold after the subscription's position, not all at once: it is
        behind until there is no more. Live events wait from before the reading on."""
        since = subscription.since
        subscription.follow()
        now, room_ids = await self._present(subscription)
        # Not those rooms that it only has had: nothing of what was taken away is told again.
        news = await subscription.read(self._log, room_ids, since, now)
        events = await self._concerning(subscription, news, room_ids, since, now)
        subscription.note_read(news, now)
        if not news.is_all:
            subscription.fall_behind()
        return events

    async def _present(self, subscription: Subscription) -> tuple[int, set[str]]:
        """The present moment and the subscription's rooms, all of which are heard."""
        while True:
            await self._until_heard(subscription)
            # The clock before the rooms: one that is added later has nothing up to this moment.
            now, room_ids = await together(self._log.now(), self._rooms_of(subscription))
            if room_ids <= subscription.rooms:
                return now, room_ids
            subscription.rooms |= room_ids
            self._add_to_rooms(subscription, room_ids)

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

    async def _rooms_of(self, subscription: Subscription) -> set[str]:
        """What it may follow now. Raises NotFound when that is a room that its user may not see."""
        if subscription.room_id is not None:
            await self._rooms.visible(subscription.user_id, subscription.room_id)
            return {subscription.room_id}
        return await self._rooms.ids_of_user(subscription.user_id)

    # Listening

    async def _listen(self) -> None:
        """Note what rang; never wait for a delivery, so that the connection is always read."""
        async with self._broadcast.subscribe(keys.MESSAGES_CHANNEL) as subscriber:
            while True:
                self._note(await subscriber.get())
                self._wake.set()

    def _note(self, event: ChannelEvent) -> None:
        if isinstance(event, Connected):
            self._missed = True
        elif isinstance(event, Changed):
            self._note_changes(event.keys)
        elif isinstance(event, Published):
            self._notes.get(event.source, self._ring)(event.data)

    def _note_session(self, data: bytes) -> None:
        self.on_session_ended(data.decode(errors="replace"))

    def _note_echo(self, data: bytes) -> None:
        if data == b"%d" % self._said:
            self._echoed = self._said
            self._newest_ring = max(self._newest_ring, self._said)

    def _note_envelope(self, data: bytes) -> None:
        if not self._bridge.is_rung(data):
            self._envelopes.append(data)
            if len(self._envelopes) > _MAX_ENVELOPES:
                _log.warning("Too many envelopes at once: searching the store instead.")
                self._envelopes.clear()
                self._missed = True

    def _note_changes(self, changed: list[bytes] | None) -> None:
        if changed is None or keys.EPOCH.encode() in changed:
            self._missed = True
            self.on_users_changed(None)
        matches = [match for key in changed or () if (match := _USER.fullmatch(key))]
        self._moved |= {match[1].decode() for match in matches if match[2]}
        self.on_users_changed([match[1].decode() for match in matches if not match[2]])

    def _ring(self, data: bytes) -> None:
        log, _, position = data.decode(errors="replace").partition(" ")
        kind, _, name = log.partition(":")
        known = {"room": is_room_id, "user": is_user_id}.get(kind)
        if known is None or not known(name) or not position.isdecimal() or len(position) > 18:
            _log.warning("Dropped a malformed ring: %.80r", data)
            return
        self._newest_ring = max(self._newest_ring, int(position))
        if self._is_wanted(kind, name):
            self._rang(log, int(position))

    def _rang(self, log: str, position: int) -> None:
        self._rung[log].add(position)
        self._is_gaining_rooms |= log.startswith("user:")
        self.deliveries.ring()

    def _is_wanted(self, kind: str, name: str) -> bool:
        if kind == "user":
            return name in self._by_user
        return (
            self._is_gaining_rooms
            or name in self._by_room
            or any(user_id in self._by_user for user_id in private_members(name) or ())
        )

    def note_sent(self, message: Message, previous: int) -> None:
        """This process has sent a message, which stands after the position `previous` in its log:
        when it rings, it need not be read."""
        if message.position > self._position and self._is_wanted("room", message.room_id):
            self._sent.add(message, previous)

    # Delivering

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
            await asyncio.sleep(PAUSE_AFTER_FAILURE)
            self._wake.set()

    async def _deliver(self) -> None:
        """Work off what was noted. What was missed goes first: it is older than what rang since."""
        while self._missed or self._rung or self._moved or self._envelopes:
            if self._missed:
                self._missed = False
                await self._catch_up()
                self.deliveries.done()
            elif self._moved:
                moved, self._moved = self._moved, set()
                await self._recheck_rooms(moved)
            elif self._rung:
                rung, self._rung = self._rung, defaultdict(set)
                self.deliveries.take()
                with self.during_delivery(self.deliveries):
                    await self._deliver_rung(rung)
                self.deliveries.done()
                self._is_gaining_rooms = any(log.startswith("user:") for log in self._rung)
            else:
                envelopes, self._envelopes = self._envelopes, deque()
                await self._receive(envelopes)
        self._position = max(self._position, self._echoed)

    async def _deliver_rung(self, rung: dict[str, set[int]]) -> None:
        """Hand out the entries of the logs that rang, in the order of the positions."""
        entries = self._sent.take(rung, self._position)
        if entries is None:
            entries = await self._read(rung)
        # A ring is true when its log has that entry. Whatever rings earlier has then been heard:
        # up to the newest true ring nothing is missing. What was read beyond will ring itself.
        heard = max(
            (event.position for log, event in entries if event.position in rung[log]),
            default=self._position,
        )
        await self._hand_out([entry for entry in entries if entry[1].position <= heard])
        self._position = max(self._position, heard)

    async def _read(self, rung: dict[str, set[int]]) -> list[Entry]:
        """What the logs that rang hold since the last delivery."""
        entries: list[Entry] = []
        upto, is_all = self._position, False
        # So many of each that a log seldom has more: one that has holds up the others.
        limit = max(_RUNG_LIMIT, _READ_OF_EACH * len(rung))
        while not is_all:
            news = await self._log.news(rung, upto, limit=limit)
            entries += news.entries
            upto, is_all = news.upto, news.is_all
        return entries

    async def _hand_out(self, entries: list[Entry]) -> None:
        rooms = {event.message.room_id for _, event in entries if isinstance(event, MessageEvent)}
        private = {room_id for room_id in rooms if private_members(room_id)}
        allowed, _ = await together(self._members(private), self._drop_bots(rooms - private))
        told: list[tuple[LiveEvent, list[Group]]] = []
        for log, event in entries:
            if isinstance(event, RoomEvent):
                groups = self._followers_of_user(log.removeprefix("user:"), event)
            elif event.message.room_id in allowed:
                groups = self._members_among(event, allowed[event.message.room_id])
            else:
                groups = self._groups(self._by_room, event.message.room_id)
            told.append((event, groups))
        await self._tell(told)
        if entries:
            self._witness = entries[-1]

    async def _tell(self, events: list[tuple[LiveEvent, list[Group]]]) -> None:
        for subscription in await tell(events, self.deliveries):
            self.leave(subscription)

    @staticmethod
    def _groups(followers: dict[str, Followers], name: str) -> list[Group]:
        return followers[name].groups() if name in followers else []

    def _followers_of_user(self, user_id: str, event: RoomEvent) -> list[Group]:
        for subscription in self._by_user.get(user_id, ()):
            if subscription.room_id is None:
                subscription.gain(event)
                self._follow_rooms(subscription, {event.room_id})
        return self._groups(self._by_user, user_id)

    def _follow_rooms(self, subscription: Subscription, room_ids: set[str]) -> None:
        """Rooms have come to those of a subscription that may be live."""
        subscription.rooms |= room_ids
        self._add_to_rooms(subscription, room_ids)
        if self._interest.unheard(f"room:{room_id}" for room_id in room_ids):
            # It has to read what is said there until they are heard, and what all follows that.
            subscription.reach(self._position)
            subscription.miss()

    def _members_among(self, event: MessageEvent, members: set[str]) -> list[Group]:
        """Those who follow a private room and are in it now; who is not, is told so."""
        room_id = event.message.room_id
        for subscription in self._by_room.get(room_id, ()):
            if subscription.room_id == room_id and subscription.user_id not in members:
                subscription.fail(NotFound(_NO_ROOM))
        return grouped(
            subscription
            for user_id in members
            for subscription in self._by_user.get(user_id, ())
            if subscription.room_id in (None, room_id)
        )

    async def _drop_bots(self, public_rooms: set[str]) -> None:
        """Part rooms from bots that are not in them any more; asked for every delivery."""
        asked = [(bot, room_id) for bot in self._bots for room_id in bot.rooms & public_rooms]
        pipe = self._store.pipeline()
        for bot, room_id in asked:
            pipe.add("SISMEMBER", keys.user_rooms(bot.user_id), room_id)
        replies = await self._store.execute(pipe) if asked else []
        for (bot, room_id), is_member in zip(asked, replies, strict=True):
            if is_member:
                continue
            if bot.room_id == room_id:
                bot.fail(NotFound(_NO_ROOM))
            self._remove_from_rooms(bot, [room_id])
            bot.rooms.discard(room_id)

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
            pipe.add("SISMEMBER", keys.user_rooms(user_id), room_id)
        replies = await self._store.execute(pipe) if asked else []
        members: dict[str, set[str]] = {room_id: set() for room_id in private_rooms}
        for (room_id, user_id), is_member in zip(asked, replies, strict=True):
            if is_member:
                members[room_id].add(user_id)
        return members

    async def _receive(self, envelopes: Collection[bytes]) -> None:
        """Envelopes of the shared channel: presence goes to all, the rest rings when logged."""
        try:
            present = await self._bridge.receive(envelopes)
        except Unavailable:
            # They wait until the store is back: presence is in no log to be read again.
            self._envelopes = deque([*envelopes, *self._envelopes])
            raise
        everybody = self._subscriptions.groups(PresenceEvent) if present else []
        await self._tell([(PresenceEvent(user_id), everybody) for user_id in present])

    # Checking

    async def _recheck_rooms(self, user_ids: Iterable[str]) -> None:
        """End what follows a room that its user is no longer in."""
        watched = [user_id for user_id in user_ids if user_id in self._by_user]
        found = await asyncio.gather(*(self._rooms.ids_of_user(user_id) for user_id in watched))
        for user_id, room_ids in zip(watched, found, strict=True):
            for subscription in list(self._by_user.get(user_id, ())):
                self._keep_to_rooms(subscription, room_ids)

    def _keep_to_rooms(self, subscription: Subscription, room_ids: set[str]) -> None:
        if subscription.room_id is not None:
            has_to_be_in = subscription.is_bot or private_members(subscription.room_id)
            if has_to_be_in and subscription.room_id not in room_ids:
                subscription.fail(NotFound(_NO_ROOM))
            return
        self._remove_from_rooms(subscription, subscription.rooms - room_ids)
        added = room_ids - subscription.rooms
        subscription.rooms = room_ids - added
        # What a bot gains its own log tells, in the right order with the messages.
        if not subscription.is_bot:
            self._follow_rooms(subscription, added)

    async def _catch_up(self) -> None:
        """After a (re)connection: find what was stored meanwhile and deliver it like the rest."""
        self.deliveries.catch_ups += 1
        self._sent.forget()
        await self._check_epoch()
        if self.on_reconnected is not None:
            await self.on_reconnected()
        await self._recheck_rooms(list(self._by_user))
        await self._log.ingest(list(self._by_room))
        self._wake_bots()
        is_all = False
        while not is_all:
            logs = [f"room:{room_id}" for room_id in self._by_room]
            logs += [f"user:{user_id}" for user_id in self._by_user]
            news = await self._log.news(logs, self._position, limit=READ_LIMIT * (len(logs) + 1))
            await self._hand_out(news.entries)
            self._position, is_all = max(self._position, news.upto), news.is_all
        self._newest_ring = self._position

    def _wake_bots(self) -> None:
        """Have them read on, each of what it was added to meanwhile."""
        for bot in self._bots:
            bot.miss()

    async def _check_epoch(self) -> None:
        """End every subscription that has seen what the store does not have any more."""
        epochs = self._store.epochs
        await epochs.refresh(self._store)
        if await self._has_lost_something():
            await epochs.refresh(self._store, lost=self._epoch)
        if epochs.current == self._epoch:
            return
        epoch = epochs.current
        reach = await epochs.reach(self._store, self._epoch)
        now = await self._log.now()
        for subscription in self._subscriptions:
            if reach is None or subscription.position > reach:
                subscription.fail(CursorExpired(EXPIRED))
        self._position = min(self._position, now if reach is None else reach)
        self._newest_ring = self._position
        self._said = self._echoed = 0
        self._witness = None
        self._epoch = epoch

    async def _has_lost_something(self) -> bool:
        """Whether something that was delivered in this epoch is not there."""
        if self._store.epoch != self._epoch:
            return False
        position, witness = self._position, self._witness
        if await self._log.now() < position:
            return True
        if witness is None:
            return False
        log, event = witness
        return not await self._log.has(log, event.position)

    async def _check_forever(self) -> None:
        """Every now and then: is the store the one it was, did everything ring that it has?

        A connection to a server that has been replaced, say, is alive and silent.
        """
        before = self._position
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._interest.sweep()
            try:
                await self._store.epochs.refresh(self._store)
                is_other = self._store.epoch != self._epoch or await self._has_lost_something()
                ring = self._newest_ring
                now = await self._log.now()
                if self._echo is not None:
                    self._said = now
                    await self._store.call("SPUBLISH", self._echo, now)
            except Unavailable:
                continue
            if is_other or not before <= ring <= now:
                self._missed = True
                self._wake.set()
            before = now
