"""Servers to look at, and people who use them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from gql.client import AsyncClientSession

from tests.api.client import User, subscription, visitors
from tests.servers import Server, start_server

Serve = Callable[..., Server]
Visit = Callable[[Server], User]


@pytest.fixture
def serve(embedded_url: str) -> Iterator[Serve]:
    """Starts server processes on an empty store, with these settings."""
    with redis.Redis.from_url(embedded_url) as client:
        client.flushdb()
    servers: list[Server] = []

    def start(**settings: str) -> Server:
        servers.append(start_server({"REDIS_ENDPOINT_URL": embedded_url, **settings}))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Makes somebody who is not logged in, on one of the servers."""
    async with visitors() as visit:
        yield lambda server: visit(server.url)


@pytest.fixture
def break_a_user(embedded_url: str) -> Callable[[], None]:
    """Makes `BROKEN_USER` fail on the inside."""

    def break_() -> None:
        with redis.Redis.from_url(embedded_url) as client:
            client.delete("user:2")
            client.set("user:2", "no hash")

    return break_


BROKEN_USER = '{ user(id: "user:2") { username } }'


LIVE = "subscription Live { events { __typename cursor } }"


@asynccontextmanager
async def listening(
    session: AsyncClientSession, document: str = LIVE
) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """Somebody who follows what is live from now on, and what they hear."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        async for result in session.subscribe(subscription(document)):
            heard.put_nowait(result)

    listener = asyncio.create_task(listen())
    await heard.get()
    yield heard
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)


def logged(server: Server) -> list[dict[str, Any]]:
    """The lines of the log of a server that has ended."""
    return [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
