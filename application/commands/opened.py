"""The chat as commands use it: its services, and nothing of what a server does by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.exceptions import RedisError

from application.settings import Settings
from application.start import prepare
from application.stores import configured_store
from services.chat import Chat
from services.errors import OperatorError

T = TypeVar("T")


def with_chat(work: Callable[[Chat], Awaitable[T]]) -> T:
    """Do something with the chat of the settings, with no rates and no demo data."""

    async def run() -> T:
        async with opened_chat(prepare()) as chat:
            return await work(chat)

    return asyncio.run(run())


@asynccontextmanager
async def opened_chat(settings: Settings) -> AsyncIterator[Chat]:
    async with chat_of(settings) as chat:
        try:
            await chat.store.open()
            await chat.fleet.check()
            yield chat
        except RedisError as error:
            reason = " ".join(str(error).split()).rstrip(".")
            raise OperatorError(
                f"The store at {settings.store_address} refuses: {reason}."
            ) from error


@asynccontextmanager
async def chat_of(settings: Settings) -> AsyncIterator[Chat]:
    """The same, on a store that has not been opened."""
    async with configured_store(settings) as store:
        chat = Chat(store, demo_data=False, channels=settings.channels)
        try:
            yield chat
        finally:
            await chat.close()
