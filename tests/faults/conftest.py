"""Fixtures of the fault scenarios.

`make faults` sets FAULTS=full: more messages, one scenario after the other, times asserted, and a
table at the end. Otherwise they are short enough to run with the other tests.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.faults.drill import Drill, Plan, ProxiedDrill
from tests.faults.report import PROPERTY, Report
from tests.faults.stores import FaultStore, OwnStore
from tests.store_process import BINARIES, REDIS, VALKEY
from tests.topologies.cluster import Cluster
from tests.topologies.divided import Divided
from tests.topologies.node import name_of
from tests.topologies.replicated import Replicated

StartedT = TypeVar("StartedT", OwnStore, Replicated, Cluster)
DrillT = TypeVar("DrillT", bound=Drill[Any])

_IS_FULL = os.environ.get("FAULTS") == "full"
_MESSAGES = 2_000 if _IS_FULL else 200
_SENTINELS_SECONDS = 30
"""They take their time."""

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []


def pytest_configure(config: pytest.Config) -> None:
    if _IS_FULL:
        config.pluginmanager.register(Report(config), "faults-report")


@pytest.fixture
def full_only() -> None:
    if not _IS_FULL:
        pytest.skip("takes long: `make faults` has it")


@pytest.fixture
def store(store_url: str, embedded_url: str, tmp_path: Path) -> Iterator[FaultStore]:
    """A Valkey of our own, or the Redis that is lent to the tests."""
    if store_url == embedded_url:
        yield from _started(OwnStore(VALKEY, tmp_path / "store"))
    elif not store_url.startswith("redis://"):
        pytest.skip("the proxy needs plain TCP to the store")
    else:
        lent = FaultStore("redis", store_url)
        yield lent
        lent.close()


@pytest.fixture
def own_store(store_url: str, embedded_url: str, tmp_path: Path) -> Iterator[OwnStore]:
    """A process that may be harmed: a Valkey or, in place of the lent Redis, another Redis."""
    if store_url == embedded_url:
        yield from _started(OwnStore(VALKEY, tmp_path / "store"))
    elif REDIS is None:
        pytest.skip("needs a store of its own")
    else:
        yield from _started(OwnStore(REDIS, tmp_path / "store"))


def _started(store: StartedT) -> Iterator[StartedT]:
    try:
        store.start()
        yield store
    finally:
        store.close()


@pytest.fixture(params=BINARIES if _IS_FULL else BINARIES[:1], ids=name_of)
def replicated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replicated]:
    """A primary, two replicas and three sentinels."""
    yield from _started(Replicated(request.param, tmp_path))


@pytest.fixture(params=BINARIES if _IS_FULL else BINARIES[:1], ids=name_of)
async def divided(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Divided]:
    """The same, where the first primary can be cut off."""
    if sys.platform != "linux":
        pytest.skip("has more than one address on this machine on Linux only")
    divided = Divided(request.param, tmp_path)
    try:
        await divided.open()
        yield divided
    finally:
        await divided.end()


@pytest.fixture(params=BINARIES if _IS_FULL else BINARIES[:1], ids=name_of)
def clustered(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Three primaries with a replica each."""
    yield from _started(Cluster(request.param, tmp_path, replicas=1))


@pytest.fixture
def settings() -> dict[str, str]:
    """Of all servers of a drill; a module of scenarios may have others."""
    return {}


@pytest.fixture
def plan(
    request: pytest.FixtureRequest,
    settings: dict[str, str],
    record_property: Callable[[str, object], None],
) -> Plan:
    """Of a drill that is what its test says of itself."""
    return Plan(
        scenario=str(request.function.__doc__).splitlines()[0].rstrip("."),
        messages=_MESSAGES,
        is_timed=_IS_FULL,
        settings=settings,
        record=lambda result: record_property(PROPERTY, asdict(result)),
    )


@pytest.fixture
async def drill(store: FaultStore, plan: Plan) -> AsyncIterator[ProxiedDrill[FaultStore]]:
    async with _open(ProxiedDrill(store, plan)) as drill:
        yield drill


@pytest.fixture
async def own_drill(own_store: OwnStore, plan: Plan) -> AsyncIterator[ProxiedDrill[OwnStore]]:
    """A drill that harms the store's process or changes its configuration."""
    async with _open(ProxiedDrill(own_store, plan)) as drill:
        yield drill


@pytest.fixture
async def replicated_drill(replicated: Replicated, plan: Plan) -> AsyncIterator[Drill[Replicated]]:
    """A drill that harms a primary with replicas and sentinels."""
    async with _open(Drill(replicated, plan)) as drill:
        drill.recovery_seconds = _SENTINELS_SECONDS
        yield drill


@pytest.fixture
async def divided_drill(divided: Divided, plan: Plan) -> AsyncIterator[Drill[Divided]]:
    """A drill that cuts a primary off from its sentinels."""
    async with _open(Drill(divided, plan)) as drill:
        drill.recovery_seconds = _SENTINELS_SECONDS
        yield drill


@pytest.fixture
async def cluster_drill(clustered: Cluster, plan: Plan) -> AsyncIterator[Drill[Cluster]]:
    """A drill that harms a Redis Cluster."""
    async with _open(Drill(clustered, plan)) as drill:
        drill.recovery_seconds = 10
        drill.has_one_clock = False
        yield drill


@asynccontextmanager
async def _open(drill: DrillT) -> AsyncIterator[DrillT]:
    yield drill
    await drill.close()
    for node in drill.nodes:
        # pytest shows it when the test has failed.
        sys.stdout.write(f"{node.url}\n{node.output}\n")
