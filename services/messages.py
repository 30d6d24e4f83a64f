"""Messages: sending, and reading the history of a room."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from services import keys
from services.cursors import Cursor
from services.errors import BadUserInput, Conflict, Unavailable
from services.hub.bells import Channels
from services.ids import private_members
from services.log import Log, own_position, to_message
from services.models import Message, MessagePage, Room
from services.redis.durability import Durability
from services.redis.store import Store
from services.rooms import Rooms
from services.texts import is_encodable
from services.together import together
from services.wire import message_template

MAX_TEXT = 4_000
MAX_CLIENT_MESSAGE_ID = 128
IDEMPOTENCY_SECONDS = 7 * 24 * 3600
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

End = Literal["first", "last"]
_KEPT_BYTES = 1_000
"""Up to which a member is kept in the process as it was read."""


class _Row(NamedTuple):
    """A record as it is stored."""

    position: int
    score: float
    message: Message | None
    """None when it cannot be read."""


class Messages:
    def __init__(
        self,
        store: Store,
        log: Log,
        rooms: Rooms,
        server_id: str,
        durability: Durability,
        channels: Channels,
    ) -> None:
        self._store = store
        self._log = log
        self._rooms = rooms
        self._server_id = server_id
        self._durability = durability
        self._channels = channels
        self.on_sent: Callable[[Message, int], None] = lambda message, previous: None
        """Told of each message and of the position before it in its room's log."""

    async def send(
        self, user_id: str, room: Room, text: str, client_message_id: str | None = None
    ) -> Message:
        """Keep a message, as safely as is asked, and tell every server; one round trip.

        `room` is one that the sender may see. The text is kept without outer blanks. Raises
        BadUserInput for one that is empty then, too long or has control characters, Conflict when
        the sender used `client_message_id` for another text in this room.
        """
        text = text.strip()
        _check_text(text)
        _check_client_message_id(client_message_id)
        key, fingerprint = idempotency(room.id, user_id, text, client_message_id)
        head, tail = message_template(room.id, user_id, text, client_message_id)
        reply = await self._store.run_durably(
            self._durability,
            "send",
            [keys.room(room.id), keys.room_log(room.id), key, self._store.clock(f"room:{room.id}")],
            head,
            tail,
            room.id,
            fingerprint,
            IDEMPOTENCY_SECONDS,
            self._server_id,
            self._channels.envelopes,
            *self._channels.bell(f"room:{room.id}"),
        )
        if not reply:
            raise Conflict("This clientMessageId was used for another message in this room.")
        position, previous = map(int, reply)
        score = position / 1_000_000
        message = Message(room.id, user_id, text, position, score, client_message_id)
        if previous >= 0:
            self.on_sent(message, previous)
        return message

    async def page(
        self,
        user_id: str,
        room_id: str,
        *,
        first: int | None = None,
        after: Cursor | None = None,
        last: int | None = None,
        before: Cursor | None = None,
    ) -> MessagePage:
        """A slice of the history between two cursors: its first or its last so many messages.

        Authorisation and slice share a round trip. Raises NotFound as `Rooms.visible` does.
        """
        end: End = "last" if first is None else "first"
        if user_id not in (private_members(room_id) or (user_id,)):
            # Nothing is read of it: how long that takes would tell whether there is something.
            await self._rooms.visible(user_id, room_id)
        _, history = await together(
            self._rooms.visible(user_id, room_id),
            self._history(room_id, end, first or last or 0, after, before),
        )
        return history

    async def _history(
        self, room_id: str, end: End, limit: int, after: Cursor | None, before: Cursor | None
    ) -> MessagePage:
        wanted = limit
        slice_ = await self._slice(room_id, end, wanted, after, before)
        has_previous, has_next = slice_.has_previous, slice_.has_next
        messages = slice_.messages
        while len(messages) < limit and slice_.size == wanted > 0:
            # Corrupt records left holes in the page: fill it from beyond.
            wanted = limit - len(messages)
            if end == "first":
                slice_ = await self._slice(room_id, end, wanted, slice_.newest, before)
                messages, has_next = messages + slice_.messages, slice_.has_next
            else:
                slice_ = await self._slice(room_id, end, wanted, after, slice_.oldest)
                messages, has_previous = slice_.messages + messages, slice_.has_previous
        return MessagePage(messages, has_previous, has_next)

    async def last_many(self, room_ids: Sequence[str]) -> list[Message | None]:
        """The newest message of each room; no authorisation. One round trip."""
        reply = await self._store.run_for_all(
            "newest", [(keys.room(id_), keys.room_foreign(id_)) for id_ in room_ids]
        )
        triples = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        newest: dict[str, Message | None] = {}
        for room_id, (member, score, foreign) in zip(room_ids, triples, strict=True):
            if member:
                row = _row(room_id, member, score, foreign)
                newest[room_id] = None if row is None else row.message
        # Not in the log yet, or corrupt: the page knows how to get on.
        odd = [room_id for room_id, message in newest.items() if message is None]
        pages = await asyncio.gather(
            *(self._history(room_id, "last", 1, None, None) for room_id in odd)
        )
        newest |= {
            id_: next(iter(page.messages), None) for id_, page in zip(odd, pages, strict=True)
        }
        return [newest.get(room_id) for room_id in room_ids]

    async def get(self, user_id: str, room_id: str, position: int) -> Message | None:
        """The message at a position, or None; raises NotFound as `Rooms.visible` does."""
        _, found = await together(
            self._rooms.visible(user_id, room_id), self._log.get(room_id, position)
        )
        return found

    async def count(self, room_id: str) -> int:
        """How many messages a room has; no authorisation."""
        return int(await self._store.call("ZCARD", keys.room(room_id)))

    async def _slice(
        self, room_id: str, end: End, limit: int, after: Cursor | None, before: Cursor | None
    ) -> "_Slice":
        for _ in range(3):
            reply = await self._store.run(
                "page",
                [keys.room(room_id), keys.room_log(room_id), keys.room_foreign(room_id)],
                end,
                limit,
                *_bound(after),
                *_bound(before),
            )
            rows = _rows(room_id, reply)
            if rows is not None:
                return _Slice(rows, bool(reply[0]), bool(reply[1]))
            # Another server stored a message that the log does not have yet.
            await self._log.ingest([room_id])
        raise Unavailable("The room is changing too fast, please try again.")


