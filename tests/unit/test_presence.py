"""Presence over several server processes, simulated by services with server ids of their own."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ResponseError

from services.errors import Unavailable
from services.models import Presence, User
from services.presence import PresenceService
from services.redis.store import Store

PABLO = User("1", "Pablo")
JOE = User("2", 'J"o\\e/\u2028é😀')
ONLINE = Presence(True, None)
SHORT_LEASE = 0.15


class Heard:
    """What is published on the channel of all servers."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub

    async def envelopes(self) -> list[dict[str, Any]]:
        """Everything since the last call."""
        found = []
        while (message := await self._pubsub.get_message(timeout=0.05)) is not None:
            found.append(json.loads(message["data"]))
        return found

    async def news(self) -> list[tuple[str, str]]:
        return [(item["type"], item["data"]["id"]) for item in await self.envelopes()]


CAME, LEFT = "user.connected", "user.disconnected"


@pytest.fixture
async def heard(store: Store) -> AsyncIterator[Heard]:
    async with store.redis.pubsub() as pubsub:
        await pubsub.subscribe("MESSAGES")
        await pubsub.get_message(timeout=1)
        yield Heard(pubsub)


@pytest.fixture
def here(store: Store) -> PresenceService:
    return PresenceService(store, "gql-here")


@pytest.fixture
def there(other_store: Store) -> PresenceService:
    return PresenceService(other_store, "gql-there")


async def online(store: Store) -> set[bytes]:
    members: set[bytes] = await store.call("SMEMBERS", "online_users")
    return set(members)


