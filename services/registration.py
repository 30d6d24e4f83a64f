"""Making accounts: whole or not at all, and no two whose names look alike.

On one server a script does it in one step. On a Redis Cluster the keys are on several servers, so
it goes step by step, and one registration at a time. An account without a name is none to anybody,
and getting its name is the last step: what a process leaves behind that dies before that is free,
and taken over by whoever wants the name next.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

from services import keys
from services.errors import Unavailable
from services.ids import is_user_id
from services.store import Store

OWNER = "owner"
"""Field of an account's record that makes it a bot's."""
_GENERAL = "0"
_TURN_SECONDS = 10
"""After which a turn is over, should its process have died; much longer than one takes."""
_PATIENCE_SECONDS = 1.5
_PAUSE_SECONDS = 0.05


async def register(
    store: Store, name: str, password_hash: str, spellings: Sequence[str], owner_id: str = ""
) -> str | None:
    """The id of a new user, who is in General, or of an owner's bot, which is in no room; None when
    the name is taken or looks like one that is.

    The hash is salted, so it tells this call from others: when it is carried out again, because
    its reply was lost, the user is the same. Raises Unavailable.
    """
    if store.is_cluster:
        async with _turn(store):
            return await _in_steps(store, name, password_hash, spellings, owner_id)
    user_id = await store.run(
        "register",
        [
            keys.username(name),
            keys.TOTAL_USERS,
            keys.room_name(_GENERAL),
            keys.SPELLINGS,
            keys.SPELLINGS_UPTO,
        ],
        name,
        password_hash,
        "" if owner_id else _GENERAL,
        owner_id,
        *spellings,
    )
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
    store: Store, name: str, password_hash: str, spellings: Sequence[str], owner_id: str
) -> str | None:
    pipe = store.pipeline()
    pipe.add("GET", keys.username(name))
    pipe.add("HMGET", keys.SPELLINGS, *spellings)
    owner, holders = await store.execute(pipe)
    left = named_id(owner)
    alike = {holder.decode() for holder in holders if holder is not None}
    if left is not None:
        alike.add(left)
    if await _is_any_finished(store, alike):
        return None

    user_id = left or await _new_id(store)
    pipe = store.pipeline()
    # Nothing of what was left, which may have been a bot's.
    pipe.add("DEL", keys.user(user_id))
    pipe.add("DEL", keys.user_rooms(user_id))
    if owner_id:
        pipe.add("HSET", keys.user(user_id), "password", password_hash, OWNER, owner_id)
    else:
        pipe.add("HSET", keys.user(user_id), "password", password_hash)
        pipe.add("SADD", keys.user_rooms(user_id), _GENERAL)
    # Without demo data the first account brings the room along: one without a name is private.
    pipe.add("SET", keys.room_name(_GENERAL), "General", "NX")
    for spelling in spellings:
        pipe.add("HSET", keys.SPELLINGS, spelling, user_id)
    pipe.add("SET", keys.username(name), f"user:{user_id}", "NX")
    pipe.add("GET", keys.username(name))
    *_, owner = await store.execute(pipe)
    if named_id(owner) != user_id:
        return None

    pipe = store.pipeline()
    pipe.add("HSET", keys.user(user_id), "username", name)
    pipe.add("HGET", keys.user(user_id), "password")
    _, password = await store.execute(pipe)
    # Of somebody else, if this process stood still until its turn was over.
    return user_id if password == password_hash.encode() else None


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
