"""Servers as the world meets them: with every limit on."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.api.client import User
from tests.servers import Server, start_server

Serve = Callable[..., Server]
Visit = Callable[[Server], User]


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
    users: list[User] = []

    def make(server: Server) -> User:
        users.append(User(server.url))
        return users[-1]

    yield make
    for user in users:
        await user.http.aclose()


@pytest.fixture(scope="module")
def server_without_limits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a module that need no store of their own."""
    server = start_server({"DATA_DIR": str(tmp_path_factory.mktemp("server"))})
    yield server
    server.stop()
