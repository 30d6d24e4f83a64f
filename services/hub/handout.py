"""The handout: whom an entry of a log, or that somebody comes or goes, is told."""

from collections.abc import Collection, Iterable

from services.bridge import Bridge
from services.errors import NotFound
from services.hub.attendance import Attendance
from services.hub.audience import Followers, Group, grouped, tell
from services.hub.deliveries import Deliveries
from services.hub.membership import NO_ROOM, Membership
from services.hub.register import Register
from services.hub.subscription import LiveEvent
from services.ids import private_members
from services.log import Entry
from services.models import MessageEvent, PresenceEvent, RoomEvent
from services.together import together


class Handout:
    def __init__(
        self,
        bridge: Bridge,
        attendance: Attendance,
        register: Register,
        membership: Membership,
        deliveries: Deliveries,
    ) -> None:
        self._bridge = bridge
        self._attendance = attendance
        self._register = register
        self._membership = membership
        self._deliveries = deliveries
        self.newest: Entry | None = None
        """The newest entry handed out: the store has it, or has lost something."""

    async def hand_out(self, entries: list[Entry]) -> None:
        """Tell of entries in their order, each those of its followers who may see it."""
        rooms = {event.message.room_id for _, event in entries if isinstance(event, MessageEvent)}
        private = {room_id for room_id in rooms if private_members(room_id)}
        allowed, _ = await together(
            self._membership.of(private), self._membership.part_bots(rooms - private)
        )
        told: list[tuple[LiveEvent, list[Group]]] = []
        for log, event in entries:
            if isinstance(event, RoomEvent):
                groups = self._followers_of_user(log.removeprefix("user:"), event)
            elif event.message.room_id in allowed:
                groups = self._members_among(event, allowed[event.message.room_id])
            else:
                groups = _groups(self._register.by_room, event.message.room_id)
            told.append((event, groups))
        await self._tell(told)
        if entries:
            self.newest = entries[-1]

    async def receive(self, envelopes: Iterable[bytes]) -> None:
        """Envelopes of the shared channel: presence goes to all, the rest rings when logged."""
        present = await self._bridge.receive(envelopes)
        self._attendance.note(present)
        await self._tell_of_presence(present)

    async def find_unheard_presence(self) -> None:
        """Tell of those who came or went while it was not heard."""
        await self._tell_of_presence(await self._attendance.unheard())

    async def _tell_of_presence(self, user_ids: Collection[str]) -> None:
        everybody = self._register.subscriptions.groups(PresenceEvent) if user_ids else []
        await self._tell([(PresenceEvent(user_id), everybody) for user_id in user_ids])

    async def _tell(self, events: list[tuple[LiveEvent, list[Group]]]) -> None:
        for subscription in await tell(events, self._deliveries):
            self._register.leave(subscription)

    def _followers_of_user(self, user_id: str, event: RoomEvent) -> list[Group]:
        for subscription in self._register.by_user.get(user_id, ()):
            if subscription.room_id is None:
                subscription.gain(event)
                self._register.gain(subscription, {event.room_id})
        return _groups(self._register.by_user, user_id)

    def _members_among(self, event: MessageEvent, members: set[str]) -> list[Group]:
        """Those who follow a private room and are in it now; who is not, is told so."""
        room_id = event.message.room_id
        for subscription in self._register.by_room.get(room_id, ()):
            if subscription.room_id == room_id and subscription.user_id not in members:
                subscription.fail(NotFound(NO_ROOM))
        return grouped(
            subscription
            for user_id in members
            for subscription in self._register.by_user.get(user_id, ())
            if subscription.room_id in (None, room_id)
        )


def _groups(followers: dict[str, Followers], name: str) -> list[Group]:
    return followers[name].groups() if name in followers else []
