"""A broadcaster backend that outlives its connection.

broadcaster's own Redis backend delivers nothing on redis-py 8, dies with its connection without
anyone noticing, and decodes what anyone may publish without a guard. This one reads with one
pub/sub connection, reconnects with backoff and jitter, notices a peer that vanished without a
reset, and says so with an event whenever something may have been missed.

It also has Redis tell when certain keys change, whoever changes them: the invalidation messages
that Redis has for caches of clients (https://redis.io/docs/latest/develop/reference/client-side-caching/).
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress

from broadcaster import BroadcastBackend, Event
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from services.store import Store

_log = logging.getLogger(__name__)

_PING_AFTER = 1.0
_GIVE_UP_AFTER = 2.0
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 0.5
_INVALIDATIONS = "__redis__:invalidate"


class Published(Event):
    """Something published on `source`, one of the backend's Redis channels."""

    def __init__(self, channel: str, source: str, data: bytes) -> None:
        super().__init__(channel, "")
        self.source = source
        self.data = data


class Changed(Event):
    """These keys were written, deleted or have expired; None: the store was emptied."""

    def __init__(self, channel: str, keys: list[bytes] | None) -> None:
        super().__init__(channel, "")
        self.keys = keys


class Connected(Event):
    """The connection is there (again): anything may have been missed before."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel, "")


class RedisChannels(BroadcastBackend):
    """Several Redis channels, and the keys that begin with one of `prefixes`, as one broadcaster
    channel, so that their common order is kept."""

    def __init__(self, store: Store, sources: Sequence[str], prefixes: Sequence[str] = ()) -> None:
        self._store = store
        self._pool = store.redis.connection_pool
        self._sources = (*sources, _INVALIDATIONS)
        self._prefixes = prefixes
        self._events: asyncio.Queue[Event] = asyncio.Queue(maxsize=1000)
        self._reader: asyncio.Task[None] | None = None
        self._client: Redis | None = None
        """Of the connection that is read now."""
        self.connected = asyncio.Event()
        self._is_tracking = False
        self._connections = 0

    @property
    def hearing(self) -> int | None:
        """The number of the connection on which changes of keys are heard; None without any."""
        return self._connections if self.connected.is_set() and self._is_tracking else None

    async def connect(self) -> None:
        """The connection is made when somebody subscribes."""

    async def disconnect(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None
        # The reader may have been cancelled while it closed its connection.
        await self._close_client()

    async def subscribe(self, channel: str) -> None:
        self._reader = asyncio.create_task(self._read_forever(channel), name="channel-reader")

    async def unsubscribe(self, channel: str) -> None:
        await self.disconnect()

    async def publish(self, channel: str, message: str) -> None:
        """Publish on a Redis channel; the scripts do so themselves, with what they change."""
        await self._store.call("PUBLISH", channel, message)

    async def next_published(self) -> Event:
        return await self._events.get()

    async def _read_forever(self, channel: str) -> None:
        delay = _FIRST_DELAY
        while True:
            self._client = Redis.from_pool(_single_connection(self._pool))
            try:
                pubsub = self._client.pubsub()
                await self._subscribe(pubsub)
                await self._await_confirmation(pubsub)
                delay = _FIRST_DELAY
                self._connections += 1
                self.connected.set()
                await self._events.put(Connected(channel))
                await self._read(pubsub, channel)
            except (RedisError, OSError, TimeoutError, RuntimeError) as error:
                # uvloop has a RuntimeError for writing to a connection that the peer has reset.
                _log.warning("Lost the connection to the channels: %s", error or type(error))
                # The connections for commands may be as dead without saying so.
                await self._store.drop_connections()
            finally:
                self.connected.clear()
                await self._close_client()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _close_client(self) -> None:
        if self._client is not None:
            with suppress(RedisError, OSError):
                await self._client.aclose()
            self._client = None

    async def _subscribe(self, pubsub: PubSub) -> None:
        await pubsub.connect()  # type: ignore[no-untyped-call]
        self._is_tracking = False
        if self._prefixes and pubsub.connection is not None:
            await self._track(pubsub.connection)
        await pubsub.subscribe(*self._sources)

    async def _track(self, connection: AbstractConnection) -> None:
        """Ask for the changes of keys, to be told on this connection."""
        prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        try:
            await connection.send_command("CLIENT", "ID")
            own_id = await connection.read_response()
            await connection.send_command(
                "CLIENT", "TRACKING", "ON", "REDIRECT", own_id, "BCAST", *prefixes
            )
            await connection.read_response()
            self._is_tracking = True
        except ResponseError as error:
            # Forbidden to this user of the store, say. What depends on it is checked at each
            # delivery as well.
            _log.warning("The store does not tell of changed keys: %s", error)

    async def _await_confirmation(self, pubsub: PubSub) -> None:
        """Raise when the store does not confirm every channel in time."""
        async with asyncio.timeout(_GIVE_UP_AFTER):
            confirmed = 0
            while confirmed < len(self._sources):
                frame = await pubsub.get_message(timeout=_GIVE_UP_AFTER)
                confirmed += frame is not None and frame["type"] == "subscribe"

    async def _read(self, pubsub: PubSub, channel: str) -> None:
        """Hand on what arrives; raise when the connection breaks or falls silent."""
        silent = 0.0
        while True:
            frame = await pubsub.get_message(timeout=_PING_AFTER)
            if frame is None:
                silent += _PING_AFTER
                if silent >= _GIVE_UP_AFTER:
                    raise TimeoutError("the peer does not answer")
                await pubsub.ping()
                continue
            silent = 0.0
            if frame["type"] == "message":
                await self._events.put(_event(channel, frame["channel"].decode(), frame["data"]))


def _event(channel: str, source: str, data: bytes | list[bytes] | None) -> Event:
    if isinstance(data, bytes):
        return Published(channel, source, data)
    return Changed(channel, data)


def _single_connection(pool: ConnectionPool) -> ConnectionPool:
    """A pool for one connection like the others, which breaks when it breaks: redis-py would
    reconnect and subscribe again without telling anyone of the gap.

    Invalidations come as messages in RESP 2 only.
    """
    options = {
        **pool.connection_kwargs,
        "protocol": 2,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "retry": Retry(NoBackoff(), 0),
    }
    return ConnectionPool(connection_class=pool.connection_class, **options)
