"""Subscribers that stop reading: they cost little, delay nobody, and lose nothing."""

import asyncio
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.api.client import User
from tests.api.conftest import Visitor
from tests.api.readers import SECONDS, reading
from tests.servers import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

READERS = 5
WARM_UP = 50
MESSAGES = 350
PADDING = "x" * 3_900
NOISE_BYTES = 5 * 1024 * 1024


def rss(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def open_files(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


async def given_up(server: Server, descriptors: int) -> None:
    """Wait until the process has nothing more of those who do not read."""
    async with asyncio.timeout(SECONDS):
        while open_files(server) > descriptors:
            await asyncio.sleep(0.05)


async def send(user: User, first: int, count: int) -> None:
    for number in range(first, first + count):
        await user.send("room:0", f"{number} {PADDING}")


async def test_who_does_not_read_costs_little_and_loses_nothing(
    server: Server, visitor: Visitor
) -> None:
    user = await visitor().log_in("Pablo")
    after = (await user("{ eventCursor }"))["eventCursor"]
    async with AsyncExitStack() as stack:
        healthy = await stack.enter_async_context(reading(user, after))
        readers = [await stack.enter_async_context(reading(user, after)) for _ in range(READERS)]
        await send(user, 0, WARM_UP)
        for reader in [healthy, *readers]:
            await reader.read_until(WARM_UP - 1)
        before, descriptors = rss(server), open_files(server)

        for first in range(WARM_UP, MESSAGES, 50):
            await send(user, first, 50)
            await healthy.read_until(first + 49)
        assert rss(server) - before < READERS * 1024 * 1024 + NOISE_BYTES
        assert healthy.numbers == list(range(MESSAGES))
        await given_up(server, descriptors - READERS)

        for reader in readers:
            closed = await reader.read_until_closed()
            assert closed == (1013, "slow consumer, resume with after")
            assert len(reader.numbers) < MESSAGES
            async with reading(user, reader.cursor) as resumed:
                await resumed.read_until(MESSAGES - 1)
            assert reader.numbers + resumed.numbers == list(range(MESSAGES))
