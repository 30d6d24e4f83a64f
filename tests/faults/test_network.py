"""Connections that break: between server and store, and between client and server."""

import asyncio

from tests.faults.callers import GENERAL
from tests.faults.drill import ProxiedDrill
from tests.faults.stores import FaultStore
from tests.faults.subscriber import MESSAGE_ADDED

ROUNDS = (0.2, 0.4, 0.6)
OUTAGE_SECONDS = 1.0
DELAY_SECONDS = 0.2
DELAYED_SECONDS = 2.0
FREED_SECONDS = 45.0
GHOSTS = 5


async def test_channel_killed(drill: ProxiedDrill[FaultStore]) -> None:
    """The connection of the channels is killed, three times"""
    await drill.serve(1)
    async with drill.load() as load:
        for share in ROUNDS:
            await load.reach(share)
            addresses = {link.address_at_target for link in drill.proxy.links}
            assert drill.store.kill_channels(addresses) == 1
            load.expect_recovery()


async def test_cut_within_replies(drill: ProxiedDrill[FaultStore]) -> None:
    """Connections to the store are cut in the middle of a reply, three times"""
    await drill.serve(1)
    async with drill.load() as load:
        for share in ROUNDS:
            await load.reach(share)
            drill.proxy.cut_replies_after(7)
            load.expect_recovery()


async def test_outage(drill: ProxiedDrill[FaultStore]) -> None:
    """All connections to the store are cut, and new ones refused for a second"""
    await drill.serve(1)
    async with drill.load() as load:
        await load.reach(0.4)
        drill.proxy.refuse()
        drill.proxy.cut()
        await asyncio.sleep(OUTAGE_SECONDS)
        await drill.proxy.open()
        load.expect_recovery()


async def test_slow(drill: ProxiedDrill[FaultStore]) -> None:
    """The way to the store takes 0.2 seconds longer for a while"""
    await drill.serve(1)
    async with drill.load() as load:
        await load.reach(0.4)
        drill.proxy.delay = DELAY_SECONDS
        await asyncio.sleep(DELAYED_SECONDS)
        drill.proxy.delay = 0
        load.expect_recovery()


async def test_half_open(drill: ProxiedDrill[FaultStore]) -> None:
    """The connections to the store go dead without a reset; new ones work"""
    await drill.serve(1)
    async with drill.load() as load:
        await load.reach(0.4)
        drill.proxy.black_out()
        load.expect_recovery()


async def test_vanished_clients(drill: ProxiedDrill[FaultStore], full_only: None) -> None:
    """Five clients vanish without closing; the server frees them within 45 seconds"""
    (server,) = await drill.serve(1)
    front = await drill.front(server)
    async with drill.load() as load:
        for _ in range(GHOSTS):
            load.follow("Alex", MESSAGE_ADDED, room_id=GENERAL, urls=[front.url])
        await load.connected()
        await load.reach(0.2)
        await load.until(
            lambda: len(front.links) == GHOSTS,
            "Requests keep their connections, beside the sockets",
        )
        ghosts = list(front.links)
        front.black_out()
        await load.until(
            lambda: all(ghost.is_left_by_target for ghost in ghosts),
            "The server holds connections to clients that are gone",
            FREED_SECONDS,
        )
