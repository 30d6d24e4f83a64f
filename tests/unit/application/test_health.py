"""Alive and ready: a store that is away, stands still or takes no writes."""

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from application.health import alive, ready
from services import keys
from services.redis.store import Store
from tests.patience import within
from tests.store_process import StoreProcess


@pytest.fixture(scope="module")
def process() -> Iterator[StoreProcess]:
    process = StoreProcess()
    yield process
    process.close()


@pytest.fixture
def hub() -> SimpleNamespace:
    return SimpleNamespace(is_connected=True)


@pytest.fixture
async def client(process: StoreProcess, hub: SimpleNamespace) -> AsyncIterator[httpx.AsyncClient]:
    store = Store.from_url(process.url)
    app = Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready)])

    async def with_state(scope, receive, send):  # type: ignore[no-untyped-def]
        scope["state"] = {"chat": SimpleNamespace(store=store, hub=hub)}
        await app(scope, receive, send)

    transport = httpx.ASGITransport(with_state)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    await store.close()


async def reasons(client: httpx.AsyncClient) -> list[str]:
    """Why the process cannot serve; it says so in time, and that it lives."""
    answer = await within(2, client.get("/readyz"))
    assert (await client.get("/healthz")).status_code == 200
    assert answer.status_code == (503 if "reasons" in answer.json() else 200)
    found: list[str] = answer.json().get("reasons", [])
    return found


async def test_ready(client: httpx.AsyncClient, process: StoreProcess) -> None:
    assert await reasons(client) == []
    assert 0 < process.operator.ttl(keys.PROBE) <= 60


async def test_the_channels_are_not_heard(client: httpx.AsyncClient, hub: SimpleNamespace) -> None:
    hub.is_connected = False
    assert await reasons(client) == ["The channels of the store are not heard."]


async def test_a_full_store(client: httpx.AsyncClient, process: StoreProcess) -> None:
    process.operator.config_set("maxmemory", 1)
    assert await reasons(client) == ["The store is full, please try again."]
    process.operator.config_set("maxmemory", 0)
    assert await reasons(client) == []


async def test_a_demoted_store(client: httpx.AsyncClient, process: StoreProcess) -> None:
    process.operator.replicaof("127.0.0.1", "1")
    assert await reasons(client) == ["The store is read-only, please try again."]
    process.operator.replicaof("NO", "ONE")
    assert await reasons(client) == []


async def test_a_stopped_store(client: httpx.AsyncClient, process: StoreProcess) -> None:
    process.pause()
    assert await reasons(client) == ["The store does not answer."]
    process.resume()
    assert await reasons(client) == []


async def test_a_store_that_is_away(client: httpx.AsyncClient, process: StoreProcess) -> None:
    process.kill()
    assert await reasons(client) == ["The store is not available, please try again."]
    process.start()
    assert await reasons(client) == []
