"""A Redis Cluster of three primaries with a replica each, one of which goes, or gives a room away.

Who follows one room hears everything once and in order. Who follows several hears everything, each
room in its order, and what came shortly before a cursor perhaps again (docs/data-model.md).
"""

import asyncio
import time

from tests.faults.callers import GENERAL, PRIVATE
from tests.faults.drill import Drill
from tests.faults.load import Load
from tests.topologies.cluster import Cluster
from tests.topologies.node import Node


async def test_primary_killed(cluster_drill: Drill[Cluster]) -> None:
    """A primary of a cluster is killed, and comes back as a replica (WAIT_REPLICAS=1)"""
    await cluster_drill.serve(2, WAIT_REPLICAS="1")
    async with cluster_drill.load(pause=0.1) as load:
        await load.reach(0.3)
        load.expect_recovery()
        former = kill_primary_of(PRIVATE, cluster_drill.store, load)
        await replaced(former, cluster_drill.store, load)


async def test_primary_and_server_killed(cluster_drill: Drill[Cluster], full_only: None) -> None:
    """A primary of a cluster is killed, and with it one of two servers (WAIT_REPLICAS=1)"""
    _, server = await cluster_drill.serve(2, WAIT_REPLICAS="1")
    async with cluster_drill.load(pause=0.1) as load:
        await load.reach(0.3)
        load.expect_recovery()
        former = kill_primary_of(GENERAL, cluster_drill.store, load)
        await asyncio.sleep(1)
        await server.kill()
        await replaced(former, cluster_drill.store, load)
        await server.start()


async def test_room_moved(cluster_drill: Drill[Cluster]) -> None:
    """A busy room moves from one primary of a cluster to another, there and back"""
    await cluster_drill.serve(2, WAIT_REPLICAS="1")
    cluster = cluster_drill.store
    first = cluster.primary_of(PRIVATE)
    async with cluster_drill.load() as load:
        for share, target in ((0.3, other_than(first, cluster)), (0.6, first)):
            await load.reach(share)
            began = time.monotonic()
            await asyncio.to_thread(cluster.move_slot, PRIVATE, target)
        load.expect_recovery(began)


def other_than(node: Node, cluster: Cluster) -> Node:
    return next(each for each in cluster.primaries if each is not node)


def kill_primary_of(key: str, cluster: Cluster, load: Load) -> Node:
    primary = cluster.primary_of(key)
    load.ledger.may_vanish = True
    primary.kill()
    return primary


async def replaced(former: Node, cluster: Cluster, load: Load) -> None:
    """Wait until a replica has taken over, and start the former primary as a replica: with none
    left nothing could be acknowledged."""
    await load.until(lambda: not cluster.has_slots(former), "Nobody takes over")
    await asyncio.to_thread(former.start)
