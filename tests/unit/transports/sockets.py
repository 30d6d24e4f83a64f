"""Clients of graphql-transport-ws for tests, some of them bad ones."""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from application.transports.limits import Limits
from tests.unit.transports.toy import Toy, serving

PROTOCOL: Any = ["graphql-transport-ws"]


@asynccontextmanager
async def limited(**limits: Any) -> AsyncIterator[tuple[Toy, ClientConnection]]:
    """A server with these limits, and a socket after the init that reads what it is asked to."""
    async with (
        serving(Limits(**limits)) as toy,
        connect(
            toy.ws,
            subprotocols=PROTOCOL,
            sock=await narrow_socket(toy),
            compression=None,
            max_queue=1,
            close_timeout=1,
        ) as client,
    ):
        await tell(client, {"type": "connection_init"})
        assert await hear(client) == {"type": "connection_ack"}
        yield toy, client


async def narrow_socket(toy: Toy) -> socket.socket:
    """A connection to the server that takes little as long as nobody reads."""
    narrow = socket.socket()
    narrow.setblocking(False)
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", toy.port))
    return narrow


def reset(connection: socket.socket) -> None:
    """Leave without a good-bye, not even TCP's."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


async def tell(client: ClientConnection, message: object) -> None:
    await client.send(orjson.dumps(message).decode())


async def subscribe(client: ClientConnection, id_: str, query: str, **more: Any) -> None:
    payload = {"query": query, **more}
    await tell(client, {"id": id_, "type": "subscribe", "payload": payload})


async def hear(client: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        frame = await client.recv()
    assert isinstance(frame, str)
    return orjson.loads(frame)


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """How the server closes the socket, whatever it says before."""
    async with asyncio.timeout(15):
        with suppress(ConnectionClosed):
            while True:
                await client.recv()
    return client.close_code, client.close_reason


async def all_gone(toy: Toy, seconds: float = 10.0) -> None:
    """Wait until the server has no connection and no task of one."""
    async with asyncio.timeout(seconds):
        while toy.state.connections or toy.state.tasks or _tasks():
            await asyncio.sleep(0.01)


def _tasks() -> list[asyncio.Task[Any]]:
    names = ("Connection._", "Operations._", "HTTPStream._")
    return [task for task in asyncio.all_tasks() if any(name in repr(task) for name in names)]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]
