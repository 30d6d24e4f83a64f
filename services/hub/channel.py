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
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from broadcaster import BroadcastBackend, Event
from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import ConnectionError, MovedError, RedisError, ResponseError

from services import keys
from services.redis.conversation import Conversation
from services.redis.pipeline import Pipeline
from services.redis.sentinels import Place
from services.redis.store import Store
from services.tasks import stop

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.25
_PING_AFTER = 1.0
_GIVE_UP_AFTER = 2.0
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 0.5


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
    channel, so that their common order is kept. Sharded channels come and go with `follow` and
    `leave`."""

    def __init__(
        self,
        store: Store,
        sources: Sequence[str],
        prefixes: Sequence[str] = (),
        *,
        at: Place | None = None,
    ) -> None:
        """`at`: the server of a cluster that is to be heard; whose keys' changes it tells of."""
        self._store = store
        self._at = at
        self._sources = (*sources, keys.INVALIDATIONS_CHANNEL)
        self._prefixes = prefixes
        self._followed: set[str] = set()
        """The sharded channels."""
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        """Whoever takes them never waits (services/hub/ear.py)."""
        self._reader: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self._is_tracking = False
        self._connections = 0
        self._conversation: Conversation | None = None
        self._due: set[str] = set()
        """What the present connection does not listen to yet, of all that it began with."""
        self._unconfirmed: dict[str, asyncio.Future[None]] = {}
        """Sharded channels that it was asked to listen to."""
        self._leaving: list[str] = []
        """Those that it was asked to listen to no longer, and has not confirmed."""
        self.lost = 0
        """How often a sharded channel was found to be elsewhere."""
        self.received = 0
        """How many messages have come."""
        self._refusal: Exception | None = None
        """Why it may not."""
        self._troubles: set[str] = set()
        """Why nothing has been heard since the last connection: each reason is told once."""

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

    def follow(self, channel: str) -> None:
        """Listen to a sharded channel, too; `heard` tells from when on."""
        if channel in self._followed:
            return
        self._followed.add(channel)
        if self._conversation is not None:
            self._ask_for(channel, self._conversation)

    def leave(self, channel: str) -> bool:
        """Listen to it no longer; False while that is not possible yet."""
        if channel in self._unconfirmed:
            return False
        if channel in self._followed:
            self._followed.remove(channel)
            if self._conversation is not None:
                self._leaving.append(channel)
                self._conversation.say(_packed("SUNSUBSCRIBE", channel))
        return True

    def is_followed(self, channel: str) -> bool:
        """False, too, of one that the store has taken away, as its slot is elsewhere now."""
        return channel in self._followed

    def is_heard(self, channel: str) -> bool:
        """Whether a channel that is followed is listened to, or there is no connection: Connected
        will tell that something may have been missed."""
        return channel not in self._unconfirmed

    async def heard(self, channels: Iterable[str]) -> None:
        """Wait until that is so of all of these."""
        waiting = [self._unconfirmed[each] for each in channels if each in self._unconfirmed]
        if waiting:
            await asyncio.wait(waiting)

    def _ask_for(self, channel: str, conversation: Conversation) -> None:
        self._unconfirmed[channel] = asyncio.get_running_loop().create_future()
        # One by one, as on a Redis Cluster they are of different slots.
        conversation.say(_packed("SSUBSCRIBE", channel))

    async def _read_forever(self, channel: str) -> None:
        delay = _FIRST_DELAY
        while True:
            try:
                await self._converse(channel)
            except Exception as error:
                self._tell_of(error)
            if self.connected.is_set():
                self.connected.clear()
                delay = _FIRST_DELAY
                if not self._store.is_cluster:
                    # The connections for commands may be as dead without saying so.
                    with suppress(RedisError):
                        await self._store.drop_connections()
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, _LONGEST_DELAY)

    def _tell_of(self, error: Exception) -> None:
        trouble = str(error) or type(error).__name__
        if trouble not in self._troubles:
            self._troubles.add(trouble)
            _log.warning("The channels of the store are not heard, trying on: %s", trouble)

    async def _converse(self, channel: str) -> None:
        """Hand on what arrives on one connection; raise when it breaks or falls silent."""
        self._refusal = None
        connection = self._store.lonely_connection(self._at)
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            self._is_tracking = bool(self._prefixes) and await self._track(connection)
            conversation = Conversation(connection, partial(self._receive, channel))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._conversation = conversation
        try:
            self._due = {*self._sources, *self._followed}
            conversation.say(_packed("SUBSCRIBE", *self._sources))
            for each in self._followed:
                self._ask_for(each, conversation)
            await self._watch(conversation)
        finally:
            self._conversation = None
            conversation.end()
            for confirmation in self._unconfirmed.values():
                confirmation.set_result(None)
            self._unconfirmed.clear()
            self._leaving.clear()

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
            case MovedError():
                self._lose(channel, {one for one in self._unconfirmed if _is_of(reply, one)})
            case Exception():
                self._refusal = reply
            case [b"smessage", _, _] if not self.connected.is_set():
                # Others are not heard yet: that one rings says nothing of what they had before.
                # Connected has everything searched for.
                pass
            case [b"message" | b"smessage", source, data]:
                self.received += 1
                self._events.put_nowait(_event(channel, source.decode(), data))
            case [b"subscribe" | b"ssubscribe", source, _]:
                self._confirm(channel, source.decode())
            case [b"sunsubscribe", source, _]:
                if (name := source.decode()) in self._leaving:
                    self._leaving.remove(name)
                else:  # Its slot has moved.
                    self._lose(channel, {name})

    def _lose(self, channel: str, sources: set[str]) -> None:
        """These are not to be heard here."""
        self.lost += len(sources)
        for source in sources:
            self._followed.discard(source)
            self._confirm(channel, source)

    def _confirm(self, channel: str, source: str) -> None:
        if source in self._unconfirmed:
            self._unconfirmed.pop(source).set_result(None)
        if source in self._due:
            self._due.remove(source)
            if not self._due:
                self._connections += 1
                self.connected.set()
                self._events.put_nowait(Connected(channel))
                if self._troubles:
                    self._troubles.clear()
                    _log.info("The channels of the store are heard again.")

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
            if self._at is None and self._store.has_parted_with(conversation.place):
                # It may run on, and answer: but what is published in the cluster is not there.
                raise ConnectionError("the server has left the cluster")
            now = loop.time()
            if now - conversation.heard_at >= _GIVE_UP_AFTER or not (
                self.connected.is_set() or now - began < _GIVE_UP_AFTER
            ):
                raise TimeoutError("the peer does not answer")
            if now - conversation.heard_at >= _PING_AFTER:
                conversation.say(_packed("PING"))


def _packed(*command: str) -> bytes:
    pipe = Pipeline()
    pipe.add(*command)
    request, _ = pipe.packed()
    return request


def _is_of(moved: MovedError, channel: str) -> bool:
    return bool(key_slot(channel.encode()) == moved.slot_id)


def _event(channel: str, source: str, data: bytes | list[bytes] | None) -> Event:
    if isinstance(data, bytes):
        return Published(channel, source, data)
    return Changed(channel, data)
