"""The demo data, on a real store."""

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from itertools import permutations

import pytest

from services import keys
from services.accounts.passwords import Passwords
from services.accounts.users import Users
from services.demo import seed
from services.ids import private_room_id
from services.log import Log
from services.redis.store import Store

IDS = ("1", "2", "3", "4")
PRIVATE_ROOMS = ("1:2", "1:3", "1:4", "2:3", "2:4", "3:4")
ROOMS = ("0", *PRIVATE_ROOMS)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(cost=4)
    yield passwords
    passwords.close()


async def members(store: Store, room_id: str) -> list[tuple[bytes, float]]:
    rows = await store.call("ZRANGE", keys.room(room_id), 0, -1)
    scores = [await store.call("ZSCORE", keys.room(room_id), member) for member in rows]
    return [(member, float(score)) for member, score in zip(rows, scores, strict=True)]


async def test_the_accounts(store: Store, passwords: Passwords) -> None:
    assert await seed(store, passwords)
    assert await store.redis.get("total_users") == b"4"
    assert await store.redis.get("room:0:name") == b"General"
    users = Users(store, passwords)
    for user_id, name in zip(IDS, ("Pablo", "Joe", "Mary", "Alex"), strict=True):
        assert await store.redis.get(f"username:{name}") == f"user:{user_id}".encode()
        assert (await users.authenticate(name, "password123")).id == user_id
        rooms = {private_room_id(user_id, other) for other in IDS if other != user_id} | {"0"}
        found = await store.call("SMEMBERS", f"user:{user_id}:rooms")
        assert set(found) == {room.encode() for room in rooms}
        assert not await store.redis.exists(keys.user_log(user_id), keys.user_announced(user_id))


async def test_nothing_else_is_written(store: Store, passwords: Passwords) -> None:
    await seed(store, passwords)
    expected = {"total_users", "room:0:name", keys.EPOCH, keys.RUN, keys.CLOCK}
    expected |= {f"username:{name}" for name in ("Pablo", "Joe", "Mary", "Alex")}
    expected |= {key for user in IDS for key in (f"user:{user}", f"user:{user}:rooms")}
    expected |= {key for room in ROOMS for key in (f"room:{room}", keys.room_log(room))}
    assert {key.decode() async for key in store.redis.scan_iter()} == expected


async def test_everybody_greets_everybody_and_five_talk(store: Store, passwords: Passwords) -> None:
    await seed(store, passwords)
    greetings = [
        (json.loads(member)["from"], room_id)
        for room_id in PRIVATE_ROOMS
        for member, _ in await members(store, room_id)
    ]
    expected = [(sender, private_room_id(sender, other)) for sender, other in permutations(IDS, 2)]
    assert sorted(greetings) == sorted(expected)
    texts = [json.loads(member)["message"] for member, _ in await members(store, "0")]
    assert texts == [
        "Hello!",
        "Hi, How are you? What about our next meeting?",
        "Yeah everything is fine",
        "Next meeting tomorrow 10.00AM",
        "Wow that's great",
    ]


async def test_messages_are_as_parley_sends_them(store: Store, passwords: Passwords) -> None:
    now = time.time()
    await seed(store, passwords)
    positions = []
    for room_id in ROOMS:
        log = await store.call("XRANGE", keys.room_log(room_id), "-", "+")
        rows = await members(store, room_id)
        for (entry_id, words), (member, score) in zip(log, rows, strict=True):
            message = json.loads(member)
            fields = dict(zip(words[::2], words[1::2], strict=True))
            position = int(entry_id.removesuffix(b"-0"))
            seconds = f"{position // 1_000_000}.{position % 1_000_000:06}"
            positions.append(position)
            assert list(message) == ["from", "date", "message", "roomId", "id", "ts"]
            assert message["from"] in IDS
            assert message["roomId"] == room_id
            assert type(message["date"]) is int
            assert message["date"] == position // 1_000_000
            assert message["id"] == f"message:{room_id}:{position}"
            assert member.endswith(b'"ts":%s}' % seconds.encode())
            assert round(score * 1_000_000) == position
            assert fields == {
                b"s": seconds.encode(),
                b"h": hashlib.sha1(member).hexdigest().encode(),
            }
    assert len(set(positions)) == 17
    assert now - 6 * 3600 < min(positions) / 1_000_000 < max(positions) / 1_000_000 < now


async def test_the_log_is_complete(store: Store, passwords: Passwords) -> None:
    await seed(store, passwords)
    log = Log(store)
    await log.ingest_all()
    for room_id in ROOMS:
        news = await log.news([f"room:{room_id}"], 0)
        assert len(news.entries) == (5 if room_id == "0" else 2)
        assert not await store.redis.exists(keys.room_foreign(room_id))


async def test_the_moment_may_be_given(store: Store, passwords: Passwords) -> None:
    await seed(store, passwords, now=1_795_401_320.057371)
    scores = [score for room_id in ROOMS for _, score in await members(store, room_id)]
    assert min(scores) > 1_795_401_320 - 6 * 3600
    assert max(scores) < 1_795_401_320


async def test_two_servers_that_start_together_fill_it_once(
    store: Store, other_store: Store, passwords: Passwords
) -> None:
    results = await asyncio.gather(seed(store, passwords), seed(other_store, passwords))
    assert sorted(results) == [False, True]
    assert await store.redis.get("total_users") == b"4"
    assert [len(await members(store, room_id)) for room_id in ROOMS] == [5] + [2] * 6
    users = Users(store, passwords)
    assert (await users.authenticate("Alex", "password123")).id == "4"


@pytest.mark.parametrize("total", ["0", "4"])
async def test_a_filled_store_is_left_alone(
    store: Store, passwords: Passwords, monkeypatch: pytest.MonkeyPatch, total: str
) -> None:
    async def no_hash(text: str) -> str:
        raise AssertionError

    monkeypatch.setattr(passwords, "hash", no_hash)
    await store.redis.set("total_users", total)
    assert not await seed(store, passwords)
    assert not await store.redis.exists("room:0:name", "user:1")
