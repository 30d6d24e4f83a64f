"""Subscribers that read when they are asked to, and not before."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from tests.api.client import User

SECONDS = 30
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
