"""Clients that come all at once, read slowly or send everything again."""

import asyncio
import time

from application.loadtest.ledger import Ledger, Stream
from tests.faults.callers import QUIET
from tests.faults.drill import Drill, megabytes_of
from tests.faults.stores import FaultStore
from tests.faults.subscriber import EVENTS, MESSAGE_ADDED

CROWD = 200
CROWD_PAUSE = 0.5
"""Each message to the crowd is 200 deliveries: this is about coming back, not about throughput."""

COPIES = 3
SLOW_READERS = 5
SLOW_SECONDS = 7.0
"""Longer than the server has patience with a full outbox, and not long enough to be cut off."""
TRY_AGAIN_LATER = 1013
LONG_TEXT = "😀" * 3_900
"""Sixteen kilobytes, nearly the longest that may be sent."""

SLOW_PAUSE = 0.1
SLOW_MESSAGES = 500
KERNEL_MESSAGES = 200
"""The kernel takes three megabytes for a peer that does not read, before the server notices."""

SLOW_READER_MEGABYTES = 1.0
NOISE_MEGABYTES = 16.0
"""What the highest value of a process varies by under the same load, with nobody slow."""
LAG_SECONDS = 2.0


async def test_crowd(drill: Drill[FaultStore]) -> None:
    """200 clients lose their connections and come again at once"""
    (server,) = await drill.serve(1)
    front = await drill.front(server)
    async with drill.load() as load:
        now = await load.caller("Alex").now()
        for _ in range(CROWD):
            load.follow("Alex", MESSAGE_ADDED, room_id=QUIET, cursor=now, urls=[front.url])
        await load.connected()
        load.send("Alex", [QUIET], pause=CROWD_PAUSE)
        await load.reach(0.4)
        front.cut()
        load.expect_recovery()


async def test_everything_twice(drill: Drill[FaultStore]) -> None:
    """Every message is sent three times at once, to two servers"""
    await drill.serve(2)
    async with drill.load(copies=COPIES):
        pass


async def test_slow_readers(drill: Drill[FaultStore]) -> None:
    """Five subscribers stop to read for some ten seconds"""
    (server,) = await drill.serve(1)
    async with drill.load(at_least=SLOW_MESSAGES, pause=SLOW_PAUSE, text=LONG_TEXT) as load:
        others = list(load.ledger.streams)
        slow = [load.follow("Pablo", EVENTS, receive_buffer=4096) for _ in range(SLOW_READERS)]
        await load.connected()
        # All that the server ever needs for as much work, it has by now.
        await load.reach(0.3)
        before = megabytes_of(server.pid, "VmHWM")
        stopped_at = time.monotonic()
        for reader in slow:
            reader.is_reading.clear()
        acknowledged = load.ledger.acknowledged
        enough = len(acknowledged) + KERNEL_MESSAGES
        await load.until(lambda: len(acknowledged) >= enough, "Too little is sent to be slow for")
        await asyncio.sleep(SLOW_SECONDS)
        grown = megabytes_of(server.pid, "VmHWM") - before
        for reader in slow:
            reader.receive_buffer = None  # From the next connection on it is as fast as any.
            reader.is_reading.set()
        await load.until(
            lambda: all(reader.close_codes for reader in slow), "The slow readers are not closed"
        )
        lag = longest_lag(load.ledger, others, stopped_at)
    assert [reader.close_codes for reader in slow] == [[TRY_AGAIN_LATER]] * SLOW_READERS
    assert grown < SLOW_READERS * SLOW_READER_MEGABYTES + NOISE_MEGABYTES
    assert lag < LAG_SECONDS


def longest_lag(ledger: Ledger, streams: list[Stream], since: float) -> float:
    """How long the slowest message took from its sender to one of these subscribers."""
    return max(
        stream.arrivals[message.key] - message.first_sent
        for stream in streams
        for message in ledger.acknowledged.values()
        if message.first_sent >= since and message.key in stream.arrivals
    )
