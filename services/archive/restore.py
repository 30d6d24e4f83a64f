"""Putting an archive into an empty store: ids, order and cursors stay what they were.

What is there already is left as it is, so that an archive whose import was interrupted is put in
again from its beginning. Only one archive goes into a store: the ids of two chats mean different
things.
"""

import time
from collections.abc import Iterable

from services import keys
from services.archive.lines import (
    ArchiveError,
    ChatLine,
    EndLine,
    MessageLine,
    RoomLine,
    UserLine,
    read_line,
)
from services.fleet import Fleet
from services.log import Log, own_position
from services.messages import IDEMPOTENCY_SECONDS, idempotency
from services.presence import LAST_SEEN
from services.redis.pipeline import Pipeline
from services.redis.store import Store
from services.wire import decode_own_message

_BATCH_LINES = 500
_BATCH_BYTES = 1_000_000


class Restore:
    """Puts one archive into a store."""

    def __init__(self, store: Store, log: Log, fleet: Fleet) -> None:
        self._store = store
        self._log = log
        self._fleet = fleet
        self.users = self.rooms = self.messages = 0
        """How many were read."""
        self._pending: list[MessageLine] = []
        self._pending_bytes = 0
        self._number = 0

    async def run(self, lines: Iterable[bytes]) -> bool:
        """Whether something was to do; False for an archive that was put in before.

        Raises ArchiveError for lines that cannot be used, for an archive that is not whole, and for
        a store that has another chat or is in use.
        """
        archive: ChatLine | None = None
        end: EndLine | None = None
        for self._number, line in enumerate(lines, start=1):
            read = read_line(self._number, line)
            if end is not None:
                raise ArchiveError(f"Line {self._number} cannot be used: the archive has ended.")
            if isinstance(read, ChatLine) != (archive is None):
                raise ArchiveError(
                    f"Line {self._number} cannot be used: an archive has one line of the type"
                    " chat, its first."
                )
            match read:
                case ChatLine():
                    archive = read
                    if not await self._begin(archive):
                        return False
                case UserLine():
                    await self._put_user(read)
                case RoomLine():
                    await self._put_room(read)
                case MessageLine():
                    await self._take_message(read)
                case EndLine():
                    end = read
        await self._put_messages()
        if archive is None or end != EndLine(
            type="end", users=self.users, rooms=self.rooms, messages=self.messages
        ):
            raise ArchiveError(
                f"The archive is not whole: something is missing before line {self._number + 1}."
                " Import it again when it is; what is there already is left as it is."
            )
        await self._store.call("SET", keys.IMPORT, archive.id + keys.IMPORT_DONE)
        return True

    async def _begin(self, archive: ChatLine) -> bool:
        """Claim the store for this archive; False where it was put in before."""
        name = (await self._store.call("GET", keys.IMPORT) or b"").decode()
        if name == archive.id + keys.IMPORT_DONE:
            return False
        if name != archive.id and (name or await self._store.call("EXISTS", keys.TOTAL_USERS)):
            raise ArchiveError(
                "The store has another chat already, whose ids mean other things: import"
                " into an empty one. Set DATA_DIR or REDIS_ENDPOINT_URL to that."
            )
        if servers := await self._fleet.servers():
            are = "A server uses" if servers == 1 else f"{servers} servers use"
            raise ArchiveError(
                f"{are} this store: stop it before an import. One that was killed counts for"
                " a minute more."
            )
        await self._store.call("SET", keys.IMPORT, archive.id)
        pipe = self._store.pipeline()
        # First, as its existence keeps servers from filling the store with demo data.
        pipe.add("SET", keys.TOTAL_USERS, archive.last_user, "NX")
        if archive.named_rooms:
            pipe.add("SET", keys.NAMED_ROOMS, archive.named_rooms, "NX")
        pipe.add("SET", keys.BASELINE, 1)
        past = await self._log.past()
        if not self._store.is_cluster:
            past = max(archive.clock, past)
            pipe.add("SET", keys.CLOCK, past)
        for epoch, reach in archive.epochs.items():
            # On a cluster, where each log has a clock of its own, also those that there are not
            # yet, what comes could stand before a moment that is not over.
            if reach <= past:
                pipe.add("HSETNX", keys.ENDED_EPOCHS, epoch, reach)
        await self._store.execute(pipe)
        return True

    async def _put_user(self, line: UserLine) -> None:
        self.users += 1
        pipe = self._store.pipeline()
        for field, value in line.fields.items():
            pipe.add("HSETNX", keys.user(line.id), field, value)
        if line.is_named:
            name = line.fields.get("username", b"").decode(errors="replace")
            pipe.add("SET", keys.username(name), f"user:{line.id}", "NX")
        if line.seen is not None:
            pipe.add("HSETNX", LAST_SEEN, line.id, line.seen)
        for bot_id, created in line.bots:
            pipe.add("ZADD", keys.bots(line.id), "NX", created, bot_id)
        self._add_sessions(pipe, line)
        self._store.add(
            pipe,
            "restore_rooms",
            [
                keys.user_rooms(line.id),
                keys.user_log(line.id),
                keys.user_announced(line.id),
                self._store.clock(f"user:{line.id}"),
            ],
            len(line.rooms),
            len(line.announced),
            *line.rooms,
            *line.announced,
            *(word for entry in line.log for word in entry),
        )
        await self._store.execute(pipe)

    def _add_sessions(self, pipe: Pipeline, line: UserLine) -> None:
        now = time.time() * 1000
        ends: list[int] = []
        for session in line.sessions:
            expiry: list[str | int] = []
            if session.expires is not None:
                if session.expires <= now:
                    continue
                expiry = ["PXAT", session.expires]
                ends.append(session.expires)
            pipe.add("SET", keys.session(line.id, session.hash), session.value, "NX", *expiry)
            pipe.add("ZADD", keys.sessions(line.id), "NX", session.score, session.hash)
        if ends and len(ends) == len(line.sessions):
            pipe.add("PEXPIREAT", keys.sessions(line.id), max(ends))

    async def _put_room(self, line: RoomLine) -> None:
        self.rooms += 1
        await self._store.call("SET", keys.room_name(line.id), line.name, "NX")

    async def _take_message(self, line: MessageLine) -> None:
        """Messages of one room go to the store together."""
        self.messages += 1
        if self._pending and (
            self._pending[0].room != line.room
            or len(self._pending) == _BATCH_LINES
            or self._pending_bytes > _BATCH_BYTES
        ):
            await self._put_messages()
        self._pending.append(line)
        self._pending_bytes += len(line.member)

    async def _put_messages(self) -> None:
        lines, self._pending, self._pending_bytes = self._pending, [], 0
        if not lines:
            return
        room_id = lines[0].room
        words: list[int | str | bytes] = []
        pipe = self._store.pipeline()
        for line in lines:
            is_own = own_position(room_id, float(line.score), line.member) == line.position
            words += [line.position, line.score, line.member, "own" if is_own else "foreign"]
            if is_own:
                _add_idempotency(pipe, line)
        self._store.add(
            pipe,
            "restore_messages",
            [
                keys.room(room_id),
                keys.room_log(room_id),
                keys.room_foreign(room_id),
                self._store.clock(f"room:{room_id}"),
            ],
            *words,
        )
        *_, conflict = await self._store.execute(pipe)
        if conflict:
            raise ArchiveError(
                f"The store has other messages in room {room_id}, at {conflict.decode()}: somebody"
                " has used it before the import was complete. Empty it and import again."
            )


def _add_idempotency(pipe: Pipeline, line: MessageLine) -> None:
    """What the sender's clientMessageId stands for, as long as it would have."""
    own = decode_own_message(line.member)
    if own is None or own[2] is None:
        return
    sender_id, text, client_message_id = own
    expires = line.position // 1000 + IDEMPOTENCY_SECONDS * 1000
    if expires > time.time() * 1000:
        key, fingerprint = idempotency(line.room, sender_id, text, client_message_id)
        pipe.add("SET", key, f"{line.position} {fingerprint}", "NX", "PXAT", expires)
