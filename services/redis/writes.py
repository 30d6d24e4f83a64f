"""Which servers of a cluster take writes: one that stands still or is full does not, say."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import count

from redis.exceptions import AskError

from services import keys
from services.errors import Unavailable
from services.redis.cluster import slot_of
from services.redis.sentinels import Place
from services.redis.store import PROBE_SECONDS, Store

_ANSWER_SECONDS = 0.4
"""How long one server of a cluster may take: it holds up nobody who asks about all of them."""


async def refusals(store: Store) -> dict[Place, str | None]:
    """Of each server that has keys: why it takes no write now, if so.

    Raises Unavailable when nobody says which servers these are."""
    await store.look_around()
    owners = list(store.owners)
    places = sorted(place for place in set(owners) if place is not None)
    own_keys = [_key_at(place, owners) for place in places]
    found = await asyncio.gather(*map(partial(_refusal, store), places, own_keys))
    return dict(zip(places, found, strict=True))


def _key_at(place: Place, owners: Sequence[Place | None]) -> str:
    """One that the server has: it takes no other."""
    names = map(keys.probe, count())
    return next(name for name in names if owners[slot_of(name)] == place)


async def _refusal(store: Store, place: Place, key: str) -> str | None:
    command = ("SET", key, 1, "EX", PROBE_SECONDS)
    try:
        await store.call_at(place, *command, seconds=_ANSWER_SECONDS)
    except Unavailable as error:
        # Who says that the slot is on its way elsewhere takes writes of others.
        return None if isinstance(error.__cause__, AskError) else error.message
    return None
