"""A store that is away, stopped, full or demoted: UNAVAILABLE in time, and nothing half-written."""

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from services.chat import Chat
from services.errors import RateLimited, Unavailable
from services.hub.channel import RedisChannels
from services.models import Message, Room
from services.rates import Rate, Rates
from services.redis.durability import Durability
from services.redis.sentinels import Place
from services.redis.store import Store, StoreError, check_durability
from tests.faults.proxy import Proxy
from tests.patience import within
from tests.store_process import BINARIES, REDIS, VALKEY, StoreProcess

LIMIT = 2.0
"""Seconds, as promised."""

GENERAL = Room("0", "General")


@pytest.fixture(scope="module", params=BINARIES, ids=lambda binary: Path(binary).name)
def shared_process(request: pytest.FixtureRequest) -> Iterator[StoreProcess]:
    process = StoreProcess(request.param)
    yield process
    process.close()


@pytest.fixture
def process(shared_process: StoreProcess) -> StoreProcess:
    shared_process.operator.flushall()
    return shared_process


@pytest.fixture
def mortal() -> Iterator[StoreProcess]:
    """A Valkey for one test."""
    process = StoreProcess()
    yield process
    process.close()


@asynccontextmanager
async def opened(
    url: str, durability: Durability | None = None, rates: Rates | None = None
) -> AsyncIterator[Chat]:
    """The services, without the tasks in the background."""
    chat = Chat(
        Store.from_url(url),
        bcrypt_cost=4,
        durability=durability or Durability(),
        rates=rates or Rates(),
    )
    await chat.store.open()
    try:
        yield chat
    finally:
        chat.passwords.close()
        await chat.store.close()


async def send(chat: Chat, text: str, key: str) -> Message:
    return await chat.messages.send("1", GENERAL, text, key)


async def unavailable(attempt: Awaitable[object]) -> str:
    """Why the attempt failed, as it has to, in time."""
    with pytest.raises(Unavailable) as caught:
        await within(LIMIT, attempt)
    return caught.value.message


def everything(process: StoreProcess) -> dict[str | bytes, bytes | None]:
    return {key: process.operator.dump(key) for key in process.operator.scan_iter()}


@contextmanager
def full(process: StoreProcess) -> Iterator[None]:
    process.operator.config_set("maxmemory", 1)
    try:
        yield
    finally:
        process.operator.config_set("maxmemory", 0)


@contextmanager
def demoted(process: StoreProcess) -> Iterator[None]:
    process.operator.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        process.operator.replicaof("NO", "ONE")


@contextmanager
def cut_off(process: StoreProcess) -> Iterator[None]:
    process.operator.config_set("replica-serve-stale-data", "no")
    try:
        with demoted(process):
            yield
    finally:
        process.operator.config_set("replica-serve-stale-data", "yes")


@contextmanager
def without_replicas(process: StoreProcess) -> Iterator[None]:
    process.operator.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        process.operator.config_set("min-replicas-to-write", 0)


@contextmanager
def unable_to_save(process: StoreProcess) -> Iterator[None]:
    shutil.rmtree(process.folder)
    process.operator.config_set("save", "3600 1")
    process.operator.bgsave()
    while process.operator.info("persistence")["rdb_last_bgsave_status"] != "err":
        time.sleep(0.01)
    try:
        yield
    finally:
        process.operator.config_set("save", "")
        process.folder.mkdir()


@contextmanager
def busy(process: StoreProcess) -> Iterator[None]:
    process.operator.config_set("busy-reply-threshold", 10)
    with socket.create_connection(("127.0.0.1", process.port)) as connection:
        connection.sendall(b"EVAL 'while true do end' 0\r\n")
        while not _is_busy(process):
            time.sleep(0.01)
        try:
            yield
        finally:
            process.operator.script_kill()
            while _is_busy(process):
                time.sleep(0.01)


def _is_busy(process: StoreProcess) -> bool:
    try:
        process.operator.get("x")
    except ResponseError as error:
        return str(error).startswith("BUSY")
    return False


