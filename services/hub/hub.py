"""The hub: from the channels of a process to the subscribers whom an event concerns.

The channel is a doorbell, the log is the truth. The ear notes what rings; the logs that rang are
read, and each entry is handed out, once and in order, to those of its followers who may see it.
Replay and catching up after a broken connection are the same reading.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from services import keys
from services.bridge import Bridge
from services.cursors import Cursor
from services.errors import Unavailable
from services.hub.attendance import Attendance
from services.hub.audience import Audiences
from services.hub.bells import Channels
from services.hub.channel import RedisChannels
from services.hub.checks import Checks
from services.hub.cluster_checks import ClusterChecks
from services.hub.cluster_delivery import ClusterDelivery
from services.hub.deliveries import Deliveries
from services.hub.delivery import Delivery
from services.hub.ear import WATCHED_KEYS, Ear
from services.hub.echo import Echo
from services.hub.handout import Handout
from services.hub.interest import Interest
from services.hub.many_clocks import ManyClocks
from services.hub.membership import Membership
from services.hub.one_clock import OneClock
from services.hub.register import Register
from services.hub.replay import Replay
from services.hub.spread import Spread
from services.hub.stream import EventStream
from services.hub.subscription import Subscription
from services.hub.watches import Watches
from services.log import Log
from services.models import Event, Message
from services.presence import PresenceService
from services.redis.store import Store
from services.rooms import Rooms
from services.tasks import stop

_log = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE = 0.2
"""Seconds until what a failed delivery left is read again."""

Kinds = Collection[type[Event]]


class Clocks(Protocol):
    """What depends on whether one clock orders all logs, or each has its own: delivery, checks."""

    subscription: type[Subscription]

    @property
    def hearing(self) -> int | None:
        """The number of the connection on which changed keys are heard; None without any."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def check_forever(self) -> None:
        """Have the ear note when something was missed."""

    async def work(self) -> None:
        """Work off what the ear has noted."""

    def note_sent(self, message: Message, previous: int) -> None:
        """This process has sent a message, which stands after a position in its log."""


class Hub:
    """One per process. `open` before use; subscriptions end when it is closed."""

    def __init__(
        self,
        store: Store,
        log: Log,
        rooms: Rooms,
        bridge: Bridge,
        presence: PresenceService,
        server_id: str,
        channels: Channels,
    ) -> None:
        self._store = store
        self._log = log
        self.audiences = Audiences()
        self.deliveries = Deliveries()
        # The servers of a cluster tell of their changed keys and ring their bells each by itself.
        spread = Spread(lambda: store.owners) if store.is_cluster else None
        watched = () if spread is not None else WATCHED_KEYS
        self._channels = RedisChannels(store, _sources(channels), watched)
        interest = Interest(channels, spread or self._channels)
        attendance = Attendance(presence)
        self.register = Register(interest, attendance, has_presence_bell=not channels.envelopes)
        self.ear = Ear(self._channels, self.register, Echo(store, channels, server_id))
        self.replay = Replay(store, log, rooms, attendance, self.register)
        self._membership = Membership(store, rooms, self.register)
        self._handout = Handout(
            bridge, attendance, self.register, self._membership, self.deliveries
        )
        self._clocks = self._one_clock() if spread is None else self._many_clocks(spread)
        self.note_sent = self._clocks.note_sent
        self._tasks: list[asyncio.Task[None]] = []
        self.during_delivery: Callable[[Deliveries], AbstractContextManager[object]] = nullcontext
        """Entered while what rang together is delivered."""
        self.on_reconnected: Callable[[], Awaitable[None]] | None = None

    def _one_clock(self) -> Clocks:
        ear, register, handout = self.ear, self.register, self._handout
        delivery = Delivery(self._log, register, handout, self.deliveries, self._delivering)
        checks = Checks(self._store, self._log, ear, register, handout, delivery, self._renew)
        ear.on_ring = delivery.ring
        return OneClock(ear, self._membership, handout, delivery, checks)

    def _many_clocks(self, spread: Spread) -> Clocks:
        ear, register, handout = self.ear, self.register, self._handout
        delivery = ClusterDelivery(self._log, register, handout, self.deliveries, self._delivering)
        checks = ClusterChecks(self._store, self._log, ear, register, delivery, self._renew)
        watches = Watches(self._store, spread, ear.note, delivery.read_astray)
        ear.on_ring = delivery.ring
        register.on_gained = delivery.read_rooms
        return ManyClocks(ear, self._membership, handout, delivery, checks, watches)

    @property
    def is_connected(self) -> bool:
        return self._channels.connected.is_set()

    @property
    def hearing(self) -> int | None:
        """Under which connection the ear's `on_users_changed` is called for every change; None if
        it is not."""
        return self._clocks.hearing

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
        return self.ear.unread

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """Those that are open."""
        return list(self.register.subscriptions)

    async def open(self) -> None:
        self.register.epoch = self._store.epoch
        await self._clocks.open()
        await self.ear.open()
        self._tasks = [
            asyncio.create_task(self.ear.listen(), name="hub-listen"),
            asyncio.create_task(self._work_forever(), name="hub-work"),
            asyncio.create_task(self._clocks.check_forever(), name="hub-check"),
        ]
        await self._channels.connected.wait()

    async def close(self) -> None:
        if self._tasks:  # Else it was never opened.
            await stop(*self._tasks)
            await self.ear.close()
            await self._clocks.close()

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
        return EventStream(self, self._clocks.subscription(user_id, room_id, kinds), after)

    async def _work_forever(self) -> None:
        while True:
            await self.ear.noted.wait()
            self.ear.noted.clear()
            try:
                await self._clocks.work()
                continue
            except Unavailable:
                pass  # The store went away under the reading.
            except Exception:
                _log.exception("Delivery failed; reading the logs again.")
            self.ear.has_missed = True
            await asyncio.sleep(_PAUSE_AFTER_FAILURE)
            self.ear.noted.set()

    def _delivering(self) -> AbstractContextManager[object]:
        return self.during_delivery(self.deliveries)

    async def _renew(self) -> None:
        """After a (re)connection: what else may have happened that nobody has heard of."""
        if self.on_reconnected is not None:
            await self.on_reconnected()
        await self._membership.recheck(list(self.register.by_user))
        await self._log.ingest(list(self.register.by_room))
        self.register.wake_bots()
        await self._handout.find_unheard_presence()


def _sources(channels: Channels) -> list[str]:
    """The channels that are heard all the time."""
    sources = {
        Channels.SHARED: [keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL],
        Channels.BOTH: [keys.MESSAGES_CHANNEL],
        Channels.SHARDED: [],
    }
    return [*sources[channels], keys.SESSIONS_CHANNEL]