class Held:
    """Holds back a store's scripts, or makes them fail."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_go = asyncio.Event()
        self.is_away = False
        self.started: list[str] = []
        self._run = store.run
        monkeypatch.setattr(store, "run", self.run)

    async def run(self, script: str, *args: Any) -> Any:
        self.started.append(script)
        await self.may_go.wait()
        if self.is_away:
            raise Unavailable("away")
        return await self._run(script, *args)


@pytest.fixture
def held(store: Store, monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(store, monkeypatch)


class TestOneProcess:
    async def test_coming_and_going(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        assert await here.many(["1"]) == [Presence(False, None)]

        await here.connect(JOE)
        assert await online(store) == {b"2"}
        assert await here.many(["1", "2"]) == [Presence(False, None), ONLINE]
        assert await heard.envelopes() == [
            {
                "serverId": "gql-here",
                "type": "user.connected",
                "data": {"id": "2", "username": JOE.username, "online": True},
            }
        ]

        before = time.time_ns() // 1000
        await here.disconnect(JOE)
        assert await online(store) == set()
        (presence,) = await here.many(["2"])
        assert not presence.online
        assert presence.last_seen_at == pytest.approx(before, abs=5_000_000)
        assert await heard.envelopes() == [
            {
                "serverId": "gql-here",
                "type": "user.disconnected",
                "data": {"id": "2", "username": JOE.username, "online": False},
            }
        ]

    async def test_the_bytes_are_compact_and_in_one_line(
        self, store: Store, here: PresenceService
    ) -> None:
        async with store.redis.pubsub() as pubsub:
            await pubsub.subscribe("MESSAGES")
            await pubsub.get_message(timeout=1)
            await here.connect(PABLO)
            await here.disconnect(PABLO)
            for kind, flag in ((b"connected", b"true"), (b"disconnected", b"false")):
                message = await pubsub.get_message(timeout=1)
                assert message is not None
                assert message["data"] == (
                    b'{"serverId":"gql-here","type":"user.%s",'
                    b'"data":{"id":"1","username":"Pablo","online":%s}}' % (kind, flag)
                )

    async def test_tabs_count_as_one(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        for _ in range(3):
            await here.connect(PABLO)
        await here.disconnect(PABLO)
        await here.disconnect(PABLO)
        assert await online(store) == {b"1"}
        assert await heard.news() == [(CAME, "1")]
        await here.disconnect(PABLO)
        assert await heard.news() == [(LEFT, "1")]
        await here.disconnect(PABLO)
        assert await heard.news() == []

    async def test_last_seen_is_null_while_online(self, here: PresenceService) -> None:
        await here.connect(PABLO)
        await here.disconnect(PABLO)
        await here.connect(PABLO)
        assert await here.many(["1"]) == [ONLINE]

    async def test_nobody_asked_for(self, here: PresenceService) -> None:
        assert await here.many([]) == []

    async def test_all_leave_when_it_ends(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await here.connect(PABLO)
        await here.connect(JOE)
        await heard.envelopes()
        await here.release_all()
        assert sorted(await heard.news()) == [(LEFT, "1"), (LEFT, "2")]
        # What ends later, or begins, changes nothing.
        await here.disconnect(PABLO)
        await here.connect(JOE)
        assert await heard.news() == []
        own = [key async for key in store.redis.scan_iter("*{online_users}*")]
        assert own == [b"parley:{online_users}:seen"]
        assert await online(store) == set()


class TestTwoProcesses:
    async def test_online_until_the_last_server_lost_the_user(
        self, store: Store, here: PresenceService, there: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await there.connect(PABLO)
        assert await heard.news() == [(CAME, "1")]
        await here.disconnect(PABLO)
        assert await online(store) == {b"1"}
        assert await heard.news() == []
        await there.disconnect(PABLO)
        assert await online(store) == set()
        (envelope,) = await heard.envelopes()
        assert (envelope["type"], envelope["serverId"]) == (LEFT, "gql-there")

    async def test_one_that_ends_leaves_the_others_users(
        self, store: Store, here: PresenceService, there: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await there.connect(PABLO)
        await there.connect(JOE)
        await heard.envelopes()
        await there.release_all()
        assert await heard.news() == [(LEFT, "2")]
        assert await online(store) == {b"1"}

    async def test_a_killed_servers_users_are_released(
        self, store: Store, other_store: Store, here: PresenceService, heard: Heard
    ) -> None:
        killed = PresenceService(other_store, "gql-killed", lease_seconds=1)
        await killed.connect(PABLO)
        await killed.connect(JOE)
        await here.connect(PABLO)
        await heard.envelopes()
        await here.sweep()
        assert await heard.news() == []

        ends = await store.call("ZSCORE", "parley:{online_users}:leases", "gql-killed")
        await asyncio.sleep(1.1)
        await asyncio.gather(here.sweep(), here.sweep())
        (envelope,) = await heard.envelopes()
        assert envelope == {
            "serverId": "gql-here",
            "type": LEFT,
            "data": {"id": "2", "username": JOE.username, "online": False},
        }
        assert await online(store) == {b"1"}
        # Seen until the lease ended, whenever the sweep comes.
        (presence,) = await here.many(["2"])
        assert presence.last_seen_at == int(float(ends))

        await here.disconnect(PABLO)
        assert await heard.news() == [(LEFT, "1")]
        assert await online(store) == set()

    async def test_a_heartbeat_keeps_the_users(
        self, store: Store, other_store: Store, here: PresenceService
    ) -> None:
        alive = PresenceService(other_store, "gql-alive", lease_seconds=3 * SHORT_LEASE)
        await alive.connect(PABLO)
        for _ in range(6):
            await asyncio.sleep(SHORT_LEASE)
            await alive.heartbeat()
            await here.sweep()
        assert await online(store) == {b"1"}

    async def test_a_server_that_hung_comes_back(
        self, store: Store, other_store: Store, here: PresenceService, heard: Heard
    ) -> None:
        hung = PresenceService(other_store, "gql-hung", lease_seconds=SHORT_LEASE)
        await hung.connect(PABLO)
        await hung.connect(JOE)
        await asyncio.sleep(2 * SHORT_LEASE)
        await here.sweep()
        assert await online(store) == set()
        await heard.envelopes()

        await hung.heartbeat()
        assert await online(store) == {b"1", b"2"}
        assert sorted(await heard.news()) == [(CAME, "1"), (CAME, "2")]
        await hung.heartbeat()
        assert await heard.news() == []
        await asyncio.sleep(2 * SHORT_LEASE)
        await here.sweep()
        assert await online(store) == set()

    async def test_a_swept_server_with_a_new_user_comes_back_as_well(
        self, store: Store, other_store: Store, here: PresenceService
    ) -> None:
        hung = PresenceService(other_store, "gql-hung", lease_seconds=SHORT_LEASE)
        await hung.connect(PABLO)
        await asyncio.sleep(2 * SHORT_LEASE)
        await here.sweep()
        await hung.connect(JOE)
        await hung.heartbeat()
        assert await online(store) == {b"1", b"2"}
        await hung.release_all()
        assert await online(store) == set()

    async def test_a_swept_server_whose_user_is_online_elsewhere(
        self, store: Store, other_store: Store, here: PresenceService, heard: Heard
    ) -> None:
        hung = PresenceService(other_store, "gql-hung", lease_seconds=SHORT_LEASE)
        await hung.connect(PABLO)
        await here.connect(PABLO)
        await asyncio.sleep(2 * SHORT_LEASE)
        await here.sweep()
        await hung.heartbeat()
        await here.disconnect(PABLO)
        assert await online(store) == {b"1"}
        assert await heard.news() == [(CAME, "1")]


class TestOtherServers:
    async def test_a_user_taken_for_gone_is_healed(
        self, store: Store, here: PresenceService, there: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await there.connect(PABLO)
        await heard.envelopes()
        await store.redis.srem("online_users", "1")
        await asyncio.gather(here.heal("1"), there.heal("1"), here.heal("1"))
        assert await online(store) == {b"1"}
        assert await heard.news() == [(CAME, "1")]
        await here.heal("1")
        assert await heard.news() == []

    async def test_nobody_is_healed_who_is_not_here(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await here.disconnect(PABLO)
        await heard.envelopes()
        await here.heal("1")
        await here.heal("7")
        assert await online(store) == set()
        assert await heard.news() == []

    async def test_the_heartbeat_heals_what_was_not_heard(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        await here.connect(PABLO)
        await here.connect(JOE)
        await heard.envelopes()
        await store.redis.srem("online_users", "1")
        await here.heartbeat()
        assert await online(store) == {b"1", b"2"}
        assert await heard.news() == [(CAME, "1")]

    async def test_their_users_stay_online(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        await store.redis.sadd("online_users", "9")
        await here.connect(PABLO)
        await here.heartbeat()
        await here.sweep()
        await here.release_all()
        assert await online(store) == {b"9"}

    async def test_an_emptied_store_gets_the_users_back(
        self, store: Store, here: PresenceService
    ) -> None:
        await here.connect(PABLO)
        await store.redis.flushdb()
        await here.heartbeat()
        assert await online(store) == {b"1"}


class TestInterleavings:
    async def test_quick_comings_and_goings(
        self, store: Store, here: PresenceService, there: PresenceService, heard: Heard
    ) -> None:
        async def visit(presence: PresenceService, user: User) -> None:
            await asyncio.sleep(random.random() / 50)
            await presence.connect(user)
            await asyncio.sleep(random.choice([0, random.random() / 100]))
            await presence.disconnect(user)

        await here.connect(JOE)
        await asyncio.gather(
            *(visit(random.choice([here, there]), random.choice([PABLO, JOE])) for _ in range(300))
        )
        assert await online(store) == {b"2"}
        await here.disconnect(JOE)
        assert await online(store) == set()
        news = await heard.news()
        for user_id in ("1", "2"):
            own = [kind for kind, who in news if who == user_id]
            assert own == [CAME, LEFT] * (len(own) // 2)
        keys = [key async for key in store.redis.scan_iter("*{online_users}:server:*")]
        assert keys == []

    async def test_a_reload_while_the_store_is_slow(
        self, store: Store, here: PresenceService, held: Held, heard: Heard
    ) -> None:
        first = asyncio.create_task(here.connect(PABLO))
        await asyncio.sleep(0)
        going = asyncio.create_task(here.disconnect(PABLO))
        await asyncio.sleep(0.01)
        again = asyncio.create_task(here.connect(PABLO))
        await asyncio.sleep(0.01)
        held.may_go.set()
        await asyncio.gather(first, going, again)
        assert await online(store) == {b"1"}
        assert await heard.news() == [(CAME, "1")]

    async def test_leaving_while_the_store_is_slow(
        self, store: Store, here: PresenceService, held: Held, heard: Heard
    ) -> None:
        coming = asyncio.create_task(here.connect(PABLO))
        await asyncio.sleep(0.01)
        going = asyncio.create_task(here.disconnect(PABLO))
        await asyncio.sleep(0.01)
        held.may_go.set()
        await asyncio.gather(coming, going)
        assert await online(store) == set()
        assert await heard.news() == [(CAME, "1"), (LEFT, "1")]

    async def test_healing_during_a_write_is_not_lost(
        self, store: Store, here: PresenceService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = store.run
        written = asyncio.Event()
        may_answer = asyncio.Event()

        async def slow_reply(*args: Any) -> Any:
            reply = await run(*args)
            written.set()
            await may_answer.wait()
            return reply

        monkeypatch.setattr(store, "run", slow_reply)
        coming = asyncio.create_task(here.connect(PABLO))
        await written.wait()
        await store.redis.srem("online_users", "1")
        healing = asyncio.create_task(here.heal("1"))
        await asyncio.sleep(0.01)
        may_answer.set()
        await asyncio.gather(coming, healing)
        assert await online(store) == {b"1"}

    @pytest.mark.parametrize("is_alone", [True, False])
    async def test_a_connection_that_is_cancelled_while_coming(
        self, store: Store, here: PresenceService, held: Held, is_alone: bool
    ) -> None:
        coming = asyncio.create_task(here.connect(PABLO))
        second = asyncio.create_task(here.connect(PABLO))
        await asyncio.sleep(0.01)
        coming.cancel()
        if is_alone:
            second.cancel()
        held.may_go.set()
        await asyncio.gather(coming, second, return_exceptions=True)
        await eventually(lambda: online(store), set() if is_alone else {b"1"})

    async def test_a_cancelled_farewell_is_said(
        self, store: Store, here: PresenceService, held: Held
    ) -> None:
        held.may_go.set()
        await here.connect(PABLO)
        held.may_go.clear()
        going = asyncio.create_task(here.disconnect(PABLO))
        await asyncio.sleep(0.01)
        going.cancel()
        held.may_go.set()
        await asyncio.gather(going, return_exceptions=True)
        await eventually(lambda: online(store), set())

    async def test_ending_while_users_come(
        self, store: Store, here: PresenceService, held: Held
    ) -> None:
        coming = [asyncio.create_task(here.connect(user)) for user in (PABLO, JOE)]
        await asyncio.sleep(0.01)
        ending = asyncio.create_task(here.release_all())
        await asyncio.sleep(0.01)
        held.may_go.set()
        await asyncio.gather(ending, *coming)
        assert await online(store) == set()


class TestFailures:
    async def test_the_heartbeat_makes_up_for_an_absent_store(
        self, store: Store, here: PresenceService, held: Held, heard: Heard
    ) -> None:
        held.may_go.set()
        await here.connect(PABLO)
        held.is_away = True
        await here.connect(JOE)
        await here.disconnect(PABLO)
        with pytest.raises(Unavailable):
            await here.heartbeat()
        assert await online(store) == {b"1"}
        held.is_away = False
        await here.heartbeat()
        assert await online(store) == {b"2"}
        assert sorted(await heard.news()) == [(CAME, "1"), (CAME, "2"), (LEFT, "1")]

    async def test_the_heartbeat_removes_who_was_registered_too_late(
        self, store: Store, here: PresenceService, heard: Heard
    ) -> None:
        await here.connect(JOE)
        late = PresenceService(store, "gql-here")
        await late.connect(PABLO)
        await here.heartbeat()
        assert await online(store) == {b"2"}
        assert await heard.news() == [(CAME, "2"), (CAME, "1"), (LEFT, "1")]
        await here.connect(PABLO)
        assert (await heard.envelopes())[0]["data"]["username"] == "Pablo"

    async def test_a_connection_that_failed_does_not_count(
        self, store: Store, here: PresenceService
    ) -> None:
        await store.redis.set("online_users", "not a set")
        with pytest.raises(ResponseError):
            await here.connect(PABLO)
        await store.redis.delete("online_users")
        await here.heartbeat()
        assert await online(store) == set()

    async def test_every_script_may_run_twice(
        self, store: Store, here: PresenceService, heard: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = store.run

        async def resent(*args: Any) -> Any:
            await run(*args)
            return await run(*args)

        monkeypatch.setattr(store, "run", resent)
        await here.connect(PABLO)
        await here.heartbeat()
        await here.sweep()
        await here.heal("1")
        await here.disconnect(PABLO)
        await here.connect(JOE)
        await here.release_all()
        assert await heard.news() == [(CAME, "1"), (LEFT, "1"), (CAME, "2"), (LEFT, "2")]
        assert await online(store) == set()

    async def test_a_settled_heartbeat_is_one_round_trip(
        self, here: PresenceService, held: Held
    ) -> None:
        held.may_go.set()
        await asyncio.gather(*(here.connect(User(str(n), f"user{n}")) for n in range(1, 200)))
        held.started.clear()
        await here.heartbeat()
        assert held.started == ["presence_heartbeat"]


async def eventually(look: Callable[[], Awaitable[object]], expected: object) -> None:
    for _ in range(100):
        if await look() == expected:
            return
        await asyncio.sleep(0.01)
    assert await look() == expected


async def test_who_was_mixed_up_by_the_store_is_put_right(
    here: PresenceService, store: Store
) -> None:
    """As by one that has lost its last moments, in which one user went and another came."""
    await here.connect(PABLO)
    await store.call("SREM", "online_users", PABLO.id)
    own = (await store.call("KEYS", "*gql-here"))[0]
    await store.call("SREM", own, PABLO.id)
    for place in (own, "online_users"):
        await store.call("SADD", place, JOE.id)
    await here.heartbeat()
    assert await online(store) == {JOE.id.encode()}  # Their number is right.
    await here.recheck()
    assert await online(store) == {PABLO.id.encode()}


async def test_leases_that_ended_while_the_store_was_away_are_renewed_first(
    store: Store, other_store: Store, here: PresenceService, held: Held
) -> None:
    there = PresenceService(other_store, "gql-there", lease_seconds=SHORT_LEASE)
    await there.connect(PABLO)
    held.may_go.set()
    held.is_away = True
    with pytest.raises(Unavailable):
        await here.heartbeat()
    await asyncio.sleep(2 * SHORT_LEASE)
    held.is_away = False
    await here.heartbeat()
    await here.sweep()
    assert await online(store) == {b"1"}
    await here.heartbeat()
    await here.sweep()
    assert await online(store) == set()
