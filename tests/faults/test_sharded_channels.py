"""The same faults where each log rings on a channel of its own."""

import asyncio

import pytest

from services.hub.bells import Channels
from tests.faults import (
    test_cluster,
    test_failover,
    test_lost_data,
    test_network,
    test_servers,
    test_stores,
    test_strangers,
)
from tests.faults.drill import Drill, ProxiedDrill
from tests.faults.stores import FaultStore, OwnStore
from tests.topologies.cluster import Cluster
from tests.topologies.divided import Divided
from tests.topologies.replicated import Replicated

# The others break the same things in the same ways, on the way that is taken by default.
pytestmark = pytest.mark.long


@pytest.fixture
def settings(channels: Channels) -> dict[str, str]:
    return {"CHANNELS": channels}


@pytest.fixture
def channels() -> Channels:
    return Channels.SHARDED


async def test_four_servers(drill: ProxiedDrill[FaultStore]) -> None:
    """Sharded channels: four servers, of which one is killed and one restarted"""
    killed, restarted, *_ = await drill.serve(4)
    async with drill.load() as load:
        await load.reach(0.3)
        await killed.kill()
        await load.reach(0.6)
        await test_servers.stop_gently(restarted)
        await asyncio.gather(killed.start(), restarted.start())
        load.expect_recovery()


async def test_channel_killed(drill: ProxiedDrill[FaultStore]) -> None:
    """Sharded channels: the connection of the channels is killed, three times"""
    await test_network.test_channel_killed(drill)


async def test_half_open(drill: ProxiedDrill[FaultStore]) -> None:
    """Sharded channels: the connections to the store go dead without a reset; new ones work"""
    await test_network.test_half_open(drill)


async def test_store_killed(own_drill: ProxiedDrill[OwnStore]) -> None:
    """Sharded channels: the store is killed and started again (appendfsync always)"""
    await test_stores.test_killed(own_drill)


async def test_store_emptied(full_only: None, drill: ProxiedDrill[FaultStore]) -> None:
    """Sharded channels: the store is emptied (FLUSHDB)"""
    await test_lost_data.test_emptied(drill)


async def test_failed_over(full_only: None, replicated_drill: Drill[Replicated]) -> None:
    """Sharded channels: the primary behind sentinels is killed (WAIT_REPLICAS=1)"""
    await test_failover.test_killed(replicated_drill)


async def test_cut_off(full_only: None, divided_drill: Drill[Divided]) -> None:
    """Sharded channels: the primary is cut off from sentinels and replicas (WAIT_REPLICAS=1)"""
    await test_failover.test_cut_off(divided_drill)


async def test_room_moved(cluster_drill: Drill[Cluster]) -> None:
    """Sharded channels: a busy room of a cluster moves to another primary and back"""
    await test_cluster.test_room_moved(cluster_drill)


async def test_primary_killed(cluster_drill: Drill[Cluster]) -> None:
    """Sharded channels: a primary of a cluster is killed, and comes back (WAIT_REPLICAS=1)"""
    await test_cluster.test_primary_killed(cluster_drill)


@pytest.mark.parametrize("channels", [Channels.BOTH])
async def test_strangers_beside(drill: ProxiedDrill[FaultStore]) -> None:
    """Sharded channels beside MESSAGES: strangers publish rubbish, and messages with odd clocks"""
    await test_strangers.test_hostile_envelopes(drill)
