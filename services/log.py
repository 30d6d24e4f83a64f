"""The log of a room: every message once, in the order in which Parley took or found it.

Positions are microseconds of the store's clock, unique and increasing over all logs of the store:
where its clock steps back they go on from the newest one. The history (the sorted set shared with
the other servers) is ordered by what their clocks said; the log is what cursors and live delivery
go by.
"""

import asyncio
import logging
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from services import keys
from services.errors import Unavailable
from services.hub.bells import Channels
from services.ids import is_room_id, message_node_id
from services.models import Message, MessageEvent, RoomEvent
from services.redis.pipeline import Pipeline
from services.redis.store import Store
from services.wire import (
    MalformedRecord,
    StoredMessage,
    decode_message,
    decode_own_message,
    foreign_member,
)

_log = logging.getLogger(__name__)
_READ_LIMIT = 500
_INGESTED_AT_ONCE = 500
_INGEST_TRIES = 10

Entry = tuple[str, MessageEvent | RoomEvent]
"""The name of a log (`room:0`, `user:4`) and what it tells."""


@dataclass(frozen=True, slots=True)
class News:
    """What some logs hold between two positions, in the order of the positions."""

    entries: list[Entry]
    upto: int
    """No entry up to here is left out."""
    is_all: bool
    """Nothing more was there when the logs were read."""
    reached: dict[str, int]
    """How far each log that had something was read, also beyond what nobody can read."""


