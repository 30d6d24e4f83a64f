"""Subscribers that stop reading: they cost little, delay nobody, and lose nothing."""

import asyncio
import json
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from tests.api.client import User
from tests.api.conftest import Visitor
from tests.servers import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

READERS = 5
WARM_UP = 50
MESSAGES = 350
PADDING = "x" * 3_900
SECONDS = 30
NOISE_BYTES = 5 * 1024 * 1024
LIVE = (
    "subscription($after: String) {"
    ' messageAdded(roomId: "room:0", after: $after) { cursor node { text } } }'
)


class Reader:
    """A subscriber with little room at its end, which reads when it is asked to."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.numbers: list[int] = []
        self.cursor: str | None = None

    async def read_until(self, number: int) -> None:
        async with asyncio.timeout(SECONDS):
            while not self.numbers or self.numbers[-1] < number:
                await self._read()

    async def read_until_closed(self) -> tuple[int | None, str | None]:
        with suppress(ConnectionClosed):
            async with asyncio.timeout(SECONDS):
                while True:
                    await self._read()
        return self.client.close_code, self.client.close_reason

    async def _read(self) -> None:
        message = json.loads(await self.client.recv())
        if message["type"] == "next":
            edge = message["payload"]["data"]["messageAdded"]
            self.cursor = edge["cursor"]
            self.numbers.append(int(edge["node"]["text"].split()[0]))


@asynccontextmanager
async def reading(user: User, after: str | None = None) -> AsyncIterator[Reader]:
    url = httpx.URL(user.url)
    narrow = socket.socket()
    narrow.setblocking(False)
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    await asyncio.get_running_loop().sock_connect(narrow, (url.host, url.port))
    async with connect(
        user.url.replace("http", "ws", 1) + "/graphql",
        sock=narrow,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        max_queue=1,
        close_timeout=1,
    ) as client:
        token = {"authorization": f"Bearer {user.token}"}
        await client.send(json.dumps({"type": "connection_init", "payload": token}))
        assert json.loads(await client.recv()) == {"type": "connection_ack"}
        payload: dict[str, Any] = {"query": LIVE, "variables": {"after": after}}
        await client.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield Reader(client)


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
