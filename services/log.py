"""The log of a room: every message once, in the order in which Parley took or found it.

Positions are microseconds of the store's clock, unique and increasing within a log. The history
(the sorted set shared with the other servers) is ordered by what their clocks said; the log is
what cursors and live delivery go by.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress

from services import keys
from services.ids import is_room_id, message_node_id
from services.models import Message
from services.store import Store
from services.wire import MalformedRecord, StoredMessage, decode_message, foreign_member

_log = logging.getLogger(__name__)
_READ_LIMIT = 500
_SCAN_COUNT = 500


class Log:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def now(self) -> int:
        """The present moment as a position: later entries of every log come after it."""
        seconds, microseconds = await self._store.call("TIME")
        return int(seconds) * 1_000_000 + int(microseconds)

    async def read(self, room_id: str, after: int, upto: int | None = None) -> list[Message]:
        """Messages of the room after one position and up to another, in the log's order."""
        return (await self.read_many({room_id: after}, upto))[room_id]

    async def read_many(
        self, after: dict[str, int], upto: int | None = None
    ) -> dict[str, list[Message]]:
        """As `read`, for several rooms in one round trip (more when a room has a lot to tell)."""
        found: dict[str, list[Message]] = {room_id: [] for room_id in after}
        pending = dict(after)
        while pending:
            pipe = self._store.pipeline()
            for room_id, position in pending.items():
                self._store.add(
                    pipe,
                    "read_log",
                    [keys.room(room_id), keys.room_log(room_id)],
                    position,
                    "+" if upto is None else upto,
                    _READ_LIMIT,
                )
            replies = await self._store.execute(pipe)
            more = {}
            for room_id, reply in zip(pending, replies, strict=True):
                found[room_id] += _messages(room_id, reply)
                if len(reply) == 3 * _READ_LIMIT:
                    more[room_id] = int(reply[-3])
            pending = more
        return found

    async def ends(self, logs: Iterable[str]) -> dict[str, int]:
        """Position of the newest entry of each log (`room:0`, `user:4`), 0 for an empty one."""
        logs = list(logs)
        pipe = self._store.pipeline()
        for log in logs:
            pipe.xrevrange(keys.log(log), count=1)
        replies = await self._store.execute(pipe) if logs else []
        return {
            log: int(entries[0][0].partition(b"-")[0]) if entries else 0
            for log, entries in zip(logs, replies, strict=True)
        }

    async def rooms_added(self, user_id: str, after: int) -> list[tuple[int, str]]:
        """Rooms that became visible to the user after a position, in order."""
        entries = await self._store.call("XRANGE", keys.user_log(user_id), f"({after}-0", "+")
        return [(int(entry_id.partition(b"-")[0]), f[b"room"].decode()) for entry_id, f in entries]

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
                [keys.room(room_id), keys.room_log(room_id), keys.room_foreign(room_id)],
                room_id,
                keys.LOG_CHANNEL,
                "baseline" if baseline else "live",
            )
        await self._store.execute(pipe)

    async def holds(self, message: StoredMessage) -> bool:
        """Whether the room's history has this message, as another server said it."""
        pipe = self._store.pipeline()
        # Some servers score a message by its date, some by the whole seconds of it.
        pipe.zrangebyscore(keys.room(message.room_id), message.date, message.date)
        pipe.zrangebyscore(keys.room(message.room_id), int(message.date), int(message.date))
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
        async with self._store.guard() as redis:
            baseline = not await redis.exists(keys.BASELINE)
            batch: list[str] = []
            async for key in redis.scan_iter(match="room:*", count=_SCAN_COUNT, _type="zset"):
                room_id = key.decode(errors="replace").removeprefix("room:")
                if is_room_id(room_id):
                    batch.append(room_id)
                if len(batch) == _SCAN_COUNT:
                    await self.ingest(batch, baseline=baseline)
                    batch.clear()
            await self.ingest(batch, baseline=baseline)
            await redis.set(keys.BASELINE, 1)


def to_message(room_id: str, position: int, score: float, member: bytes) -> Message | None:
    """Decode a member; a corrupt one is logged and passed over."""
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


def _messages(room_id: str, reply: list[bytes]) -> list[Message]:
    rows = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
    decoded = (
        to_message(room_id, int(position), float(score), member)
        for position, score, member in rows
        if member
    )
    return [message for message in decoded if message is not None]
