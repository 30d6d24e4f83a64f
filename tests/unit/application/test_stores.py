"""The embedded store is started again when it dies, and only then."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.settings import Settings
from application.stores import configured_store
from services.errors import Unavailable
from services.hub.bells import Channels
from services.redis.store import Store, StoreError
from tests.store_process import VALKEY, StoreProcess


@pytest.fixture
def settings() -> Iterator[Settings]:
    # Not pytest's folder, which is too deep for a socket.
    folder = Path(tempfile.mkdtemp(prefix="parley-tests-"))
    yield Settings.model_construct(data_dir=folder)
    shutil.rmtree(folder)


def pid(settings: Settings) -> int:
    return int((settings.data_dir / "valkey.pid").read_text().split()[0])


async def is_there(store: Store) -> bool:
    try:
        return bool(await store.call("GET", "kept") == b"this")
    except Unavailable:
        return False


async def test_a_killed_one_is_back(settings: Settings) -> None:
    async with configured_store(settings) as store:
        await store.call("SET", "kept", "this")
        os.kill(pid(settings), signal.SIGKILL)
        while not await is_there(store):
            await asyncio.sleep(0.02)


async def test_one_that_is_cancelled_while_it_starts_is_ended(settings: Settings) -> None:
    async def use() -> None:
        async with configured_store(settings):
            raise AssertionError("It was cancelled before.")

    using = asyncio.create_task(use())
    while not (settings.data_dir / "valkey.log").exists():
        await asyncio.sleep(0.001)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    await asyncio.get_running_loop().shutdown_default_executor()
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        await asyncio.open_unix_connection(settings.data_dir / "valkey.sock")


async def test_a_lack_of_descriptors_is_not_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(path: str) -> None:
        failed.set()
        raise OSError(24, "Too many open files")

    failed = asyncio.Event()
    async with configured_store(settings) as store:
        await store.call("SET", "kept", "this")
        before = pid(settings)
        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "open_unix_connection", fails)
            await asyncio.wait_for(failed.wait(), 5)
            await asyncio.sleep(0.1)
        assert await is_there(store)
        assert pid(settings) == before


async def test_a_store_that_cannot_be_as_safe_as_is_asked() -> None:
    process = StoreProcess()
    settings = Settings.model_construct(redis_endpoint_url=process.url, wait_disk=True)
    with pytest.raises(StoreError, match="WAIT_DISK") as caught:
        async with configured_store(settings):
            pass
    assert "\n" not in str(caught.value)
    process.close()


async def test_a_store_that_has_no_sharded_channels() -> None:
    """As Redis before version 7."""
    process = StoreProcess(VALKEY, {"rename-command": 'SPUBLISH ""'})
    settings = Settings.model_construct(redis_endpoint_url=process.url, channels=Channels.SHARDED)
    with pytest.raises(StoreError, match="CHANNELS=sharded") as caught:
        async with configured_store(settings):
            pass
    assert "\n" not in str(caught.value)
    process.close()