class Log:
    def __init__(self, store: Store, channels: Channels = Channels.SHARED) -> None:
        self._store = store
        self._channels = channels

    async def now(self) -> int:
        """The present moment as a position, the newest of all: later entries come after it.

        On a Redis Cluster what one of its servers takes for the present moment."""
        if self._store.is_cluster:
            seconds, microseconds = await self._store.call("TIME")
            return int(seconds) * 1_000_000 + int(microseconds)
        clock = await self._store.call("GET", keys.CLOCK)
        return int(clock or 0)

    async def past(self) -> int:
        """A moment that is over in every log: what is written from now on comes after it."""
        if not self._store.is_cluster:
            return await self.now()
        await self._store.look_around()
        asking = (self._store.call_at(place, "TIME") for place in self._store.primaries)
        times = await asyncio.gather(*asking)
        return min(int(seconds) * 1_000_000 + int(rest) for seconds, rest in times)

    async def news(
        self,
        logs: Collection[str],
        after: int,
        upto: int | None = None,
        *,
        limit: int = _READ_LIMIT,
    ) -> News:
        """What these logs (`room:0`, `user:4`) hold after a position and up to another, which is
        the present moment if not given; one round trip.

        At most about `limit` entries, at least one of each log: for more, ask again after `upto`.
        On a Redis Cluster, where no clock is common to the logs, `upto` has to be given.
        """
        share = max(1, limit // max(1, len(logs)))
        pipe = self._store.pipeline()
        # The clock first: whatever has a position up to it is in the logs that are read then.
        pipe.add("GET", keys.CLOCK)
        for log in logs:
            self._add_reading(pipe, log, after, share)
        clock, *replies = await self._store.execute(pipe)
        return _news(logs, replies, share, max(int(clock or 0) if upto is None else upto, after))

    async def news_of_each(self, after: Mapping[str, int], *, limit: int = _READ_LIMIT) -> News:
        """As `news`, where each log has a position of its own to read after, and no end."""
        share = max(1, limit // max(1, len(after)))
        pipe = self._store.pipeline()
        for log, position in after.items():
            self._add_reading(pipe, log, position, share)
        return _news(after, await self._store.execute(pipe), share, sys.maxsize)

    async def clocks(self, logs: Collection[str]) -> dict[str, int]:
        """The newest position of each log, where each has a clock of its own; one round trip.

        Without one that never had an entry, or none but those of before Parley's time."""
        pipe = self._store.pipeline()
        for log in logs:
            pipe.add("GET", keys.log_clock(log))
        clocks = await self._store.execute(pipe)
        return {log: int(clock) for log, clock in zip(logs, clocks, strict=True) if clock}

    async def holders(self, logs: Collection[str], position: int) -> list[str]:
        """Which of these logs have an entry at a position; one round trip."""
        pipe = self._store.pipeline()
        for log in logs:
            pipe.add("XRANGE", keys.log(log), position, position)
        found = await self._store.execute(pipe)
        return [log for log, entries in zip(logs, found, strict=True) if entries]

    async def get(self, room_id: str, position: int) -> Message | None:
        """The message at a position of the room's log."""
        pipe = self._store.pipeline()
        self._add_reading(pipe, f"room:{room_id}", position - 1, 1)
        (reply,) = await self._store.execute(pipe)
        found = _messages(room_id, reply)
        return found[0] if found and found[0].position == position else None

    async def has(self, log: str, position: int) -> bool:
        """Whether the log has an entry at this position."""
        return bool(await self._store.call("XRANGE", keys.log(log), position, position))

    async def ingest(self, room_ids: Iterable[str], *, baseline: bool = False) -> None:
        """Log the messages that other servers stored; the new ones ring like our own."""
        room_ids = list(room_ids)
        if not room_ids:
            return
        pipe = self._store.pipeline()
        for room_id in room_ids:
            self._store.add(
                pipe,
                "ingest",
                [
                    keys.room(room_id),
                    keys.room_log(room_id),
                    keys.room_foreign(room_id),
                    self._store.clock(f"room:{room_id}"),
                ],
                room_id,
                *self._channels.bell(f"room:{room_id}"),
                "baseline" if baseline else "live",
            )
        await self._store.execute(pipe)

    async def holds(self, message: StoredMessage) -> bool:
        """Whether the room's history has this message, as another server said it."""
        room = keys.room(message.room_id)
        pipe = self._store.pipeline()
        # Some servers score a message by its date, some by the whole seconds of it.
        pipe.add("ZRANGEBYSCORE", room, message.date, message.date)
        pipe.add("ZRANGEBYSCORE", room, int(message.date), int(message.date))
        exact, whole = await self._store.execute(pipe)
        for member in exact + whole:
            with suppress(MalformedRecord):
                stored = decode_message(member, message.room_id)
                if (stored.sender_id, stored.text) == (message.sender_id, message.text):
                    return True
        return False

    async def adopt(self, message: StoredMessage) -> None:
        """Store a message that another server published only, as that server would have."""
        member = foreign_member(message)
        await self._store.call("ZADD", keys.room(message.room_id), "NX", int(message.date), member)
        await self.ingest([message.room_id])

    async def ingest_all(self) -> None:
        """Log what other servers stored while no Parley was running.

        On Parley's first start on a store everything found is history: it gets positions older
        than any cursor, so that nobody is sent years of old messages as news.
        """
        baseline = not await self._store.call("EXISTS", keys.BASELINE)
        batch: list[str] = []
        async for name in self._store.scan(keys.room("*"), "zset"):
            room_id = name.removeprefix(keys.room(""))
            if is_room_id(room_id):
                batch.append(room_id)
            if len(batch) == _INGESTED_AT_ONCE:
                await self._ingest_many(batch, baseline)
                batch.clear()
        await self._ingest_many(batch, baseline)
        await self._store.call("SET", keys.BASELINE, 1)

    async def _ingest_many(self, room_ids: list[str], baseline: bool) -> None:
        """As `ingest`, with patience: a room with 100,000 messages takes the store longer than a
        call may. It goes on without us, and there is nothing left to do at the next try."""
        for _ in range(_INGEST_TRIES - 1):
            with suppress(Unavailable):
                return await self.ingest(room_ids, baseline=baseline)
        return await self.ingest(room_ids, baseline=baseline)

    def _add_reading(self, pipe: Pipeline, log: str, after: int, count: int) -> None:
        kind, _, name = log.partition(":")
        if kind == "user":
            pipe.add("XRANGE", keys.log(log), f"({after}", "+", "COUNT", count)
        else:
            self._store.add(pipe, "read_log", [keys.room(name), keys.room_log(name)], after, count)


def to_message(room_id: str, position: int, score: float, member: bytes) -> Message | None:
    """Decode a member; a corrupt one is logged and passed over."""
    own = decode_own_message(member)
    if own is not None:
        sender_id, text, client_message_id = own
        return Message(room_id, sender_id, text, position, score, client_message_id)
    try:
        stored = decode_message(member, room_id)
    except MalformedRecord as error:
        _log.warning("Skipped a corrupt message in room %s: %s", room_id, error)
        return None
    return Message(
        room_id, stored.sender_id, stored.text, position, score, stored.client_message_id
    )


def own_position(room_id: str, score: float, member: bytes) -> int | None:
    """The position of a member that Parley wrote: its score, which its id repeats."""
    position = round(score * 1_000_000)
    marker = f'"id":"{message_node_id(room_id, position)}"'
    return position if marker.encode() in member else None


def _news(logs: Iterable[str], replies: list[list[Any]], share: int, end: int) -> News:
    """What was read of some logs, at most `share` entries of each, up to a position."""
    covered = end
    entries: list[Entry] = []
    ends: dict[str, int] = {}
    for log, reply in zip(logs, replies, strict=True):
        size, last = _extent(log, reply)
        if size:
            ends[log] = last
        if size == share:
            covered = min(covered, last)
        entries += _entries(log, reply)
    told = sorted(
        (entry for entry in entries if entry[1].position <= covered),
        key=lambda entry: entry[1].position,
    )
    reached = {log: min(last, covered) for log, last in ends.items()}
    return News(told, covered, covered == end, reached)


def _extent(log: str, reply: list[Any]) -> tuple[int, int]:
    """How many entries a reading found, and the position of the last one."""
    if not reply:
        return 0, 0
    if log.startswith("user:"):
        return len(reply), int(reply[-1][0].partition(b"-")[0])
    return len(reply) // 3, int(reply[-3])


def _entries(log: str, reply: list[Any]) -> list[Entry]:
    kind, _, name = log.partition(":")
    if kind == "user":
        return [
            (log, RoomEvent(int(entry_id.partition(b"-")[0]), room_id.decode()))
            for entry_id, (_, room_id) in reply
        ]
    return [(log, MessageEvent(message)) for message in _messages(name, reply)]


def _messages(room_id: str, reply: list[bytes]) -> list[Message]:
    rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
    decoded = (
        to_message(room_id, int(position), float(score), member)
        for position, score, member in rows
        if member
    )
    return [message for message in decoded if message is not None]