@pytest.mark.parametrize(
    ("fault", "state", "state_of_script"),
    [
        (full, "full", None),
        (demoted, "read-only", None),
        (cut_off, "read-only", "cut off from its primary"),
        (without_replicas, "without its replicas", None),
        (unable_to_save, "unable to save to its disk", None),
        (busy, "busy with a script", None),
    ],
)
async def test_a_refused_send_leaves_nothing(
    process: StoreProcess,
    fault: Callable[[StoreProcess], AbstractContextManager[None]],
    state: str,
    state_of_script: str | None,
) -> None:
    async with opened(process.url) as chat:
        first = await send(chat, "before", "a")
        before = everything(process)
        with fault(process):
            reason = f"The store is {state}, please try again."
            assert await unavailable(chat.store.check_writable()) == reason
            pipe = chat.store.pipeline(atomic=True)
            pipe.add("SET", "x", "y")
            assert await unavailable(chat.store.execute(pipe)) == reason
            assert (state_of_script or state) in await unavailable(send(chat, "refused", "b"))
        assert everything(process) == before
        again = await send(chat, "refused", "b")
        assert again.position > first.position
        assert await send(chat, "refused", "b") == again
        assert process.operator.zcard("room:0") == 2


@pytest.mark.parametrize("fault", [full, demoted, without_replicas, unable_to_save])
async def test_without_writes_the_logged_in_read_on_and_nobody_guesses(
    process: StoreProcess, fault: Callable[[StoreProcess], AbstractContextManager[None]]
) -> None:
    limit = Rate(3, "day")
    rates = Rates(logins_per_name=limit, operations_per_token=limit, messages_per_user=limit)
    async with opened(process.url, rates=rates) as chat:
        user = await chat.users.register("Mary", "password123")
        token, session = await chat.sessions.create(user.id)
        with fault(process):
            for _ in range(5):
                assert await chat.sessions.resolve(token, ["operation", "message"]) == session
            await unavailable(chat.users.authenticate("Mary", "password123"))
            await unavailable(chat.users.register("Zoé", "password123"))
        for _ in range(3):
            assert await chat.sessions.resolve(token, ["operation"]) == session
        with pytest.raises(RateLimited):
            await chat.sessions.resolve(token, ["operation"])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("LOADING Redis is loading the dataset in memory", "loading its data"),
        ("CLUSTERDOWN The cluster is down", "cut off from its cluster"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "moving its data"),
        ("MOVED 3999 127.0.0.1:6381", "moving its data"),
        ("UNBLOCKED force unblock from blocking operation", "changing its role"),
        ("ERR max number of clients reached", "not available"),
        ("NOAUTH Authentication required.", "not available"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "not available"),
        ("NOSCRIPT No matching script.", "not available"),
        (
            "ERR Error running script (call to f_1): @user_script:7: @user_script: 7: "
            "-OOM command not allowed when used memory > 'maxmemory'.",
            "full",
        ),
    ],
)
@pytest.mark.parametrize("from_the_start", [False, True])
async def test_every_way_to_say_not_now(answer: str, state: str, from_the_start: bool) -> None:
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        while request := await reader.read(10_000):
            # redis-py begins a connection with HELLO and two CLIENT SETINFO.
            greeted = b"HELLO" not in request and b"SETINFO" not in request
            count = request.count(b"*") if greeted or from_the_start else 0
            writer.write(f"-{answer}\r\n".encode() * count)
            writer.write(b"%0\r\n" if b"HELLO" in request and not count else b"")
            writer.write(b"+OK\r\n" * (0 if count else request.count(b"SETINFO")))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    store = Store.from_url(f"redis://127.0.0.1:{port}")
    message = await unavailable(store.call("GET", "x"))
    assert message == f"The store is {state}, please try again."
    await store.close()
    await asyncio.wait([task for task in serving if task])
    server.close()


async def test_a_mistake_of_ours_stays_one(process: StoreProcess) -> None:
    async with opened(process.url) as chat:
        await chat.store.call("SET", "x", "y")
        pipe = chat.store.pipeline(atomic=True)
        pipe.add("LPUSH", "x", "y")
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await chat.store.execute(pipe)
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await chat.store.call("LPUSH", "x", "BUSY ")
        with pytest.raises(ResponseError, match="unknown command"):
            await chat.store.call("BUSY", "x")


async def test_a_password_that_was_changed(mortal: StoreProcess) -> None:
    async with opened(mortal.url) as chat:
        mortal.operator.config_set("requirepass", "new")
        mortal.operator.client_kill_filter(_type="normal", skipme=True)
        assert "not available" in await unavailable(chat.store.call("GET", "x"))
        mortal.operator.config_set("requirepass", "")
        assert await chat.store.call("GET", "x") is None


