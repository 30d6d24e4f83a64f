"""A broadcaster backend that outlives its connection.

broadcaster's own Redis backend delivers nothing on redis-py 8, dies with its connection without
anyone noticing, and decodes what anyone may publish without a guard. This one reads with one
pub/sub connection, reconnects with backoff and jitter, notices a peer that vanished without a
reset, and says so with an event whenever something may have been missed.
"""

import asyncio
import logging
import random
from contextlib import suppress

from broadcaster import BroadcastBackend, Event
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

_PING_AFTER = 2.0
_GIVE_UP_AFTER = 4.0
_BACKOFF_CAP = 2.0


class Published(Event):
    """Something published on `source`, one of the backend's Redis channels."""

    def __init__(self, channel: str, source: str, data: bytes) -> None:
        super().__init__(channel, "")
        self.source = source
        self.data = data


class Connected(Event):
    """The connection is there (again): anything may have been missed before."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel, "")


class RedisChannels(BroadcastBackend):
    """Several Redis channels as one broadcaster channel, so that their common order is kept."""

    def __init__(self, redis: Redis, sources: tuple[str, ...]) -> None:
        self._redis = redis
        self._sources = sources
        self._events: asyncio.Queue[Event] = asyncio.Queue(maxsize=1000)
        self._reader: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()

    async def connect(self) -> None:
        """The connection is made when somebody subscribes."""

    async def disconnect(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    async def subscribe(self, channel: str) -> None:
        self._reader = asyncio.create_task(self._read_forever(channel), name="channel-reader")

    async def unsubscribe(self, channel: str) -> None:
        await self.disconnect()

    async def publish(self, channel: str, message: str) -> None:
        """Publish on a Redis channel; the scripts do so themselves, with what they change."""
        await self._redis.publish(channel, message)

    async def next_published(self) -> Event:
        return await self._events.get()

    async def _read_forever(self, channel: str) -> None:
        delay = 0.05
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.subscribe(*self._sources)
                delay = 0.05
                await self._read(pubsub, channel)
            except (RedisError, OSError, TimeoutError) as error:
                _log.warning("Lost the connection to the channels: %s", error or type(error))
            finally:
                self.connected.clear()
                with suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, _BACKOFF_CAP)

    async def _read(self, pubsub: PubSub, channel: str) -> None:
        """Hand on what arrives; raise when the connection breaks or falls silent."""
        silent = 0.0
        confirmed = 0
        while True:
            frame = await pubsub.get_message(timeout=_PING_AFTER)
            if frame is None:
                silent += _PING_AFTER
                if silent >= _GIVE_UP_AFTER:
                    raise TimeoutError("the peer does not answer")
                await pubsub.ping()
                continue
            silent = 0.0
            if frame["type"] == "subscribe":
                # redis-py subscribes again by itself after a reconnect of its own.
                confirmed += 1
                if confirmed % len(self._sources) == 0:
                    self.connected.set()
                    await self._events.put(Connected(channel))
            elif frame["type"] == "message":
                source = frame["channel"].decode()
                await self._events.put(Published(channel, source, frame["data"]))
