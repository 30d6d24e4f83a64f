"""What subscriptions follow, as their fields tell it."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Generic, Self, TypeVar

from execution.errors import NotNow
from execution.stream import Listener, SharedSource
from execution.subscription import SubscriptionPlan
from schema.context import Context
from services import models
from services.errors import Unavailable
from services.hub.audience import Words
from services.hub.stream import EventStream
from services.hub.subscription import LiveEvent

T = TypeVar("T")

Tell = Callable[[Context, models.Event], Coroutine[Any, Any, T | None]]
"""An event as a field tells it; None for one that it does not tell of."""


class LiveEvents(SharedSource, AsyncIterator[T], Generic[T]):
    """The source of a subscription: a viewer's events.

    Those who select the same are told of a live event in the same words, made once. What each of
    them may hear of is the hub's business, for each event anew.
    """

    def __init__(self, context: Context, stream: EventStream, tell: Tell[T]) -> None:
        self._context = context
        self._stream = stream
        self._tell = tell

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            told = await self._told(await anext(self._stream))
            if told is not None:
                return told

    async def pull(self) -> T | None:
        while (event := await self._stream.pull()) is not None:
            told = await self._told(event)
            if told is not None:
                return told
        return None

    async def share(self, plan: SubscriptionPlan, listener: Listener) -> None:
        viewer = await self._context.reader() if plan.depends_on_viewer else None
        key = (plan.selection_key, self._tell, None if viewer is None else viewer.user_id)
        chat, tell = self._context.chat, self._tell

        async def render(event: LiveEvent) -> Words:
            context = Context(chat, session=viewer)
            told = await tell(context, event)
            try:
                return None if told is None else await plan.execute_event(told, context)
            except NotNow:
                raise Unavailable("The store went away under an event.") from None

        hub, kinds = self._stream.hub, self._stream.subscription.kinds
        await self._stream.share(hub.audiences.get(key, kinds, render), listener)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def _told(self, event: models.Event) -> T | None:
        # What an event tells of a record is what is so now.
        self._context.forget_loaded()
        return await self._tell(self._context, event)
