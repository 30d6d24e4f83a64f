"""A server for the clients, and a network between it and them that can break."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import redis

from tests.clients.workshop import CLIENTS
from tests.faults.proxy import Proxy
from tests.servers import Server, start_server


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    if not (CLIENTS / "node_modules/.stamp").exists():
        pytest.fail("The clients are not installed: `make clients`.", pytrace=False)


@pytest.fixture(scope="module")
def chat_server(embedded_url: str) -> Iterator[Server]:
    """A server with the demo data, which takes small batches."""
    with redis.Redis.from_url(embedded_url) as store:
        store.flushdb()
    server = start_server({"REDIS_ENDPOINT_URL": embedded_url, "MAX_BATCH_SIZE": "2"})
    yield server
    server.stop()


@pytest.fixture
async def network(chat_server: Server) -> AsyncIterator[Proxy]:
    parts = urlsplit(chat_server.url)
    proxy = Proxy((str(parts.hostname), parts.port or 80))
    await proxy.open()
    yield proxy
    await proxy.close()
