"""Names are kept in the process until the store tells that they have changed."""

import asyncio
from collections.abc import Awaitable, Callable

from services import keys
from services.accounts.user_cache import UserCache
from services.chat import Chat
from services.models import User


def heard_on(connection: int | None) -> UserCache:
    cache = UserCache(max_users=2)
    cache.hearing = lambda: connection
    return cache


def kept(cache: UserCache, *ids: str) -> list[str]:
    return list(cache.find(ids))


def test_the_latest_used_are_kept() -> None:
    cache = heard_on(1)
    for user_id in ("1", "2"):
        cache.keep([User(user_id, "name")], cache.moment())
    assert kept(cache, "1", "3") == ["1"]
    cache.keep([User("3", "name")], cache.moment())
    assert kept(cache, "1", "2", "3") == ["1", "3"]


def test_nothing_is_kept_where_changes_are_not_heard() -> None:
    cache = heard_on(None)
    cache.keep([User("1", "name")], cache.moment())
    assert kept(cache, "1") == []


def test_another_connection_begins_anew() -> None:
    cache = heard_on(1)
    cache.keep([User("1", "name")], cache.moment())
    cache.hearing = lambda: 2
    assert kept(cache, "1") == []


def test_what_has_changed_is_forgotten() -> None:
    cache = heard_on(1)
    cache.keep([User("1", "name"), User("2", "name")], cache.moment())
    cache.forget(["1", "7"])
    assert kept(cache, "1", "2") == ["2"]
    cache.forget(None)
    assert kept(cache, "1", "2") == []


def test_what_was_read_before_a_change_is_not_kept() -> None:
    cache = heard_on(1)
    before = cache.moment()
    cache.forget(["1"])
    cache.keep([User("1", "the name of before")], before)
    assert kept(cache, "1") == []


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while not await is_so():
            await asyncio.sleep(0.01)


async def test_a_name_is_read_once_and_again_when_it_changes(chat: Chat) -> None:
    assert await chat.users.get_many(["1", "77"]) == [User("1", "Pablo"), None]
    before = await chat.store.redis.info("commandstats")
    assert await chat.users.get_many(["1"]) == [User("1", "Pablo")]
    after = await chat.store.redis.info("commandstats")
    assert before["cmdstat_hget"]["calls"] == after["cmdstat_hget"]["calls"]

    await chat.store.call("HSET", keys.user("1"), "username", "Paul")

    async def is_known() -> bool:
        return await chat.users.get_many(["1"]) == [User("1", "Paul")]

    await eventually(is_known)


async def test_it_is_read_again_when_the_connection_was_lost(chat: Chat) -> None:
    hearing = chat.hub.hearing
    assert hearing is not None
    await chat.users.get_many(["1"])
    await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
    await chat.store.call("HSET", keys.user("1"), "username", "Paul")

    async def is_heard_again() -> bool:
        return chat.hub.hearing not in (None, hearing)

    await eventually(is_heard_again)
    assert await chat.users.get_many(["1"]) == [User("1", "Paul")]
