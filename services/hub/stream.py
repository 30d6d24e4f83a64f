"""The stream of one subscriber: what is newer than a cursor, then what is live."""

import asyncio
from typing import TYPE_CHECKING, Self

from services.cursors import Cursor
from services.errors import Unavailable
from services.hub.audience import Audience
from services.hub.subscription import Listener, Subscription
from services.models import CaughtUpEvent, Event, MessageEvent, RoomEvent

if TYPE_CHECKING:
    from services.hub.hub import Hub


_PAUSE_SECONDS = 0.2
"""Until the log is asked again that could not be read."""


class EventStream:
    """Events, once each and in the order of the log. To be closed when it is not needed any more.

    It begins when it is first asked for something. Each of its methods raises what ends it:
    NotFound for a room that the user may not see (any more), CursorExpired for a cursor whose
    history the store does not have (any more), Unavailable.
    """

    def __init__(self, hub: "Hub", subscription: Subscription, after: Cursor | None) -> None:
        self.hub = hub
        self.subscription = subscription
        self._after = after
        self._has_begun = False
        self._is_caught_up = False
        self._is_closed = False
        self._replayed = 0
        self._read: list[MessageEvent | RoomEvent] = []
        """What was read of the log and is not yet pulled, the next one last."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            event = await self.pull()
            if event is not None:
                return event
            await self.subscription.news()

    async def pull(self) -> Event | None:
        """The next event; None when there is none yet, and what comes will be live.

        Between what was replayed and what is live stands one CaughtUpEvent, for those who ask for
        that kind.
        """
        if self._is_closed:
            raise StopAsyncIteration
        try:
            return await self._pull()
        except Exception:
            await self.aclose()
            raise

    async def share(self, audience: Audience, listener: Listener) -> None:
        """Be told of what is live as part of an audience, as long as the listener takes it.

        For when `pull` has just found nothing. Afterwards there may be something to pull.
        """
        subscription = self.subscription
        self.hub.register.join(subscription, audience, listener)
        try:
            await subscription.news()
            subscription.check()
        finally:
            self.hub.register.leave(subscription)

    async def aclose(self) -> None:
        self._is_closed = True
        if self._has_begun:
            self.hub.register.remove(self.subscription)

    async def _pull(self) -> Event | None:
        subscription = self.subscription
        if not self._has_begun:
            self._has_begun = True
            await self.hub.replay.begin(subscription, self._after)
        subscription.check()
        while not self._read and subscription.is_behind:
            await self._read_on()
            subscription.check()
        deliveries = self.hub.deliveries
        if self._read:
            self._replayed += not self._is_caught_up
            deliveries.own += 1
            return self._read.pop()
        if not self._is_caught_up:
            self._is_caught_up = True
            if CaughtUpEvent in subscription.kinds:
                return CaughtUpEvent(subscription.position, self._replayed)
        event = subscription.take()
        deliveries.own += event is not None
        return event

    async def _read_on(self) -> None:
        try:
            self._read = (await self.hub.replay.read_on(self.subscription))[::-1]
        except Unavailable:
            # It stays open, and goes on when the store is back.
            self.subscription.fall_behind()
            await asyncio.sleep(_PAUSE_SECONDS)