async def test_no_connection_left(mortal: StoreProcess) -> None:
    mortal.operator.config_set("maxclients", 1)
    store = Store.from_url(mortal.url)
    assert "not available" in await unavailable(store.call("GET", "x"))
    mortal.operator.config_set("maxclients", 100)
    assert await store.call("GET", "x") is None
    await store.close()


async def test_a_store_that_stands_still_gives_nobody_the_reply_of_another(
    mortal: StoreProcess,
) -> None:
    async def echo(store: Store, word: str, *, atomic: bool) -> None:
        pipe = store.pipeline(atomic=atomic)
        pipe.add("ECHO", word)
        pipe.add("ECHO", word + word)
        assert await store.execute(pipe) == [word.encode(), word.encode() * 2]

    def echoes(store: Store, name: str) -> list[Awaitable[None]]:
        return [echo(store, f"{name}{n}", atomic=n % 2 == 0) for n in range(20)]

    async with opened(mortal.url) as chat:
        await asyncio.gather(*echoes(chat.store, "warm-up"))
        mortal.pause()
        lost = asyncio.gather(*echoes(chat.store, "late"), return_exceptions=True)
        given_up = asyncio.gather(*(asyncio.ensure_future(e) for e in echoes(chat.store, "gone")))
        await asyncio.sleep(0.2)
        given_up.cancel()
        assert all(isinstance(failure, Unavailable) for failure in await within(LIMIT, lost))
        assert "not available" in await unavailable(chat.messages.send("1", GENERAL, "x", "y"))
        with pytest.raises(Unavailable):
            async with chat.store.guard() as redis:
                await redis.get("x")
        mortal.resume()
        await asyncio.gather(*echoes(chat.store, "back"))
        for n in range(5):
            await asyncio.gather(*echoes(chat.store, f"again{n}-"))


async def test_a_short_stop_is_not_noticed(mortal: StoreProcess) -> None:
    async with opened(mortal.url) as chat:
        mortal.pause()
        sending = asyncio.create_task(send(chat, "patience", "a"))
        await asyncio.sleep(0.5)
        mortal.resume()
        assert await send(chat, "patience", "a") == await sending
        assert mortal.operator.zcard("room:0") == 1


async def test_a_connection_whose_peer_has_vanished(mortal: StoreProcess) -> None:
    proxy = Proxy(("127.0.0.1", mortal.port))
    await proxy.open()
    async with opened(f"redis://127.0.0.1:{proxy.address[1]}") as chat:
        first = await send(chat, "hello", "a")
        proxy.black_out()
        assert await within(LIMIT, send(chat, "hello", "a")) == first
    await proxy.close()


