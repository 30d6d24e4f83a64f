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
from functools import partial
from typing import Any

import hiredis
from broadcaster import BroadcastBackend, Event
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from services import keys
from services.conversation import Conversation
from services.store import Store
from services.tasks import stop

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.25
_PING_AFTER = 1.0
_GIVE_UP_AFTER = 2.0
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 0.5
_PING = hiredis.pack_command(("PING",))


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
        self._sources = (*sources, keys.INVALIDATIONS_CHANNEL)
        self._prefixes = prefixes
        pipe = store.pipeline()
        pipe.add("SUBSCRIBE", *self._sources)
        self._subscribe, _ = pipe.packed()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        """Whoever takes them never waits (services/hub.py)."""
        self._reader: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self._is_tracking = False
        self._connections = 0
        self._confirmed = 0
        """How many of the sources the present connection listens to."""
        self._refusal: Exception | None = None
        """Why it may not."""

    @property
    def hearing(self) -> int | None:
        """The number of the connection on which changes of keys are heard; None without any."""
        return self._connections if self.connected.is_set() and self._is_tracking else None

    @property
    def connections(self) -> int:
        """How many connections have been made so far."""
        return self._connections

    @property
    def unread(self) -> int:
        return self._events.qsize()

    async def connect(self) -> None:
        """The connection is made when somebody subscribes."""

    async def disconnect(self) -> None:
        if self._reader is not None:
            await stop(self._reader)
            self._reader = None
        self.connected.clear()

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
            try:
                await self._converse(channel)
            except Exception as error:
                _log.warning("Lost the connection to the channels: %s", error or type(error))
            if self.connected.is_set():
                self.connected.clear()
                delay = _FIRST_DELAY
                # The connections for commands may be as dead without saying so.
                with suppress(RedisError):
                    await self._store.drop_connections()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, _LONGEST_DELAY)

    async def _converse(self, channel: str) -> None:
        """Hand on what arrives on one connection; raise when it breaks or falls silent."""
        self._confirmed, self._refusal = 0, None
        connection = _lonely_connection(self._store)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            self._is_tracking = bool(self._prefixes) and await self._track(connection)
            conversation = Conversation(connection, partial(self._receive, channel))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        try:
            conversation.say(self._subscribe)
            await self._watch(conversation)
        finally:
            conversation.end()

    async def _track(self, connection: AbstractConnection) -> bool:
        """Ask for the changes of keys, to be told on this connection."""
        prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        try:
            await connection.send_command("CLIENT", "ID")
            own_id = await connection.read_response()
            await connection.send_command(
                "CLIENT", "TRACKING", "ON", "REDIRECT", own_id, "BCAST", *prefixes
            )
            await connection.read_response()
        except ResponseError as error:
            # Forbidden to this user of the store, say. What depends on it is checked at each
            # delivery as well.
            _log.warning("The store does not tell of changed keys: %s", error)
            return False
        return True

    def _receive(self, channel: str, reply: Any) -> None:
        match reply:
            case Exception():
                self._refusal = reply
            case [b"message", source, data]:
                self._events.put_nowait(_event(channel, source.decode(), data))
            case [b"subscribe", *_]:
                self._confirmed += 1
                if self._confirmed == len(self._sources):
                    self._connections += 1
                    self.connected.set()
                    self._events.put_nowait(Connected(channel))

    async def _watch(self, conversation: Conversation) -> None:
        """Raise when the connection ends, is not confirmed in time, or the peer falls silent."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            await asyncio.wait([conversation.ended], timeout=_WATCH_SECONDS)
            if self._refusal is not None:
                raise self._refusal
            if conversation.ended.done():
                raise conversation.ended.result() or ConnectionError("closed by the peer")
            now = loop.time()
            if now - conversation.heard_at >= _GIVE_UP_AFTER or not (
                self.connected.is_set() or now - began < _GIVE_UP_AFTER
            ):
                raise TimeoutError("the peer does not answer")
            if now - conversation.heard_at >= _PING_AFTER:
                conversation.say(_PING)


def _event(channel: str, source: str, data: bytes | list[bytes] | None) -> Event:
    if isinstance(data, bytes):
        return Published(channel, source, data)
    return Changed(channel, data)


def _lonely_connection(store: Store) -> AbstractConnection:
    """A connection like the others, which breaks when it breaks: redis-py would connect again
    without telling anyone of the gap.

    Invalidations come as messages in RESP 2 only.
    """
    pool = store.redis.connection_pool
    options = {
        **pool.connection_kwargs,
        "protocol": 2,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "retry": Retry(NoBackoff(), 0),
    }
    return pool.connection_class(**options)
