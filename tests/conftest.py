"""Fixtures for all tests: real stores, the services on them, real servers.

Whatever takes `store_url`, directly or not, runs on the embedded store. What is about the store
runs on database 11 of the Redis at REDIS_ENDPOINT_URL as well, where that is set; `make test-all`
runs all of it there. What is marked `on_cluster` runs on a Redis Cluster of our own, too.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import redis
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from services.chat import Chat
from services.hub.bells import Channels
from services.redis.embedded import EmbeddedStore
from services.redis.endpoints import as_url
from services.redis.store import Store
from tests.servers import Server, start_server
from tests.store_process import VALKEY
from tests.topologies.cluster import Cluster

_TESTS = Path(__file__).parent
_TEST_DATABASE = 11
_SHARED = "shared-redis"


def _configured_url() -> str | None:
    # Not from `.env`: nobody's own store is for tests, unless they say so.
    if not (endpoint := os.environ.get("REDIS_ENDPOINT_URL")):
        return None
    parts = urlsplit(as_url(endpoint))
    password = os.environ.get("REDIS_PASSWORD")
    if password and "@" not in parts.netloc:
        parts = parts._replace(netloc=f":{quote(password)}@{parts.netloc}")
    if parts.scheme == "unix":
        return f"unix://{parts.netloc}{parts.path}?db={_TEST_DATABASE}"
    return parts._replace(path=f"/{_TEST_DATABASE}").geturl()


_CONFIGURED = _configured_url()
_CLUSTER = "cluster"
_ABOUT_THE_STORE = {"api", "compat", "services"}
"""Folders."""


class _OneWorkerForTheSharedRedis(LoadScopeScheduling):  # type: ignore[misc]
    """Tests go to whichever worker is free, but those on the shared Redis to one and the same.

    The channels of a Redis are common to its databases. xdist's own grouping is no help: with
    pytest 9.2 it has silently stopped to group (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return _SHARED if _SHARED in nodeid else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _OneWorkerForTheSharedRedis(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not _is_long_run():
        skip = pytest.mark.skip(reason="takes long: `make test-all` has it")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(skip)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_cluster: runs on a Redis Cluster as well")
    config.addinivalue_line("markers", "one_server: does not, in a module that does")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store_url" in metafunc.fixturenames:
        is_on = metafunc.definition.get_closest_marker
        is_for_cluster = is_on("on_cluster") and not is_on("one_server")
        stores = ["embedded"]
        if _CONFIGURED is not None and (_is_long_run() or _folder(metafunc) in _ABOUT_THE_STORE):
            stores.append(_SHARED)
        if is_for_cluster:
            stores.append(_CLUSTER)
        metafunc.parametrize("store_url", stores, indirect=True)


def _is_long_run() -> bool:
    return "LONG" in os.environ or "FAULTS" in os.environ


def _folder(metafunc: pytest.Metafunc) -> str:
    return metafunc.definition.path.relative_to(_TESTS).parts[0]


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    """A Valkey of this test process."""
    # Not pytest's folder, which is too deep for a socket.
    folder = Path(tempfile.mkdtemp(prefix="parley-tests-"))
    embedded = EmbeddedStore(folder)
    yield embedded.start()
    embedded.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Redis Cluster of this test process, of three Valkeys."""
    folder = Path(tempfile.mkdtemp(prefix="parley-tests-"))
    cluster = Cluster(VALKEY, folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
    shutil.rmtree(folder)


@pytest.fixture
def empty_cluster(cluster: Cluster) -> Iterator[Cluster]:
    """Empty again after the test, too."""
    cluster.empty()
    yield cluster
    cluster.empty()


@pytest.fixture
def store_url(request: pytest.FixtureRequest, embedded_url: str) -> Iterator[str]:
    """An empty store, and empty again after the test."""
    if request.param == _CLUSTER:
        yield request.getfixturevalue("empty_cluster").url
        return
    if request.param == "embedded":
        yield from _empty(embedded_url)
        return
    # Other runs of the tests on this machine use the same database, and its channels.
    with Path(tempfile.gettempdir(), "parley-tests-redis.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _empty(str(_CONFIGURED))


def _empty(url: str) -> Iterator[str]:
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store.from_url(store_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def other_store(store_url: str) -> AsyncIterator[Store]:
    """The connection of a second process."""
    other = Store.from_url(store_url)
    await other.open()
    yield other
    await other.close()


@pytest.fixture
def channels() -> Channels:
    """How processes tell each other of news; a module may have its own, or several."""
    return Channels.SHARED


@pytest.fixture
async def chat(store_url: str, channels: Channels) -> AsyncIterator[Chat]:
    """The services of one server process, with the demo data."""
    chat = Chat(Store.from_url(store_url), bcrypt_cost=4, channels=channels)
    await chat.open()
    yield chat
    await chat.close()


@pytest.fixture
async def other(chat: Chat, store_url: str, channels: Channels) -> AsyncIterator[Chat]:
    """A second server process on the same store."""
    other = Chat(Store.from_url(store_url), bcrypt_cost=4, channels=channels)
    await other.open()
    yield other
    await other.close()


@pytest.fixture
def server(store_url: str) -> Iterator[Server]:
    """A server process with the demo data."""
    server = start_server({"REDIS_ENDPOINT_URL": store_url})
    yield server
    server.stop()


@pytest.fixture
def server_url(server: Server) -> str:
    return server.url