class _Slice:
    """A run of records as they are stored, and the messages that can be read from them."""

    def __init__(self, rows: list[_Row], has_previous: bool, has_next: bool) -> None:
        self.messages = [row.message for row in rows if row.message is not None]
        self.size = len(rows)
        self.has_previous = has_previous
        self.has_next = has_next
        self.oldest = Cursor(rows[0].score, rows[0].position, "") if rows else None
        self.newest = Cursor(rows[-1].score, rows[-1].position, "") if rows else None


def _rows(room_id: str, reply: list[bytes]) -> list[_Row] | None:
    """The rows of a page; None when one has no position yet."""
    rows = []
    for member, score, foreign in zip(reply[2::3], reply[3::3], reply[4::3], strict=True):
        row = _row(room_id, member, score, foreign)
        if row is None:
            return None
        rows.append(row)
    return rows


def _row(room_id: str, member: bytes, score: bytes, foreign: bytes) -> _Row | None:
    """What a record is never changes, and the newest ones are read again and again."""
    read = _kept_row if len(member) <= _KEPT_BYTES else _read_row
    return read(room_id, member, score, foreign)


def _read_row(room_id: str, member: bytes, raw_score: bytes, foreign: bytes) -> _Row | None:
    score = float(raw_score)
    position = int(foreign) if foreign else own_position(room_id, score, member)
    if position is None:
        return None
    return _Row(position, score, to_message(room_id, position, score, member))


_kept_row = lru_cache(maxsize=10_000)(_read_row)


def _bound(cursor: Cursor | None) -> tuple[str, str | int]:
    return ("", "") if cursor is None else (repr(cursor.score), cursor.position)


def _check_text(text: str) -> None:
    if not text:
        raise BadUserInput("A message needs some text.", "input.text")
    if len(text) > MAX_TEXT:
        raise BadUserInput(f"A message has at most {MAX_TEXT} characters.", "input.text")
    if not is_encodable(text):
        raise BadUserInput("The text is not valid Unicode.", "input.text")
    if _CONTROL.search(text):
        raise BadUserInput(
            "A message has no control characters but line feeds and tabs.", "input.text"
        )


def _check_client_message_id(client_message_id: str | None) -> None:
    if client_message_id is None:
        return
    if not 1 <= len(client_message_id) <= MAX_CLIENT_MESSAGE_ID or not is_encodable(
        client_message_id
    ):
        raise BadUserInput(
            f"A clientMessageId has 1 to {MAX_CLIENT_MESSAGE_ID} characters.",
            "input.clientMessageId",
        )


def idempotency(
    room_id: str, user_id: str, text: str, client_message_id: str | None
) -> tuple[str, str]:
    """Key and content of the record that makes a repeated send return the first message.

    Without a key of the client's, one of our own covers the command that is sent again when
    the connection broke before the reply.
    """
    name = (
        f"n{secrets.token_hex(16)}"
        if client_message_id is None
        else f"c{hashlib.sha256(client_message_id.encode()).hexdigest()}"
    )
    return keys.room_sent(room_id, user_id, name), hashlib.sha256(text.encode()).hexdigest()[:32]
