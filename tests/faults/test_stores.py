"""Stores that are killed, stand still, are full or take no writes."""

import asyncio

import httpx
import pytest

from tests.api.client import Failed
from tests.faults.callers import GENERAL
from tests.faults.drill import Drill, Node
from tests.faults.load import Load
from tests.faults.stores import OwnStore
from tests.patience import within

REFUSAL_SECONDS = 2.0
STANDSTILL_SECONDS = 3.0


async def test_killed(own_drill: Drill[OwnStore]) -> None:
    """The store is killed and started again (appendfsync always)"""
    await own_drill.serve(1)
    async with own_drill.load() as load:
        await load.reach(0.4)
        own_drill.store.process.kill()
        await asyncio.to_thread(own_drill.store.process.start)
        load.expect_recovery()


async def test_stands_still(own_drill: Drill[OwnStore]) -> None:
    """The store stands still for 3 seconds (SIGSTOP)"""
    await own_drill.serve(1)
    async with own_drill.load() as load:
        await load.reach(0.4)
        own_drill.store.process.pause()
        await asyncio.sleep(STANDSTILL_SECONDS)
        own_drill.store.process.resume()
        load.expect_recovery()


async def test_full(own_drill: Drill[OwnStore]) -> None:
    """The store is full for a while (maxmemory)"""
    (server,) = await own_drill.serve(1)
    operator = own_drill.store.operator
    async with own_drill.load() as load:
        await load.reach(0.4)
        operator.config_set("maxmemory", 1)
        await assert_writes_are_refused(load, server)
        operator.config_set("maxmemory", 0)
        load.expect_recovery()


async def test_read_only(own_drill: Drill[OwnStore]) -> None:
    """The store takes no writes for a while (REPLICAOF)"""
    (server,) = await own_drill.serve(1)
    operator = own_drill.store.operator
    async with own_drill.load() as load:
        await load.reach(0.4)
        operator.replicaof("127.0.0.1", "1")
        await assert_writes_are_refused(load, server)
        operator.replicaof("NO", "ONE")
        load.expect_recovery()


async def assert_writes_are_refused(load: Load, server: Node) -> None:
    caller = load.caller("Alex", [server.url])
    sending = caller.ask(
        "mutation($room: ID!)"
        ' { sendMessage(input: { roomId: $room, text: "no" }) { message { id } } }',
        room=GENERAL,
    )
    with pytest.raises(Failed) as caught:
        await within(REFUSAL_SECONDS, sending)
    assert caught.value.codes == ["UNAVAILABLE"]
    async with httpx.AsyncClient(base_url=server.url, verify=False) as http:
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/healthz")).status_code == 200
