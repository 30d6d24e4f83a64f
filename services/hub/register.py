"""The register of a process: who follows which rooms and users, and has to hear which bells."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from services.errors import CursorExpired
from services.hub.attendance import Attendance
from services.hub.audience import Audience, Followers
from services.hub.bells import PRESENCE
from services.hub.interest import Interest
from services.hub.subscription import Listener, Subscription
from services.ids import private_members
from services.models import PresenceEvent

EXPIRED = "The history after this cursor is no longer kept: reload."


class Register:
    """Of the open subscriptions, and how far all of them have been told."""

    def __init__(
        self, interest: Interest, attendance: Attendance, *, has_presence_bell: bool
    ) -> None:
        self._interest = interest
        self._attendance = attendance
        self._has_presence_bell = has_presence_bell
        self.subscriptions = Followers()
        self.bots: set[Subscription] = set()
        """Those of bots among them."""
        self.by_room: defaultdict[str, Followers] = defaultdict(Followers)
        self.by_user: defaultdict[str, Followers] = defaultdict(Followers)
        self.epoch = ""
        """The one that `position` and the subscriptions' positions are of."""
        self.position = 0
        """Everything up to here was handed to those who may see it; 0 where no position says that
        of all logs."""
        self.is_growing = False
        """Somebody is about to gain rooms: nobody knows yet which."""
        self.is_catching_up = False
        """What the logs hold is being read, of those that were followed when the reading began."""
        self.on_gained: Callable[[Collection[str]], None] = lambda room_ids: None
        """Told of the rooms that come to somebody who is live."""

    def add(self, subscription: Subscription) -> None:
        """Whatever its rooms are; `enter` tells."""
        self.subscriptions.add(subscription)
        self.by_user[subscription.user_id].add(subscription)
        if PresenceEvent in subscription.kinds:
            self._attendance.enter(subscription)
        for name in self._bells_beside_rooms(subscription):
            self._interest.want(name, subscription)

    def remove(self, subscription: Subscription) -> None:
        self.subscriptions.discard(subscription)
        self.bots.discard(subscription)
        self.by_user[subscription.user_id].discard(subscription)
        if not self.by_user[subscription.user_id]:
            del self.by_user[subscription.user_id]
        self._attendance.leave(subscription)
        for name in self._bells_beside_rooms(subscription):
            self._interest.unwant(name, subscription)
        self._unfollow(subscription, subscription.rooms)

    def enter(self, subscription: Subscription, room_ids: Collection[str]) -> None:
        """It follows these rooms, too."""
        subscription.rooms.update(room_ids)
        for room_id in room_ids:
            self.by_room[room_id].add(subscription)
            self._interest.want(f"room:{room_id}", subscription)

    def gain(self, subscription: Subscription, room_ids: Collection[str]) -> None:
        """As `enter`, for one that may be live."""
        self.enter(subscription, room_ids)
        bells = (f"room:{room_id}" for room_id in room_ids)
        if self.is_catching_up or self._interest.unheard(bells):
            # It has to read what is said there until they are heard, and what all follows that.
            subscription.reach(self.position)
            subscription.miss()
        self.on_gained(room_ids)

    def part(self, subscription: Subscription, room_ids: Collection[str]) -> None:
        """It follows these rooms no longer."""
        self._unfollow(subscription, room_ids)
        subscription.rooms.difference_update(room_ids)

    def _unfollow(self, subscription: Subscription, room_ids: Iterable[str]) -> None:
        for room_id in room_ids:
            self.by_room[room_id].discard(subscription)
            self._interest.unwant(f"room:{room_id}", subscription)
            if not self.by_room[room_id]:
                del self.by_room[room_id]

    def join(
        self, subscription: Subscription, audience: Audience | None, listener: Listener | None
    ) -> None:
        """Tell a subscriber of what is live as part of an audience; of none, by itself again."""
        followed = [self.subscriptions, self.by_user[subscription.user_id]]
        followed += [self.by_room[room_id] for room_id in subscription.rooms]
        for followers in followed:
            followers.discard(subscription)
        subscription.audience, subscription.listener = audience, listener
        for followers in followed:
            followers.add(subscription)

    def leave(self, subscription: Subscription) -> None:
        if subscription.audience is not None:
            self.join(subscription, None, None)

    def logs(self) -> set[str]:
        """Those that somebody follows."""
        return {
            *(f"room:{room_id}" for room_id in self.by_room),
            *(f"user:{user_id}" for user_id in self.by_user),
        }

    def is_wanted(self, kind: str, name: str) -> bool:
        """Whether somebody follows a log, or is about to."""
        if kind == "user":
            return name in self.by_user
        return (
            self.is_growing
            or name in self.by_room
            or any(user_id in self.by_user for user_id in private_members(name) or ())
        )

    async def until_heard(self, subscription: Subscription) -> None:
        """Wait until all its bells are heard; also those of rooms that it gains meanwhile."""
        while unheard := self._interest.unheard(self._bells_of(subscription)):
            await self._interest.heard(unheard)

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

    def sweep(self) -> None:
        """Stop to listen to bells that nobody has wanted for a while."""
        self._interest.sweep()

    def wake_bots(self) -> None:
        """Have them read on, each of what it was added to meanwhile."""
        for bot in self.bots:
            bot.miss()

    def expire(self, reach: int | None) -> None:
        """End those who have had what the store lost: all that was after a position, or all.
        What waits for the others may be lost, too: they read the log."""
        for subscription in self.subscriptions:
            if reach is None or subscription.position > reach:
                subscription.fail(CursorExpired(EXPIRED))
            elif subscription.waiting_bytes:
                subscription.miss()
