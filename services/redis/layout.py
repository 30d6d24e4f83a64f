"""Who has which slots of a cluster, in the words of each of its servers.

While a slot is on its way from one server to another, some of its keys are here and some there, and
whoever looks for all keys of the cluster may find neither.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from services.redis.sentinels import Place
from services.redis.store import Store

_SELF = "myself"


class Member(NamedTuple):
    """A server of a cluster, as one of them has it: a line of CLUSTER NODES."""

    server: str
    """Its id."""
    place: str
    flags: frozenset[str]
    epoch: str
    """Another one says that its slots have changed, be it there and back."""
    slots: tuple[str, ...]
    """Numbers and ranges of them."""
    moving: tuple[str, ...]
    """Slots that are on their way to another server or from one; told of itself only."""


async def read_layout(store: Store) -> dict[Place, Member]:
    """What each server that has keys says of itself; nothing where the store is no cluster.

    Raises Unavailable."""
    await store.look_around()
    places = sorted(store.primaries)
    told = await asyncio.gather(*(read_members(store, place) for place in places))
    return {place: own(members) for place, members in zip(places, told, strict=True)}


async def read_members(store: Store, place: Place) -> list[Member]:
    """All that the server at a place knows, itself among them. Raises Unavailable."""
    told = (await store.call_at(place, "CLUSTER", "NODES")).decode()
    return [_member(line) for line in told.splitlines()]


def own(members: Iterable[Member]) -> Member:
    """The one that told."""
    return next(member for member in members if _SELF in member.flags)


def _member(line: str) -> Member:
    server, place, flags, _, _, _, epoch, _, *slots = line.split()
    moving = tuple(slot for slot in slots if slot.startswith("["))
    return Member(
        server,
        place.partition("@")[0],
        frozenset(flags.split(",")),
        epoch,
        tuple(slot for slot in slots if slot not in moving),
        moving,
    )
