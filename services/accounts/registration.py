"""Making accounts: whole or not at all, and no two whose names look alike.

On one server a script does it in one step. On a Redis Cluster the keys are on several servers, so
it goes step by step, and one registration at a time. An account without a name is none to anybody,
and getting its name is the last step: what a process leaves behind that dies before that is free,
and taken over by whoever wants the name next. A bot is among those of its owner before that step,
so there is none that its owner does not see.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from services import keys
from services.errors import Forbidden, Unavailable
from services.ids import GENERAL, is_user_id
from services.redis.store import Store

OWNER = "owner"
"""Field of an account's record that makes it a bot's."""
_TURN_SECONDS = 10
"""After which a turn is over, should its process have died; much longer than one takes."""
_PATIENCE_SECONDS = 1.5
_PAUSE_SECONDS = 0.05


class Owner(NamedTuple):
    """Whose bot an account is, and how many of them a user may have."""

    id: str
    most_bots: int

    def has_enough(self) -> Forbidden:
        return Forbidden(f"You have {self.most_bots} bots, as many as there may be.")


async def register(
    store: Store,
    name: str,
    password_hash: str,
    spellings: Sequence[str],
    owner: Owner | None = None,
) -> str | None:
    """The id of a new user, who is in General, or of an owner's bot, which is in no room; None when
    the name is taken or looks like one that is.

    The hash is salted, so it tells this call from others: when it is carried out again, because
    its reply was lost, the user is the same. Raises Unavailable, and Forbidden for an owner who has
    enough bots.
    """
    if store.is_cluster:
        async with _turn(store):
            return await _in_steps(store, name, password_hash, spellings, owner)
    user_id = await store.run(
        "register",
        [
            keys.username(name),
            keys.TOTAL_USERS,
            keys.room_name(GENERAL),
            keys.SPELLINGS,
            keys.SPELLINGS_UPTO,
            *([keys.bots(owner.id)] if owner else []),
        ],
        name,
        password_hash,
        "" if owner else GENERAL,
        owner.id if owner else "",
        owner.most_bots if owner else 0,
        *spellings,
    )
    if user_id is None and owner:
        raise owner.has_enough()
    return user_id.decode() or None


def named_id(value: bytes | None) -> str | None:
    """The user that a name stands for: `user:4`, or `4` as some documentation of the data model
    has it."""
    user_id = (value or b"").decode(errors="replace").rpartition(":")[2]
    return user_id if is_user_id(user_id) else None


@asynccontextmanager
async def _turn(store: Store) -> AsyncIterator[None]:
    """Only one at a time, in all processes. Raises Unavailable when it takes too long."""
    token = secrets.token_hex(8).encode()
    clock = asyncio.get_running_loop().time
    deadline = clock() + _PATIENCE_SECONDS
    while True:
        pipe = store.pipeline()
        pipe.add("SET", keys.REGISTERING, token, "NX", "EX", _TURN_SECONDS)
        pipe.add("GET", keys.REGISTERING)
        _, holder = await store.execute(pipe)
        if holder == token:
            break
        if clock() > deadline:
            raise Unavailable("Too many are registering at this moment, please try again.")
        await asyncio.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        with suppress(Unavailable):  # It ends by itself.
            if await store.call("GET", keys.REGISTERING) == token:
                await store.call("DEL", keys.REGISTERING)


async def _in_steps(
    store: Store,
    name: str,
    password_hash: str,
    spellings: Sequence[str],
    owner: Owner | None,
) -> str | None:
    pipe = store.pipeline()
    pipe.add("GET", keys.username(name))
    pipe.add("HMGET", keys.SPELLINGS, *spellings)
    held_by, holders = await store.execute(pipe)
    left = named_id(held_by)
    alike = {holder.decode() for holder in holders if holder is not None}
    if left is not None:
        alike.add(left)
    if await _is_any_finished(store, alike):
        return None

    user_id = left or await _new_id(store)
    if owner:
        await _add_bot(store, owner, user_id)
    pipe = store.pipeline()
    # Nothing of what was left, which may have been a bot's.
    pipe.add("DEL", keys.user(user_id))
    pipe.add("DEL", keys.user_rooms(user_id))
    if owner:
        pipe.add("HSET", keys.user(user_id), "password", password_hash, OWNER, owner.id)
    else:
        pipe.add("HSET", keys.user(user_id), "password", password_hash)
        pipe.add("SADD", keys.user_rooms(user_id), GENERAL)
    # Without demo data the first account brings the room along: one without a name is private.
    pipe.add("SET", keys.room_name(GENERAL), "General", "NX")
    for spelling in spellings:
        pipe.add("HSET", keys.SPELLINGS, spelling, user_id)
    pipe.add("SET", keys.username(name), f"user:{user_id}", "NX")
    pipe.add("GET", keys.username(name))
    *_, held_by = await store.execute(pipe)
    if named_id(held_by) != user_id:
        return None

    pipe = store.pipeline()
    pipe.add("HSET", keys.user(user_id), "username", name)
    pipe.add("HGET", keys.user(user_id), "password")
    _, password = await store.execute(pipe)
    # Of somebody else, if this process stood still until its turn was over.
    return user_id if password == password_hash.encode() else None


async def _add_bot(store: Store, owner: Owner, bot_id: str) -> None:
    """To the owner's. Those that no registration has finished do not count, and go: they would
    take places for good."""
    listed = await store.call("ZRANGE", keys.bots(owner.id), 0, -1)
    pipe = store.pipeline()
    for each in listed:
        pipe.add("HMGET", keys.user(each.decode()), "username", OWNER)
    records = await store.execute(pipe)
    for each, (name, whose) in zip(listed, records, strict=True):
        if name is None or whose not in (owner.id.encode(), b""):
            await store.call("ZREM", keys.bots(owner.id), each)
    if not await store.run("bot_add", [keys.bots(owner.id)], bot_id, owner.most_bots):
        raise owner.has_enough()


async def _is_any_finished(store: Store, user_ids: Iterable[str]) -> bool:
    pipe = store.pipeline()
    for user_id in user_ids:
        pipe.add("HEXISTS", keys.user(user_id), "username")
    return any(await store.execute(pipe))


async def _new_id(store: Store) -> str:
    """Never of an account that is there, should total_users have been set back."""
    while True:
        user_id = str(await store.call("INCR", keys.TOTAL_USERS))
        if not await store.call("EXISTS", keys.user(user_id)):
            return user_id
