"""The store: shared round trips, forgotten scripts, failures told as UNAVAILABLE."""

import asyncio

import pytest

from services import keys
from services.errors import Unavailable
from services.log import Log
from services.redis.store import Store


async def test_pipelines_of_one_turn_share_a_round_trip(store: Store) -> None:
    async def incr(key: str) -> int:
        pipe = store.pipeline()
        pipe.add("INCR", key)
        pipe.add("GET", key)
        number, text = await store.execute(pipe)
        assert text == str(number).encode()
        return int(number)

    async def reads() -> int:
        info = await store.redis.info("stats")
        return int(info["total_reads_processed"])

    await incr("warm-up")
    before = await reads()
    alone = await reads() - before
    before = await reads()
    results = await asyncio.gather(*(incr(f"key{n % 5}") for n in range(20)))
    assert sorted(results) == sorted([1, 2, 3, 4] * 5)
    assert await reads() - before <= alone + 1


async def test_an_error_is_its_own_callers(store: Store) -> None:
    async def fails() -> None:
        pipe = store.pipeline()
        pipe.add("SET", "text", "x")
        pipe.add("LPUSH", "text", "x")
        await store.execute(pipe)

    async def works() -> bytes | None:
        pipe = store.pipeline()
        pipe.add("SET", "other", "y")
        pipe.add("GET", "other")
        return (await store.execute(pipe))[1]  # type: ignore[no-any-return]

    failure, value = await asyncio.gather(fails(), works(), return_exceptions=True)
    assert "WRONGTYPE" in str(failure)
    assert value == b"y"


async def test_forgotten_scripts_are_loaded_again(store: Store) -> None:
    await store.redis.script_flush()
    log = Log(store)
    await log.ingest(["0"])
    pipe = store.pipeline(atomic=True)
    store.add(pipe, "read_log", [keys.room("0"), keys.room_log("0")], 0, 10)
    await store.redis.script_flush()
    assert await store.execute(pipe) == [[]]


async def test_an_absent_store_is_unavailable() -> None:
    store = Store.from_url("redis://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await store.open()
    pipe = store.pipeline()
    pipe.add("GET", "x")
    with pytest.raises(Unavailable):
        await store.execute(pipe)
    with pytest.raises(Unavailable):
        await Log(store).now()
    await store.close()


async def test_what_the_store_says_by_itself_is_no_answer(store: Store) -> None:
    connection = await store.call("CLIENT", "ID")
    await store.call("CLIENT", "TRACKING", "ON")
    await store.call("SET", "watched", "a")
    assert await store.call("GET", "watched") == b"a"
    # The store tells of the change on the shared connection, before or between the answers.
    await store.redis.set("watched", "b")
    words = [f"word {number}" for number in range(20)]
    assert await asyncio.gather(*(store.call("ECHO", word) for word in words)) == [
        word.encode() for word in words
    ]
    assert await store.call("CLIENT", "ID") == connection


async def test_a_closed_store_answers_at_once(store_url: str) -> None:
    closed = Store.from_url(store_url)
    await closed.open()
    await closed.close()
    with pytest.raises(Unavailable):
        await closed.call("GET", "x")


async def test_what_is_asked_while_it_closes_is_not_left_waiting(store_url: str) -> None:
    closing = Store.from_url(store_url)
    await closing.open()
    asked = asyncio.create_task(closing.call("ECHO", "before"))
    await asyncio.sleep(0)
    ending = asyncio.create_task(closing.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await closing.call("GET", "x")
    assert await asked == b"before"
    await ending
