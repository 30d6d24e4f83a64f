"""Who has which slots of a cluster, in the words of each of its servers.

While a slot is on its way from one server to another, some of its keys are here and some there, and
whoever looks for all keys of the cluster may find neither.
"""

import asyncio
from typing import NamedTuple

from services.sentinels import Place
from services.store import Store

_SELF = "myself"


class Share(NamedTuple):
    """What one server has. Another epoch says that this has changed, be it there and back."""

    server: str
    epoch: str
    slots: tuple[str, ...]
    """Numbers and ranges of them."""
    moving: tuple[str, ...]
    """Slots that are on their way to another server or from one."""


async def read_layout(store: Store) -> dict[Place, Share]:
    """The share of each server that has keys; nothing where the store is no cluster.

    Raises Unavailable."""
    await store.look_around()
    places = sorted(store.primaries)
    told = await asyncio.gather(*(store.call_at(place, "CLUSTER", "NODES") for place in places))
    return {place: _share(text.decode()) for place, text in zip(places, told, strict=True)}


def _share(told: str) -> Share:
    """Of the server that tells: only there it says what is on its way."""
    lines = (line.split() for line in told.splitlines())
    own = next(words for words in lines if _SELF in words[2].split(","))
    server, _, _, _, _, _, epoch, _, *slots = own
    moving = tuple(slot for slot in slots if slot.startswith("["))
    return Share(server, epoch, tuple(slot for slot in slots if slot not in moving), moving)