async def test_a_black_hole() -> None:
    serving: list[asyncio.Task[None] | None] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        while await reader.read(10_000):
            pass
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(swallow, "127.0.0.1")
    store = Store.from_url(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert "not available" in await unavailable(store.call("GET", "x"))
    await store.close()
    await asyncio.wait([task for task in serving if task])
    server.close()


async def test_waiting_for_a_connection_counts(mortal: StoreProcess) -> None:
    async with opened(mortal.url, Durability(replicas=1)) as chat:
        pool: Any = chat.store.redis.connection_pool
        taken = [await pool.get_connection() for _ in range(pool.max_connections)]
        assert "not available" in await unavailable(send(chat, "x", "a"))
        for connection in taken:
            await pool.release(connection)
        assert "not safe yet" in await unavailable(send(chat, "x", "a"))


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_store_that_was_killed_and_is_back(
    mortal: StoreProcess, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def scenario() -> None:
        async with opened(mortal.url) as chat:
            pool: Any = chat.store.redis.connection_pool
            idle = [await pool.get_connection() for _ in range(4)]
            mortal.pause()
            for connection in idle:
                # Not read when it is killed: that makes it a reset instead of an end.
                await connection.send_command("PING")
            mortal.kill()
            for connection in idle:
                await pool.release(connection)
            assert "not available" in await unavailable(chat.store.call("GET", "x"))
            mortal.start()
            # Each of them takes one of the connections that broke.
            calls = [chat.store.redis.get("x") for _ in range(4)]
            assert await asyncio.gather(*calls) == [None] * 4
            message = await send(chat, "scripts are loaded again", "a")
            assert await send(chat, "scripts are loaded again", "a") == message

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())


async def test_another_store_behind_the_address(mortal: StoreProcess) -> None:
    """As when the name of a demoted primary leads to the new one: it has not closed anything."""
    successor = StoreProcess()
    proxy = Proxy(("127.0.0.1", mortal.port))
    await proxy.open()
    async with opened(f"redis://127.0.0.1:{proxy.address[1]}") as chat:
        await asyncio.gather(*(chat.store.redis.get("x") for _ in range(4)))
        with demoted(mortal):
            proxy._target = ("127.0.0.1", successor.port)
            assert "read-only" in await unavailable(chat.store.check_writable())
            for _ in range(4):
                await chat.store.check_writable()
    await proxy.close()
    successor.close()


@pytest.fixture
def replicated() -> Iterator[tuple[StoreProcess, StoreProcess]]:
    primary = StoreProcess(VALKEY, {"appendonly": "yes"})
    replica = StoreProcess(VALKEY, {"replicaof": f"127.0.0.1 {primary.port}"})
    while not _is_linked(replica):
        time.sleep(0.01)
    yield primary, replica
    replica.close()
    primary.close()


def _is_linked(replica: StoreProcess) -> bool:
    return bool(replica.operator.info("replication")["master_link_status"] == "up")


async def test_a_message_that_a_replica_must_have(
    replicated: tuple[StoreProcess, StoreProcess],
) -> None:
    primary, replica = replicated
    async with opened(primary.url, Durability(replicas=1)) as chat:
        kept = [await send(chat, "a", "a")]
        replica.pause()
        for _ in range(2):
            # Sending again must not be confirmed only because the primary knows it.
            assert "clientMessageId is safe" in await unavailable(send(chat, "b", "b"))
        # Others do not wait.
        assert await chat.store.call("ZCARD", "room:0") == 2
        await chat.store.check_writable()
        replica.resume()
        kept.append(await send(chat, "b", "b"))
        kept.append(await send(chat, "c", "c"))
        primary.kill()
    replica.operator.replicaof("NO", "ONE")
    async with opened(replica.url) as chat:
        assert replica.operator.zcard("room:0") == 3
        assert [await send(chat, text, text) for text in "abc"] == kept


async def test_a_message_that_must_be_on_the_disk(
    replicated: tuple[StoreProcess, StoreProcess],
) -> None:
    primary, _ = replicated
    both = Durability(replicas=1, disk=True)
    async with opened(primary.url, both) as chat:
        await check_durability(chat.store, both, primary.url)
        sent = await asyncio.gather(*(send(chat, f"{n}", f"{n}") for n in range(40)))
        assert len({message.position for message in sent}) == 40
        primary.operator.config_set("appendonly", "no")
        with pytest.raises(StoreError, match="appendonly"):
            await check_durability(chat.store, both, primary.url)


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
async def test_a_store_too_old_to_wait_for_its_disk() -> None:
    assert REDIS is not None
    process = StoreProcess(REDIS, {"appendonly": "yes"})
    store = Store.from_url(process.url)
    if "waitaof" not in process.operator.command():
        with pytest.raises(StoreError, match="WAIT_DISK needs"):
            await check_durability(store, Durability(disk=True), process.url)
    await store.close()
    process.close()


async def test_the_log_says_once_that_nothing_is_heard(
    mortal: StoreProcess, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "services.hub.channel")
    store = Store.from_url(mortal.url)
    tries: asyncio.Queue[None] = asyncio.Queue()
    make = store.lonely_connection

    def counted(at: Place | None) -> AbstractConnection:
        tries.put_nowait(None)
        return make(at)

    monkeypatch.setattr(store, "lonely_connection", counted)
    channels = RedisChannels(store, ["news"])
    await channels.subscribe("all")
    await channels.connected.wait()
    mortal.kill()
    for _ in range(6):
        await tries.get()
    mortal.start()
    await channels.connected.wait()
    await channels.disconnect()
    await store.close()

    *troubles, end = [record.getMessage() for record in caplog.records]
    assert len(troubles) == len(set(troubles)) > 0
    assert all("not heard" in trouble for trouble in troubles)
    assert "heard again" in end
