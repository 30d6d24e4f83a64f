"""The store on a Redis Cluster: every command finds its server, also while slots move."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services import keys
from services.accounts.registration import register
from services.chat import Chat
from services.errors import Conflict, Unavailable
from services.redis.cluster import slot_of
from services.redis.durability import Durability
from services.redis.store import Store, StoreError, check_store
from tests.store_process import StoreProcess
from tests.topologies.cluster import Cluster
from tests.topologies.node import Node

NAMES = [f"key{number}" for number in range(60)]


@pytest.fixture
async def store(empty_cluster: Cluster) -> AsyncIterator[Store]:
    store = Store.from_url(empty_cluster.url)
    await store.open()
    yield store
    await store.close()


def another(cluster: Cluster, key: str) -> Node:
    """A primary that does not have the key."""
    return next(node for node in cluster.nodes if node is not cluster.primary_of(key))


@pytest.mark.parametrize(
    "names",
    [
        [
            keys.room("1:2"),
            keys.room_log("1:2"),
            keys.room_foreign("1:2"),
            keys.room_sent("1:2", "1", "key"),
            keys.log_clock("room:1:2"),
            keys.bell("room:1:2"),
        ],
        [
            keys.user_rooms("4"),
            keys.user_log("4"),
            keys.user_announced("4"),
            keys.log_clock("user:4"),
            keys.bell("user:4"),
        ],
        [
            keys.user("4"),
            keys.session("4", "hash"),
            keys.sessions("4"),
            keys.messages_bucket("4"),
            keys.operations_bucket("4", "hash"),
            keys.bot_operations_bucket("4"),
        ],
        [keys.ONLINE_USERS, keys.presence("leases"), keys.presence("server:x"), keys.PRESENCE_BELL],
        [keys.guesses_bucket("log-ins", by, "digest") for by in ("address", "name")],
    ],
    ids=["room", "rooms of a user", "account", "presence", "guesses"],
)
def test_keys_of_one_step_share_a_slot(names: list[str]) -> None:
    assert len({slot_of(name) for name in names}) == 1


async def test_replies_come_in_the_order_of_the_commands(store: Store) -> None:
    pipe = store.pipeline()
    for name in NAMES:
        pipe.add("SET", name, name)
        pipe.add("APPEND", name, "!")
        pipe.add("GET", name)
    pipe.add("MGET", "nobody", *NAMES)
    replies = await store.execute(pipe)
    assert replies[2:-1:3] == [f"{name}!".encode() for name in NAMES]
    assert replies[-1] == [None, *(f"{name}!".encode() for name in NAMES)]


async def test_one_server_is_enough_to_find_all(empty_cluster: Cluster) -> None:
    for node in empty_cluster.nodes:
        store = Store.from_url(f"redis+cluster://{node.place}")
        await store.open()
        assert await store.call("MGET", *NAMES) == [None] * len(NAMES)
        await store.close()


async def test_an_error_is_its_own_commands(store: Store) -> None:
    await store.call("SET", "text", "x")
    pipe = store.pipeline()
    pipe.add("SET", "key1", 1)
    pipe.add("LPUSH", "text", "x")
    with pytest.raises(Exception, match="WRONGTYPE"):
        await store.execute(pipe)
    assert await store.call("GET", "key1") == b"1"


async def test_a_step_of_several_slots_is_a_mistake(store: Store) -> None:
    pipe = store.pipeline(atomic=True)
    pipe.add("SET", "key1", 1)
    pipe.add("SET", "key2", 2)
    with pytest.raises(ValueError, match="one slot"):
        await store.execute(pipe)


async def test_a_step_of_one_slot_is_atomic(store: Store) -> None:
    pipe = store.pipeline(atomic=True)
    pipe.add("SET", "{key}1", 1)
    pipe.add("INCR", "{key}1")
    assert await store.execute(pipe) == [b"OK", 2]


async def test_forgotten_scripts_are_loaded_again(store: Store, empty_cluster: Cluster) -> None:
    for node in empty_cluster.nodes:
        node.operator.script_flush()
    rooms = [str(number) for number in range(20)]
    found = await store.run_for_all(
        "newest", [(keys.room(id_), keys.room_foreign(id_)) for id_ in rooms]
    )
    assert found == [b""] * 60


async def test_who_has_moved_is_found(store: Store, empty_cluster: Cluster) -> None:
    pipe = store.pipeline()
    for name in NAMES:
        pipe.add("INCR", name)
    await store.execute(pipe)
    for name in NAMES[:5]:
        empty_cluster.move_slot(name, another(empty_cluster, name))
    assert await store.execute(pipe) == [2] * len(NAMES)
    assert await store.execute(pipe) == [3] * len(NAMES)


async def test_keys_are_found_on_both_ends_of_a_move(store: Store, empty_cluster: Cluster) -> None:
    names = [f"{{key1}}{number}" for number in range(6)]
    pipe = store.pipeline()
    for number, name in enumerate(names):
        pipe.add("SET", name, number)
    await store.execute(pipe)
    move = empty_cluster.begin_move("key1", another(empty_cluster, "key1"))
    move.carry_over(*names[::2])
    reading = store.pipeline()
    for name in names:
        reading.add("GET", name)
    assert await store.execute(reading) == [b"0", b"1", b"2", b"3", b"4", b"5"]
    # Those together are neither here nor there.
    with pytest.raises(Unavailable, match="moving its data"):
        await store.call("MGET", *names)
    together = asyncio.create_task(store.call("MGET", *names))
    await asyncio.sleep(0.1)
    move.carry_over()
    move.end()
    assert await together == [b"0", b"1", b"2", b"3", b"4", b"5"]


async def test_waiting_for_replicas_is_on_the_server_that_wrote(
    store: Store, empty_cluster: Cluster
) -> None:
    # There are none: the number of replicas comes from the right place, and is too small.
    with pytest.raises(Unavailable, match="not safe yet"):
        await store.run_durably(
            Durability(replicas=1), "session_end", ["{key1}a", "{key1}b"], "hash", "channel"
        )


async def test_links_that_were_dropped_are_made_again(store: Store) -> None:
    await asyncio.gather(*(store.call("INCR", name) for name in NAMES))
    await store.drop_connections()
    assert await store.call("MGET", *NAMES) == [b"1"] * len(NAMES)


async def test_no_cluster_is_told() -> None:
    process = StoreProcess()
    store = Store.from_url(f"redis+cluster://127.0.0.1:{process.port}")
    with pytest.raises(StoreError, match="cluster"):
        await check_store(store, "there")
    await store.close()
    process.close()


async def test_nobody_answers() -> None:
    store = Store.from_url("redis+cluster://127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(Unavailable):
        await store.call("GET", "key1")
    await store.close()


# Accounts


async def test_one_of_many_with_names_alike_is_registered(empty_cluster: Cluster) -> None:
    chats = [Chat(Store.from_url(empty_cluster.url), bcrypt_cost=4) for _ in range(2)]
    for chat in chats:
        await chat.store.open()
    names = ["Rosalind", "rosalind", "Rosalind", "Rosa1ind"]
    registering = [chat.users.register(name, "password123") for chat in chats for name in names]
    outcomes = await asyncio.gather(*registering, return_exceptions=True)
    (user,) = (outcome for outcome in outcomes if not isinstance(outcome, BaseException))
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome is not user)
    users, _ = await chats[0].users.page(0, 100, None)
    assert users == [user]
    assert await chats[1].users.authenticate(user.username, "password123") == user
    for chat in chats:
        await chat.close()


@pytest.mark.parametrize("steps", range(5))
async def test_what_a_dead_process_began_is_free(store: Store, steps: int) -> None:
    begun = [
        ("HSET", keys.user("1"), "password", "another hash"),
        ("SADD", keys.user_rooms("1"), "0"),
        ("HSET", keys.SPELLINGS, "zoe", "1"),
        ("SET", keys.username("Zoe"), "user:1"),
    ]
    await store.call("SET", keys.TOTAL_USERS, 1)
    for command in begun[:steps]:
        await store.call(*command)
    user_id = await register(store, "Zoe", "hash", ["zoe"])
    assert user_id is not None
    assert await store.call("GET", keys.username("Zoe")) == f"user:{user_id}".encode()
    name, password = await store.call("HMGET", keys.user(user_id), "username", "password")
    assert (name, password) == (b"Zoe", b"hash")
    assert await register(store, "zoe", "hash", ["zoe"]) is None
