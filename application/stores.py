"""What the settings say of the chat: its store, a Redis elsewhere or our own embedded one, and the
services on it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import unquote, urlsplit

from application.settings import Settings
from services.chat import Chat
from services.fleet import check_channels
from services.redis.embedded import EmbeddedStore
from services.redis.store import Store, StoreError, check_durability, check_store

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.2
_PAUSE_AFTER_FAILURE = 1.0


@asynccontextmanager
async def configured_store(settings: Settings) -> AsyncIterator[Store]:
    """A store that answers, or StoreError."""
    if settings.store_url is None:
        async with _embedded_store(settings) as store:
            yield store
        return
    store = Store.from_url(settings.store_url, settings.store_password)
    try:
        await check_store(store, settings.store_address)
        await check_durability(store, settings.durability, settings.store_address)
        await check_channels(store, settings.channels, settings.store_address)
        yield store
    finally:
        await store.close()


def configured_chat(store: Store, settings: Settings) -> Chat:
    """The services, not opened yet."""
    return Chat(
        store,
        session_ttl=settings.session_ttl_seconds,
        session_most=settings.session_max_seconds,
        sessions_per_user=settings.sessions_per_user,
        bots_per_user=settings.bots_per_user,
        registration=settings.registration,
        login_queue=settings.login_queue,
        rates=settings.rates,
        demo_data=settings.demo_data,
        durability=settings.durability,
        channels=settings.channels,
    )


@asynccontextmanager
async def _embedded_store(settings: Settings) -> AsyncIterator[Store]:
    embedded = EmbeddedStore(settings.data_dir, appendfsync=settings.appendfsync)
    # Each of these is done whatever becomes of the others: nobody else would end the store.
    async with AsyncExitStack() as ending:
        url = await _started(embedded)
        ending.push_async_callback(asyncio.to_thread, embedded.stop)
        store = Store.from_url(url)
        ending.push_async_callback(store.close)
        stop = asyncio.Event()
        watch = asyncio.create_task(_revive(embedded, url, stop), name="embedded-store-watch")
        ending.push_async_callback(asyncio.wait, {watch})
        ending.callback(stop.set)
        yield store


async def _started(embedded: EmbeddedStore) -> str:
    """The URL. Whoever is told to stop meanwhile leaves nothing running."""
    # Not a task: the end of the event loop would cancel it, while its thread goes on.
    starting = asyncio.get_running_loop().run_in_executor(None, embedded.start)
    try:
        return await asyncio.shield(starting)
    except BaseException:
        await asyncio.wait({starting})
        await asyncio.to_thread(embedded.stop)
        raise


async def _revive(embedded: EmbeddedStore, url: str, stop: asyncio.Event) -> None:
    """Start the embedded store again should it die: nobody else would."""
    socket_file = unquote(urlsplit(url).path)
    pause = _WATCH_SECONDS
    while not await _is_set_within(stop, pause):
        pause = _WATCH_SECONDS
        if await _is_listening(socket_file):
            continue
        _log.warning("The embedded store has ended; starting it again.")
        try:
            await asyncio.to_thread(embedded.stop)
            await asyncio.to_thread(embedded.start)
        except StoreError as error:
            _log.error("%s", error)
            pause = _PAUSE_AFTER_FAILURE


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def _is_listening(socket_file: str) -> bool:
    """Whether nobody has refused: one that is too busy to answer is no reason to end it, and
    neither is a lack of file descriptors here."""
    try:
        _, writer = await asyncio.open_unix_connection(socket_file)
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True
    writer.close()
    return True
