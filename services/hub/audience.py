"""Audiences: subscribers to whom an event is told in the same words.

What is told is made once for all of them. Who hears it is decided for each event anew: an audience
says nothing of what its members may see.
"""

from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Hashable,
    Iterable,
    Iterator,
)
from typing import Any
from weakref import WeakValueDictionary

from services.errors import Unavailable
from services.hub.deliveries import Deliveries
from services.hub.subscription import LiveEvent, Subscription
from services.models import Event, PresenceEvent
from services.together import all_together

Words = bytes | None
"""An event as a subscriber gets it; None for one that there is nothing to tell of."""

Render = Callable[[LiveEvent], Awaitable[Words]]


class Audience:
    """Those who share `render`, and ask for the same `kinds` of events."""

    def __init__(self, kinds: Collection[type[Event]], render: Render) -> None:
        self.kinds = frozenset(kinds)
        self.render = render


class Audiences:
    """The audiences that have members, by what tells them apart."""

    def __init__(self) -> None:
        self._by_key: WeakValueDictionary[Hashable, Audience] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Hashable, kinds: Collection[type[Event]], render: Render) -> Audience:
        """The audience of a key, with this `render` if it is a new one."""
        audience = self._by_key.get(key)
        if audience is None:
            audience = self._by_key[key] = Audience(kinds, render)
        return audience


class Followers:
    """The subscribers of something, each in the audience that it is part of at the moment."""

    __slots__ = ("_by_audience",)

    def __init__(self) -> None:
        self._by_audience: dict[Audience | None, set[Subscription]] = {}

    def add(self, subscription: Subscription) -> None:
        self._by_audience.setdefault(subscription.audience, set()).add(subscription)

    def discard(self, subscription: Subscription) -> None:
        members = self._by_audience.get(subscription.audience)
        if members is not None:
            members.discard(subscription)
            if not members:
                del self._by_audience[subscription.audience]

    def __bool__(self) -> bool:
        return bool(self._by_audience)

    def __iter__(self) -> Iterator[Subscription]:
        for members in list(self._by_audience.values()):
            yield from list(members)

    def groups(self, kind: type[Event] | None = None) -> list["Group"]:
        """All, or those who may want this kind: others need not be looked through."""
        return [
            (audience, list(members))
            for audience, members in self._by_audience.items()
            if kind is None or audience is None or kind in audience.kinds
        ]


Group = tuple[Audience | None, list[Subscription]]
"""Subscribers of one audience, or of none."""


def grouped(subscriptions: Iterable[Subscription]) -> list[Group]:
    followers = Followers()
    for subscription in subscriptions:
        followers.add(subscription)
    return followers.groups()


async def tell(
    events: Iterable[tuple[LiveEvent, list[Group]]], deliveries: Deliveries
) -> list[Subscription]:
    """Tell of events in their order; the subscribers whose listeners could not take all of it.

    All is rendered first and handed out then, so that a listener gets what belongs together in one
    turn of the event loop.
    """
    shared: list[tuple[LiveEvent, list[Subscription]]] = []
    rendering: list[Coroutine[Any, Any, Words | Exception]] = []
    for event, groups in events:
        for audience, members in groups:
            if audience is None:
                for subscription in members:
                    subscription.put(event)
            elif type(event) in audience.kinds:
                shared.append((event, members))
                rendering.append(_outcome(audience.render(event)))
    left: list[Subscription] = []
    for (event, members), words in zip(shared, await all_together(rendering), strict=True):
        if isinstance(words, Unavailable):
            left += _missed(event, members)
        elif isinstance(words, Exception):
            for subscription in members:
                subscription.fail(words)
        else:
            missed = _spread(event, words, members)
            left += missed
            if words is not None:
                deliveries.shared += len(members) - len(missed)
    deliveries.left += len(left)
    return left


async def _outcome(words: Awaitable[Words]) -> Words | Exception:
    try:
        return await words
    except Exception as error:
        return error


def _missed(event: LiveEvent, members: list[Subscription]) -> list[Subscription]:
    """The store went away under the rendering: each reads on when it is back."""
    for subscription in members:
        subscription.miss()
        if isinstance(event, PresenceEvent):
            subscription.put(event)
    return members


def _spread(event: LiveEvent, words: Words, members: list[Subscription]) -> list[Subscription]:
    if isinstance(event, PresenceEvent):
        missed = [subscription for subscription in members if not subscription.hear(event, words)]
        for subscription in missed:
            subscription.put(event)  # It is in no log to be read from.
        return missed
    return [subscription for subscription in members if not subscription.hear(event, words)]
