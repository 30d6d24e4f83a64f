"""Servers that are killed and stopped."""

import time

from tests.faults.drill import Drill, Node
from tests.faults.load import Load
from tests.faults.stores import FaultStore

STOP_SECONDS = 10.0
SERVICE_RESTART = 1012


async def test_killed(drill: Drill[FaultStore]) -> None:
    """The server is killed and started again"""
    (server,) = await drill.serve(1)
    async with drill.load() as load:
        await load.reach(0.4)
        await server.kill()
        await server.start()
        load.expect_recovery()


async def test_one_of_two_killed(drill: Drill[FaultStore]) -> None:
    """One of two servers is killed"""
    server, _ = await drill.serve(2)
    async with drill.load() as load:
        await load.reach(0.4)
        killed_at = time.monotonic()
        await server.kill()
        load.expect_recovery(killed_at)


async def test_stopped(drill: Drill[FaultStore]) -> None:
    """The server is stopped (SIGTERM) and started again"""
    (server,) = await drill.serve(1)
    async with drill.load() as load:
        await load.reach(0.4)
        await stop_gently(server)
        await server.start()
        load.expect_recovery()
    assert close_codes(load) == {SERVICE_RESTART}


async def test_rolling_restart(drill: Drill[FaultStore]) -> None:
    """Two servers are restarted, one after the other"""
    servers = await drill.serve(2)
    async with drill.load() as load:
        for share, server in zip((0.3, 0.6), servers, strict=True):
            await load.reach(share)
            stopped_at = time.monotonic()
            await stop_gently(server)
            await server.start()
            await load.connected()
        load.expect_recovery(stopped_at)
    assert close_codes(load) == {SERVICE_RESTART}


async def stop_gently(server: Node) -> None:
    status, seconds = await server.stop()
    assert status == 0
    assert seconds < STOP_SECONDS


def close_codes(load: Load) -> set[int]:
    return {code for subscriber in load.subscribers for code in subscriber.close_codes}
