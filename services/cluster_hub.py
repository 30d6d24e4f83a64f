"""The hub on a Redis Cluster, where each log has a clock of its own (docs/decisions/0016).

No one number says how far anybody has come, so that is kept for each log, and each log is read and
handed out by itself: while one server of the cluster is away, what the others have goes on.

Every now and then all logs are found to have been handed out up to some moment. Live events tell by
their `doubt` how long before them that was. A subscription that resumes after one reads all logs
from that moment on, and the one that the event is of from the event on. So nothing is left out, and
what comes again is what may not have come before.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from services import keys
from services.bells import Channels, bell
from services.bridge import Bridge
from services.channel import RedisChannels
from services.cluster_subscription import MARGIN, ClusterSubscription
from services.errors import CursorExpired, Unavailable
from services.hub import (
    CHECK_SECONDS,
    EXPIRED,
    PAUSE_AFTER_FAILURE,
    WATCHED_KEYS,
    Hub,
    Kinds,
)
from services.interest import Interest
from services.log import Entry, Log
from services.models import Message
from services.rooms import Rooms
from services.sentinels import Place
from services.spread import Spread
from services.store import Store
from services.subscription import Subscription
from services.tasks import stop

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.25
"""How often is looked whether other servers have keys now."""


class _Watch(NamedTuple):
    """One server, whose changed keys are heard."""

    channels: RedisChannels
    noting: asyncio.Task[None]


class ClusterHub(Hub):
    """As Hub; for a store that is a cluster."""

    def __init__(
        self,
        store: Store,
        log: Log,
        rooms: Rooms,
        bridge: Bridge,
        server_id: str,
        channels: Channels,
    ) -> None:
        super().__init__(store, log, rooms, bridge, server_id, channels)
        self._spread = Spread(lambda: store.owners)
        self._interest = Interest(channels, self._spread)
        self._reached: dict[str, int] = {}
        """Up to which position each log was handed out, of those that somebody follows."""
        self._unread: dict[str, int] = {}
        """Logs that may have something new; and up to which position that is known to be."""
        self._reading: dict[str, asyncio.Task[None]] = {}
        """What reads a log, and hands out what it finds."""
        self._rung_at: dict[str, float] = {}
        """When each log first rang of those that have not been handed out since."""
        self._watches: dict[Place, _Watch] = {}
        """Of the servers that have keys."""
        self._changes = 0
        """How often others have taken their places."""
        self._sound = 0
        """The moment before which everything was handed out, of all logs."""

    async def open(self) -> None:
        self._sound = await self._log.now()
        await super().open()
        self._tasks.append(asyncio.create_task(self._watch_forever(), name="hub-watch"))

    async def close(self) -> None:
        await stop(*self._reading.values())
        await super().close()
        for place in list(self._watches):
            await self._unwatch(place)

    @property
    def hearing(self) -> int | None:
        """As of Hub: changes are heard where all servers are that have keys."""
        watches = self._watches.values()
        if self._watches.keys() != self._store.primaries or any(
            watch.channels.hearing is None for watch in watches
        ):
            return None
        # Another number with each connection, and with each change of the servers.
        return self._changes << 32 | sum(watch.channels.connections for watch in watches)

    def _subscription(self, user_id: str, room_id: str | None, kinds: Kinds) -> Subscription:
        return ClusterSubscription(user_id, room_id, kinds)

    def _add_to_rooms(self, subscription: Subscription, room_ids: Iterable[str]) -> None:
        room_ids = list(room_ids)
        super()._add_to_rooms(subscription, room_ids)
        for room_id in room_ids:
            # From here on, however far the other logs have come when this one first rings.
            self._reached.setdefault(f"room:{room_id}", self._sound - MARGIN)

    # Delivering

    def _rang(self, log: str, position: int) -> None:
        if position > self._place(log):
            self._rung_at.setdefault(log, time.perf_counter())
            self.deliveries.wait_since(min(self._rung_at.values()))
            self._read_soon(log)

    def note_sent(self, message: Message, previous: int) -> None:
        """It is read like all others."""

    def _place(self, log: str) -> int:
        """The position after which a log may have something that was not handed out."""
        return self._reached.get(log, self._sound - MARGIN)

    def _read_soon(self, log: str, upto: int = 0) -> None:
        """Have what is new in a log handed out; it is known to reach so far."""
        self._unread[log] = max(upto, self._unread.get(log, 0))
        if log not in self._reading:
            self._reading[log] = asyncio.create_task(
                self._keep_reading(log), name=f"hub-read-{log}"
            )

    async def _keep_reading(self, log: str) -> None:
        """Until nothing is new, so that no two hand out the same."""
        try:
            while log in self._unread:
                upto = self._unread.pop(log)
                try:
                    await self._hand_out_news(log, upto)
                    continue
                except Unavailable:
                    pass  # A server of the cluster is away.
                except Exception:
                    _log.exception("Delivery of %s failed; reading it again.", log)
                self._unread[log] = max(upto, self._unread.get(log, 0))
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
        finally:
            del self._reading[log]

    async def _hand_out_news(self, log: str, upto: int) -> None:
        is_all = False
        while not is_all:
            news = await self._log.news_of_each({log: self._place(log)})
            with self.during_delivery(self.deliveries):
                await self._hand_out([self._told(entry) for entry in news.entries])
            if news.entries:
                self._reached[log] = news.entries[-1][1].position
            is_all = news.is_all
        # Also beyond what nobody can read.
        self._reached[log] = max(upto, self._place(log))
        if (rung_at := self._rung_at.pop(log, None)) is not None:
            self.deliveries.delays.add(time.perf_counter() - rung_at)
            self.deliveries.wait_since(min(self._rung_at.values(), default=None))

    def _told(self, entry: Entry) -> Entry:
        log, event = entry
        return log, replace(event, doubt=max(0, event.position - self._sound))

    def _followed(self) -> set[str]:
        return {
            *(f"room:{room_id}" for room_id in self._by_room),
            *(f"user:{user_id}" for user_id in self._by_user),
        }

    def _follow_rooms(self, subscription: Subscription, room_ids: set[str]) -> None:
        super()._follow_rooms(subscription, room_ids)
        for room_id in room_ids:
            # It may have rung when nobody followed it.
            self._read_soon(f"room:{room_id}")

    # Watching the keys

    async def _watch_forever(self) -> None:
        """Hear of changed keys from every server that has some: each tells of its own only."""
        while True:
            primaries = set(self._store.primaries)
            for place in self._watches.keys() - primaries:
                await self._unwatch(place)
            for place in primaries - self._watches.keys():
                channels = RedisChannels(self._store, (), WATCHED_KEYS, at=place)
                await channels.subscribe(keys.MESSAGES_CHANNEL)
                noting = asyncio.create_task(self._note_all(channels), name="hub-note")
                self._watches[place] = _Watch(channels, noting)
                self._spread.add(place, channels)
                self._changes += 1
            self._settle()
            await asyncio.sleep(_WATCH_SECONDS)

    def _settle(self) -> None:
        """Listen to bells where their slots are now, and read what may have rung meanwhile."""
        if astray := set(self._spread.settle()):
            for log in self._followed():
                if bell(log) in astray:
                    self._read_soon(log)

    async def _unwatch(self, place: Place) -> None:
        watch = self._watches.pop(place)
        self._spread.remove(place)
        self._changes += 1
        await stop(watch.noting)
        await watch.channels.disconnect()

    async def _note_all(self, channels: RedisChannels) -> None:
        while True:
            self._note(await channels.next_published())
            self._wake.set()

    # Checking

    async def _catch_up(self) -> None:
        self.deliveries.catch_ups += 1
        await self._check_epoch()
        for log in self._followed():
            self._read_soon(log)
        if self.on_reconnected is not None:
            await self.on_reconnected()
        await self._recheck_rooms(list(self._by_user))
        await self._log.ingest(list(self._by_room))
        self._wake_bots()

    async def _check_epoch(self) -> None:
        """End every subscription when the cluster was emptied."""
        epochs = self._store.epochs
        await epochs.refresh(self._store)
        if epochs.current == self._epoch:
            return
        for subscription in self._subscriptions:
            subscription.fail(CursorExpired(EXPIRED))
        self._reached.clear()
        self._sound = await self._log.now()
        self._epoch = epochs.current

    async def _check_forever(self) -> None:
        """Every now and then: was everything handed out that the logs had at the last check?"""
        moment, due = self._sound, dict[str, int]()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._interest.sweep()
            try:
                await self._store.epochs.refresh(self._store)
                now = await self._log.now()
                # All that are followed now: each of them counts up to this moment.
                clocks = await self._log.clocks(self._followed())
            except Unavailable:
                continue
            followed = self._followed()
            if self._store.epoch != self._epoch:
                self._missed = True
                self._wake.set()
            if all(self._place(log) >= due[log] for log in due.keys() & followed):
                self._sound = moment
            self._reached = {log: at for log, at in self._reached.items() if log in followed}
            for log, clock in clocks.items():
                if clock > self._place(log):
                    self._read_soon(log, clock)
            moment, due = now, clocks
