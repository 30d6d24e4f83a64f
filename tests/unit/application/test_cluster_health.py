"""Ready on a Redis Cluster: as long as one of its servers takes writes."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from application.health import ready
from services import keys
from services.redis.store import Store
from services.redis.writes import refusals
from tests.patience import within
from tests.store_process import VALKEY
from tests.topologies.cluster import Cluster, ask
from tests.topologies.node import until

AWAY = "The store is not available, please try again."


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """One whose servers may come to harm."""
    folder = Path(tempfile.mkdtemp(prefix="parley-tests-"))
    cluster = Cluster(VALKEY, folder)
    cluster.start()
    yield cluster
    cluster.close()
    shutil.rmtree(folder)


@pytest.fixture
async def store(own_cluster: Cluster) -> AsyncIterator[Store]:
    store = Store.from_url(own_cluster.url)
    yield store
    await store.close()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/readyz", ready)])
    chat = SimpleNamespace(store=store, hub=SimpleNamespace(is_connected=True))

    async def with_state(scope, receive, send):  # type: ignore[no-untyped-def]
        scope["state"] = {"chat": chat}
        await app(scope, receive, send)

    transport = httpx.ASGITransport(with_state)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def answer(client: httpx.AsyncClient) -> tuple[int, Any]:
    """Status and body, in the time that load balancers have."""
    found = await within(2, client.get("/readyz"))
    return found.status_code, found.json()


async def test_all_of_it_is_tried(client: httpx.AsyncClient, own_cluster: Cluster) -> None:
    assert await answer(client) == (200, {"status": "ok"})
    for node in own_cluster.nodes:
        (key,) = node.operator.keys("parley:{probe:*")
        assert 0 < node.operator.ttl(key) <= 60


async def test_a_part_of_it_is_away(client: httpx.AsyncClient, own_cluster: Cluster) -> None:
    node = own_cluster.nodes[1]
    assert await answer(client) == (200, {"status": "ok"})
    node.pause()
    partial = {"status": "partial", "reasons": [f"1 of 3 servers of the store: {AWAY}"]}
    # Both before the others have noticed, and when they have.
    assert await answer(client) == (200, partial)
    until(lambda: "fail" in states(own_cluster, node))
    assert await answer(client) == (200, partial)
    node.resume()
    until(lambda: "fail" not in states(own_cluster, node))
    assert await answer(client) == (200, {"status": "ok"})


async def test_nothing_can_be_written(client: httpx.AsyncClient, own_cluster: Cluster) -> None:
    *others, last = own_cluster.nodes
    for node in others:
        node.operator.config_set("maxmemory", 1)
    full = "servers of the store: The store is full, please try again."
    assert await answer(client) == (200, {"status": "partial", "reasons": [f"2 of 3 {full}"]})
    last.operator.config_set("maxmemory", 1)
    assert await answer(client) == (503, {"status": "unavailable", "reasons": [f"3 of 3 {full}"]})
    for node in own_cluster.nodes:
        node.operator.config_set("maxmemory", 0)
    assert await answer(client) == (200, {"status": "ok"})


async def test_a_cluster_that_wants_all_or_nothing(
    client: httpx.AsyncClient, own_cluster: Cluster
) -> None:
    first, *others = own_cluster.nodes
    for node in others:
        ask(node, "CONFIG SET cluster-require-full-coverage yes")
    first.pause()
    until(lambda: "fail" in states(own_cluster, first))
    until(lambda: all(ask(node, "CLUSTER INFO")["cluster_state"] == "fail" for node in others))
    status, body = await answer(client)
    assert status == 503
    assert body["reasons"] == [
        "2 of 3 servers of the store: The store is cut off from its cluster, please try again.",
        f"1 of 3 servers of the store: {AWAY}",
    ]
    first.resume()
    for node in others:
        ask(node, "CONFIG SET cluster-require-full-coverage no")
    until(lambda: all(ask(node, "CLUSTER INFO")["cluster_state"] == "ok" for node in others))


async def test_a_slot_that_moves_is_no_reason(store: Store, own_cluster: Cluster) -> None:
    assert await refusals(store) == dict.fromkeys(sorted(store.primaries))
    for node in own_cluster.nodes:
        names = map(keys.probe, count())
        name = next(name for name in names if own_cluster.primary_of(name) is node)
        target = next(each for each in own_cluster.nodes if each is not node)
        move = own_cluster.begin_move(name, target)
        move.carry_over()
        assert set((await refusals(store)).values()) == {None}
        move.end()
        assert set((await refusals(store)).values()) == {None}


def states(cluster: Cluster, node: Any) -> str:
    """What the others say of a server."""
    witness = next(each for each in cluster.nodes if each is not node)
    nodes: dict[str, Any] = ask(witness, "CLUSTER NODES")
    return str(nodes[node.place]["flags"])
