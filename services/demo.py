"""The demo data of an empty store: what the other servers would put there."""

import hashlib
from itertools import combinations

import orjson

from services import keys
from services.accounts.passwords import Passwords
from services.ids import GENERAL, private_room_id
from services.redis.cluster import slot_of
from services.redis.store import Store
from services.wire import own_message

USERNAMES = ("Pablo", "Joe", "Mary", "Alex")
PASSWORD = "password123"  # noqa: S105

_GREETINGS = ("Hello", "Hi", "Yo", "Hola")
_TALK = (
    ("1", "Hello!"),
    ("2", "Hi, How are you? What about our next meeting?"),
    ("1", "Yeah everything is fine"),
    ("3", "Next meeting tomorrow 10.00AM"),
    ("4", "Wow that's great"),
)
_STEP = 997_000_000
"""Microseconds between two messages: all seventeen fit into the last five hours."""

Command = list[str]
Said = tuple[str, str, str]
"""Room, sender, text."""


class Demo:
    """Fills stores. The passwords are hashed once: one that was emptied is full again at once."""

    def __init__(self, store: Store, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords
        self._hashes: list[str] = []

    async def seed(self, now: float | None = None) -> bool:
        """Fill the store unless any server has filled it before; whether this call did.

        `now`, in seconds, is the moment that the demo conversations lead up to; the store's by
        default.
        """
        if await self._store.call("EXISTS", keys.TOTAL_USERS):
            return False
        if not self._hashes:
            self._hashes = [await self._passwords.hash(PASSWORD) for _ in USERNAMES]
        plan = _plan(self._hashes, await _microseconds(self._store, now))
        if self._store.is_cluster:
            *plan, last = plan
            await self._fill_slots(plan)
            plan = [last]
        return bool(await self._store.run("seed", [keys.TOTAL_USERS], orjson.dumps(plan)))

    async def _fill_slots(self, plan: list[Command]) -> None:
        """Carry the plan out slot by slot: each is filled once, as its first key tells."""
        by_slot: dict[int, list[Command]] = {}
        for command in plan:
            by_slot.setdefault(slot_of(command[1]), []).append(command)
        pipe = self._store.pipeline()
        for commands in by_slot.values():
            self._store.add(pipe, "seed", [commands[0][1]], orjson.dumps(commands))
        await self._store.execute(pipe)


async def seed(store: Store, passwords: Passwords, now: float | None = None) -> bool:
    """Fill a store once, see Demo."""
    return await Demo(store, passwords).seed(now)


def _plan(password_hashes: list[str], now: int) -> list[Command]:
    """All commands. The user count comes last: for every server it means that the rest is there."""
    plan: list[Command] = [["SET", keys.room_name(GENERAL), "General"]]
    for number, (name, password_hash) in enumerate(
        zip(USERNAMES, password_hashes, strict=True), start=1
    ):
        plan += _account(str(number), name, password_hash)
    conversation = [*_greetings(), *((GENERAL, sender, text) for sender, text in _TALK)]
    start = now - len(conversation) * _STEP
    for index, said in enumerate(conversation):
        plan += _message(*said, start + index * _STEP)
    plan.append(["SET", keys.TOTAL_USERS, str(len(USERNAMES))])
    return plan


def _account(user_id: str, name: str, password_hash: str) -> list[Command]:
    others = (str(number) for number in range(1, len(USERNAMES) + 1) if str(number) != user_id)
    rooms = [GENERAL, *(private_room_id(user_id, other) for other in others)]
    return [
        ["HSET", keys.user(user_id), "username", name, "password", password_hash],
        ["SADD", keys.user_rooms(user_id), *rooms],
        ["SET", keys.username(name), f"user:{user_id}"],
    ]


def _greetings() -> list[Said]:
    """Everybody greets everybody; in each room the one of the higher id begins."""
    ids = [str(number) for number in range(1, len(USERNAMES) + 1)]
    pairs = list(combinations(ids, 2))
    ordered = [(high, low) for low, high in pairs] + pairs
    return [
        (private_room_id(sender, other), sender, _GREETINGS[index % len(_GREETINGS)])
        for index, (sender, other) in enumerate(ordered)
    ]


def _message(room_id: str, sender_id: str, text: str, position: int) -> list[Command]:
    """A message with its log entry, as sending writes them."""
    member = own_message(room_id, sender_id, text, position)
    seconds, fraction = divmod(position, 1_000_000)
    score = f"{seconds}.{fraction:06}"
    digest = hashlib.sha1(member, usedforsecurity=False).hexdigest()
    return [
        ["ZADD", keys.room(room_id), score, member.decode()],
        ["XADD", keys.room_log(room_id), f"{position}-0", "s", score, "h", digest],
    ]


async def _microseconds(store: Store, now: float | None) -> int:
    if now is not None:
        return round(now * 1_000_000)
    seconds, microseconds = await store.call("TIME")
    return int(seconds) * 1_000_000 + int(microseconds)
