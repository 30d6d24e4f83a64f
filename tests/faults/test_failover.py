"""Primaries that are replaced by one of their replicas.

Between a message and its acknowledgement stands WAIT_REPLICAS. What was told to subscribers before
it was acknowledged may be lost, so some of their cursors may have expired (docs/durability.md).
"""

import asyncio
import time

from tests.faults.callers import GENERAL
from tests.faults.drill import Drill
from tests.faults.load import Load
from tests.topologies.divided import SENTINELS, SERVERS, Divided
from tests.topologies.node import Node
from tests.topologies.replicated import Replicated

PAUSE_MS = 10_000


async def test_killed(replicated_drill: Drill[Replicated]) -> None:
    """The primary is killed (WAIT_REPLICAS=1)"""
    await replicated_drill.serve(2, WAIT_REPLICAS="1")
    former = replicated_drill.store.primary
    async with replicated_drill.load(pause=0.1) as load:
        load.may_reload = True
        await load.reach(0.3)
        killed_at = time.monotonic()
        former.kill()
        load.expect_recovery(killed_at)
        await recovered(load)
        # For a while it takes itself for the primary.
        await asyncio.to_thread(former.start)


async def test_replaced_after_a_pause(replicated_drill: Drill[Replicated]) -> None:
    """The primary is paused, and replaced (CLIENT PAUSE, SENTINEL FAILOVER; WAIT_REPLICAS=1)"""
    await replicated_drill.serve(2, WAIT_REPLICAS="1")
    store = replicated_drill.store
    async with replicated_drill.load(pause=0.1) as load:
        await load.reach(0.3)
        began = time.monotonic()
        store.primary.operator.client_pause(PAUSE_MS, all=False)
        await asyncio.to_thread(store.fail_over)
        load.expect_recovery(began)


async def test_replaced(replicated_drill: Drill[Replicated], full_only: None) -> None:
    """The primary is replaced while it works (SENTINEL FAILOVER; WAIT_REPLICAS=2)"""
    await replicated_drill.serve(2, WAIT_REPLICAS="2")
    async with replicated_drill.load(pause=0.1) as load:
        load.may_reload = True
        await load.reach(0.3)
        began = time.monotonic()
        await asyncio.to_thread(replicated_drill.store.fail_over)
        load.expect_recovery(began)


async def test_stands_still(replicated_drill: Drill[Replicated], full_only: None) -> None:
    """The primary stands still until it is replaced (SIGSTOP; WAIT_REPLICAS=1)"""
    await replicated_drill.serve(2, WAIT_REPLICAS="1")
    former = replicated_drill.store.primary
    async with replicated_drill.load(pause=0.1) as load:
        load.may_reload = True
        await load.reach(0.3)
        stopped_at = time.monotonic()
        former.pause()
        load.expect_recovery(stopped_at)
        await recovered(load)
        former.resume()


async def test_cut_off(divided_drill: Drill[Divided]) -> None:
    """The primary is cut off from sentinels and replicas, not from the servers (WAIT_REPLICAS=1)"""
    await divided_drill.serve(2, WAIT_REPLICAS="1")
    store = divided_drill.store
    async with divided_drill.load(pause=0.1) as load:
        load.may_reload = True
        await load.reach(0.3)
        cut_at = time.monotonic()
        store.cut_off(SENTINELS, SERVERS)
        load.expect_recovery(cut_at)
        await recovered(load)
        await left(store, load)
        # It has taken messages alone, which nobody has confirmed: the count would miss them.
        assert taken(store.first) - taken(store.primary)
        store.rejoin()


async def test_cut_off_with_replicas(full_only: None, divided_drill: Drill[Divided]) -> None:
    """The primary is cut off from the sentinels only, not from replicas (WAIT_REPLICAS=2)"""
    await divided_drill.serve(2, WAIT_REPLICAS="2")
    store = divided_drill.store
    async with divided_drill.load(pause=0.1) as load:
        load.may_reload = True
        await load.reach(0.3)
        cut_at = time.monotonic()
        store.cut_off(SENTINELS)
        load.expect_recovery(cut_at)
        await left(store, load)
        # Nothing is confirmed until it is the second replica.
        store.rejoin()


async def left(store: Divided, load: Load) -> None:
    """Wait until all servers have left the first primary, and the sentinels name another."""
    await load.until(
        lambda: not store.is_first_used and store.primary is not store.first,
        "The primary of before is still used",
    )


def taken(server: Node) -> set[bytes]:
    """The messages of General that a server has."""
    return set(server.operator.zrange(GENERAL, 0, -1))  # type: ignore[arg-type]


async def recovered(load: Load) -> None:
    await load.until(lambda: load.seconds_to_recover is not None, "It does not recover")
