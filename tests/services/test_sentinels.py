"""A store behind sentinels: connections lead to the present primary, and to no other server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest
from redis.exceptions import ConnectionError

from services.errors import Unavailable
from services.redis.sentinels import Sentinels
from services.redis.store import Store, StoreError, check_store
from tests.store_process import BINARIES
from tests.topologies.node import HOST, name_of
from tests.topologies.replicated import SERVICE, Replicated

DEADLINE_SECONDS = 20
RIGHTS = ["+sentinel|master", "+sentinel|get-master-addr-by-name"]
"""As docs/stores.md has them."""


@pytest.fixture(params=BINARIES, ids=name_of)
def replicated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replicated]:
    replicated = Replicated(request.param, tmp_path)
    replicated.start()
    yield replicated
    replicated.close()


async def insist(store: Store, *command: str) -> Any:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await store.call(*command)
            except Unavailable:
                await asyncio.sleep(0.05)


async def port(store: Store) -> str:
    return str((await insist(store, "CONFIG", "GET", "port"))[b"port"].decode())


async def test_all_connections_follow_the_primary(replicated: Replicated) -> None:
    store = Store.from_url(replicated.url)
    await store.open()
    before, epoch = replicated.primary, store.epoch
    assert await port(store) == str(before.port)
    assert (await store.redis.config_get("port"))["port"] == str(before.port)
    # The one of before works on for some ten seconds, and does not know that it is over.
    await asyncio.to_thread(replicated.fail_over)
    async with asyncio.timeout(DEADLINE_SECONDS / 4):
        while await port(store) == str(before.port):
            await asyncio.sleep(0.05)
    assert await port(store) == str(replicated.primary.port)
    assert (await store.redis.config_get("port"))["port"] == str(replicated.primary.port)
    assert store.epoch != epoch

    replicated.primary.kill()
    await insist(store, "SET", "kept", "this")
    assert replicated.primary.operator.get("kept") == b"this"
    await store.close()


async def test_who_is_no_primary_is_refused(replicated: Replicated) -> None:
    """Though the sentinels name it still."""
    first, second, _ = replicated.servers
    first.operator.replicaof(HOST, str(second.port))
    store = Store.from_url(replicated.url)
    with pytest.raises(StoreError, match="is not the primary"):
        await check_store(store, "here")
    await store.close()


async def test_most_sentinels_may_be_down(replicated: Replicated) -> None:
    for sentinel in replicated.sentinels[:2]:
        sentinel.kill()
    store = Store.from_url(replicated.url)
    await store.open()
    await store.close()
    replicated.sentinels[2].kill()
    store = Store.from_url(replicated.url)
    with pytest.raises(StoreError, match=f"name no primary of {SERVICE}"):
        await check_store(store, "here")
    await store.close()


async def test_sentinels_that_do_not_know_the_service(replicated: Replicated) -> None:
    store = Store.from_url(replicated.url.replace(SERVICE, "unheard-of"))
    with pytest.raises(StoreError, match="no service unheard-of is watched"):
        await check_store(store, "here")
    await store.close()


async def test_a_service_that_is_not_watched_any_more_is_no_end_of_watching() -> None:
    """A sentinel may be told to forget it between the two questions that it is asked."""
    state = ["config-epoch", "1", "flags", "master", "name", SERVICE]
    rest = b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in state)
    told = b"*%d\r\n%b" % (len(state), rest)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while data := await reader.read(1000):
            commands.feed(data)
            while words := commands.gets():
                subject = words[1].lower()
                reply = {b"master": told, b"get-master-addr-by-name": b"*-1\r\n"}
                writer.write(reply.get(subject, b"+OK\r\n"))
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        place = server.sockets[0].getsockname()
        sentinels = Sentinels(SERVICE, [place], {"protocol": 2}, is_tls=False)
        with pytest.raises(ConnectionError, match=f"no service {SERVICE} is watched"):
            await sentinels.primary()
        await sentinels.close()


async def test_sentinels_have_users_of_their_own(tmp_path: Path) -> None:
    guarded = Replicated(BINARIES[0], tmp_path, replicas=1, sentinels=2, password="secret")
    guarded.start()
    store = Store.from_url(guarded.url)
    await store.open()
    await store.close()

    for sentinel in guarded.sentinels:
        sentinel.operator.acl_setuser("parley", enabled=True, passwords="+s", commands=RIGHTS)
    address = guarded.url.partition("?")[0]
    store = Store.from_url(f"{address}?sentinel_username=parley&sentinel_password=s")
    await store.open()
    await store.close()

    store = Store.from_url(address)
    with pytest.raises(StoreError, match="authenticated"):
        await check_store(store, "here")
    await store.close()
    guarded.close()
