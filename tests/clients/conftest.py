"""A server for the clients, and a network between it and them that can break."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from tests.clients.workshop import CLIENTS
from tests.faults.proxy import Proxy
from tests.ports import free_port
from tests.servers import start_server


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    if not (CLIENTS / "node_modules/.stamp").exists():
        pytest.fail("The clients are not installed: `make clients`.", pytrace=False)


class Chat:
    """A server that stays at its address when it is restarted."""

    def __init__(self, store_url: str) -> None:
        port = free_port()
        self._settings = {
            "REDIS_ENDPOINT_URL": store_url,
            "PORT": str(port),
            "MAX_BATCH_SIZE": "2",
        }
        self._server = start_server(self._settings)
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"

    def restart(self) -> None:
        self.stop()
        self._server = start_server(self._settings)

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture(scope="module")
def chat(embedded_url: str) -> Iterator[Chat]:
    """With the demo data."""
    with redis.Redis.from_url(embedded_url) as store:
        store.flushdb()
    chat = Chat(embedded_url)
    yield chat
    chat.stop()


@pytest.fixture
async def network(chat: Chat) -> AsyncIterator[Proxy]:
    proxy = Proxy(chat.address)
    await proxy.open()
    yield proxy
    await proxy.close()
