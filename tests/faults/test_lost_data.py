"""Stores that come back without what they had: everybody is told so, and begins anew."""

import asyncio
from pathlib import Path

from tests.faults.callers import GENERAL
from tests.faults.drill import Drill
from tests.faults.load import Load
from tests.faults.stores import FaultStore, OwnStore
from tests.faults.subscriber import MESSAGE_ADDED


async def test_emptied(drill: Drill[FaultStore]) -> None:
    """The store is emptied (FLUSHDB)"""
    await drill.serve(2)
    async with drill.load() as load:
        await load.reach(0.4)
        old = load.subscribers[0].cursor
        drill.store.operator.flushdb()
        load.begin_anew()
        load.expect_recovery()
        await assert_all_begin_anew(load, old)


async def test_restored(own_drill: Drill[OwnStore], tmp_path: Path) -> None:
    """The store dies and is started from a backup"""
    await own_drill.serve(2)
    async with own_drill.load() as load:
        await load.reach(0.2)
        own_drill.store.back_up(tmp_path / "backup")
        await load.reach(0.6)
        old = load.subscribers[0].cursor
        own_drill.store.process.kill()
        load.begin_anew()
        await asyncio.to_thread(own_drill.store.restore, tmp_path / "backup")
        load.expect_recovery()
        await assert_all_begin_anew(load, old)


async def test_restored_under_way(drill: Drill[FaultStore]) -> None:
    """The store becomes an older copy of itself while it is used"""
    await drill.serve(2)
    async with drill.load() as load:
        await load.reach(0.2)
        copy = drill.store.copy()
        await load.reach(0.6)
        old = load.subscribers[0].cursor
        drill.store.replace_by(copy)
        load.begin_anew()
        load.expect_recovery()
        await assert_all_begin_anew(load, old)


async def assert_all_begin_anew(load: Load, old: str | None) -> None:
    """Every subscription ends with CURSOR_EXPIRED, chat goes on, and old cursors stay refused."""
    await load.until(
        lambda: all(subscriber.expired_cursors >= 1 for subscriber in load.subscribers),
        "Not every subscription has ended with CURSOR_EXPIRED",
    )
    await load.reach(0.1)
    late = load.follow("Alex", MESSAGE_ADDED, room_id=GENERAL, cursor=old)
    await load.until(lambda: late.expired_cursors == 1, "An old cursor is taken")
