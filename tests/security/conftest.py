"""Servers as the world meets them: with every limit on, and as they were after each attack."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
import redis

from tests.api.client import User, visitors
from tests.servers import Server, start_server

Serve = Callable[..., Server]
Visit = Callable[[Server], User]
Started = Callable[..., Server]


@pytest.fixture
def serve(store_url: str) -> Iterator[Serve]:
    """Starts a server process on the common store, with settings such as `MESSAGES_PER_USER`."""
    servers: list[Server] = []

    def start(**settings: str) -> Server:
        env = {"REDIS_ENDPOINT_URL": store_url, "RATE_LIMITS": "on", **settings}
        servers.append(start_server(env))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Makes somebody who is not logged in, on one of the servers."""
    async with visitors() as visit:
        yield lambda server: visit(server.url)


@pytest.fixture(scope="module")
def server_without_limits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a module that need no store of their own."""
    server = start_server({"DATA_DIR": str(tmp_path_factory.mktemp("server"))})
    yield server
    server.stop()


@pytest.fixture
def started(embedded_url: str) -> Iterator[Started]:
    """Starts a server with these settings; at the end it must be well and its log clean."""
    with redis.Redis.from_url(embedded_url) as client:
        client.flushdb()
    servers: list[Server] = []

    def start(**settings: object) -> Server:
        env = {"REDIS_ENDPOINT_URL": embedded_url, "RATE_LIMITS": "on"}
        servers.append(start_server({**env, **{name: str(of) for name, of in settings.items()}}))
        return servers[-1]

    yield start
    for server in servers:
        with surviving(server):
            pass


@pytest.fixture(scope="module")
def victim(embedded_url: str) -> Iterator[Server]:
    """A server for all the tests of a module."""
    with redis.Redis.from_url(embedded_url) as client:
        client.flushdb()
    with surviving(
        start_server({"REDIS_ENDPOINT_URL": embedded_url, "RATE_LIMITS": "off"})
    ) as server:
        yield server


@contextmanager
def surviving(server: Server) -> Iterator[Server]:
    try:
        yield server
        assert server.process.poll() is None, server.output[-5_000:]
        assert is_answering(server)
    finally:
        server.stop()
    assert "Traceback" not in server.output, server.output[-5_000:]


def is_answering(server: Server) -> bool:
    answer = httpx.post(f"{server.url}/graphql", json={"query": "{ __typename }"}, timeout=30)
    return bool(answer.json() == {"data": {"__typename": "Query"}})
