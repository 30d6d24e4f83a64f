"""A store on which the chat cannot be opened: nothing of it is left there, nor here."""

import asyncio
from collections.abc import Iterator

import pytest

from application.settings import Settings
from application.web import _opened_chat
from services import keys
from services.redis.store import Store, StoreError
from tests.store_process import StoreProcess


@pytest.fixture
def process() -> Iterator[StoreProcess]:
    process = StoreProcess()
    yield process
    process.close()


async def test_a_chat_that_hears_nothing_is_closed(
    process: StoreProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.web._OPEN_SECONDS", 1.0)
    # It takes writes and scripts, and no subscription.
    process.operator.acl_setuser(
        "deaf", enabled=True, passwords="+s", keys="*", commands=["+@all"], reset_channels=True
    )
    url = process.url.replace("redis://", "redis://deaf:s@")
    before = asyncio.all_tasks()
    store = Store.from_url(url)
    with pytest.raises(StoreError, match="Cannot use the store"):
        async with _opened_chat(store, Settings(redis_endpoint_url=url)):
            pytest.fail("It cannot be opened.")
    assert not process.operator.exists(keys.FLEET)
    assert asyncio.all_tasks() == before
