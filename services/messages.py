"""Messages: sending, and reading the history of a room."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence

from services import keys
from services.cursors import Cursor
from services.errors import BadUserInput, Conflict, NotFound, Unavailable
from services.log import Log, own_position, to_message
from services.models import Message, MessagePage, Room
from services.rooms import Rooms
from services.store import Store
from services.wire import message_template

MAX_TEXT = 4_000
MAX_CLIENT_MESSAGE_ID = 128
_IDEMPOTENCY_SECONDS = 7 * 24 * 3600


class Messages:
    def __init__(self, store: Store, log: Log, rooms: Rooms, server_id: str) -> None:
        self._store = store
        self._log = log
        self._rooms = rooms
        self._server_id = server_id

    async def send(
        self, user_id: str, room: Room, text: str, client_message_id: str | None = None
    ) -> Message:
        """Keep a message and tell every server; one round trip.

        `room` is one that the sender may see. Raises BadUserInput for a blank or over-long text,
        Conflict when the sender used `client_message_id` for another text in this room.
        """
        _check_text(text)
        _check_client_message_id(client_message_id)
        key, fingerprint = _idempotency(room.id, user_id, text, client_message_id)
        head, tail = message_template(room.id, user_id, text, client_message_id)
        pipe = self._store.pipeline()
        self._store.add(
            pipe,
            "send",
            [keys.room(room.id), keys.room_log(room.id), key],
            head,
            tail,
            room.id,
            fingerprint,
            _IDEMPOTENCY_SECONDS,
            self._server_id,
            keys.MESSAGES_CHANNEL,
            keys.LOG_CHANNEL,
        )
        (reply,) = await self._store.execute(pipe)
        if not reply:
            raise Conflict("This clientMessageId was used for another message in this room.")
        position = int(reply)
        return Message(room.id, user_id, text, position, position / 1_000_000, client_message_id)

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
        backward = first is None
        limit = (last if backward else first) or 0
        visible = asyncio.ensure_future(self._rooms.visible(user_id, room_id))
        slice_ = asyncio.ensure_future(self._slice(room_id, backward, limit, after, before))
        await asyncio.wait([visible, slice_])
        if slice_.exception() is not None and visible.exception() is not None:
            raise visible.exception() or NotFound("")
        visible.result()
        messages, has_previous, has_next, edge = slice_.result()
        while len(messages) < limit and edge is not None and (has_previous if backward else has_next):
            # Corrupt records left a hole in the page: fill it from beyond.
            if backward:
                more, has_previous, _, edge = await self._slice(
                    room_id, True, limit - len(messages), after, edge
                )
                messages = more + messages
            else:
                more, _, has_next, edge = await self._slice(
                    room_id, False, limit - len(messages), edge, before
                )
                messages = messages + more
        return MessagePage(messages, has_previous, has_next)

    async def last_many(self, room_ids: Sequence[str]) -> list[Message | None]:
        """The newest message of each room; no authorisation."""
        slices = await asyncio.gather(
            *(self._slice(room_id, True, 1, None, None) for room_id in room_ids)
        )
        return [messages[-1] if messages else None for messages, *_ in slices]

    async def get(self, user_id: str, room_id: str, position: int) -> Message | None:
        """The message at a position, or None; raises NotFound as `Rooms.visible` does."""
        _, found = await asyncio.gather(
            self._rooms.visible(user_id, room_id),
            self._log.read(room_id, position - 1, position),
        )
        return found[0] if found else None

    async def _slice(
        self, room_id: str, backward: bool, limit: int, after: Cursor | None, before: Cursor | None
    ) -> tuple[list[Message], bool, bool, Cursor | None]:
        """Messages, whether there are earlier and later ones, and the outermost row's cursor."""
        for _ in range(2):
            pipe = self._store.pipeline()
            self._store.add(
                pipe,
                "page",
                [keys.room(room_id), keys.room_log(room_id), keys.room_foreign(room_id)],
                "last" if backward else "first",
                limit,
                *_bound(after),
                *_bound(before),
            )
            (reply,) = await self._store.execute(pipe)
            rows = _rows(room_id, reply)
            if rows is not None:
                break
            # Another server stored a message that the log does not have yet.
            await self._log.ingest([room_id])
        else:
            raise Unavailable("The room is changing too fast, please try again.")
        messages = [
            message
            for position, score, member in rows
            if (message := to_message(room_id, position, score, member)) is not None
        ]
        edge = rows[0 if backward else -1] if rows else None
        return (
            messages,
            bool(reply[0]),
            bool(reply[1]),
            Cursor(edge[1], edge[0], "") if edge else None,
        )


def _rows(room_id: str, reply: list[bytes]) -> list[tuple[int, float, bytes]] | None:
    """Position, score and member of each row; None when a row has no position yet."""
    rows = []
    for member, raw_score, foreign in zip(reply[2::3], reply[3::3], reply[4::3], strict=True):
        score = float(raw_score)
        position = int(foreign) if foreign else own_position(room_id, score, member)
        if position is None:
            return None
        rows.append((position, score, member))
    return rows


def _bound(cursor: Cursor | None) -> tuple[str, str | int]:
    return ("", "") if cursor is None else (repr(cursor.score), cursor.position)


def _check_text(text: str) -> None:
    if not text.strip():
        raise BadUserInput("A message needs some text.", "input.text")
    if len(text) > MAX_TEXT:
        raise BadUserInput(f"A message has at most {MAX_TEXT} characters.", "input.text")
    if not text.isprintable() and not _is_encodable(text):
        raise BadUserInput("The text is not valid Unicode.", "input.text")


def _check_client_message_id(client_message_id: str | None) -> None:
    if client_message_id is None:
        return
    if not 1 <= len(client_message_id) <= MAX_CLIENT_MESSAGE_ID or not _is_encodable(
        client_message_id
    ):
        raise BadUserInput(
            f"A clientMessageId has 1 to {MAX_CLIENT_MESSAGE_ID} characters.",
            "input.clientMessageId",
        )


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _idempotency(
    room_id: str, user_id: str, text: str, client_message_id: str | None
) -> tuple[str, str]:
    """Key and content of the record that makes a repeated send return the first message.

    Without a key of the client's, one of our own covers the command that redis-py sends again when
    the connection broke before the reply.
    """
    name = (
        f"n{secrets.token_hex(16)}"
        if client_message_id is None
        else f"c{hashlib.sha256(client_message_id.encode()).hexdigest()}"
    )
    return keys.room_sent(room_id, user_id, name), hashlib.sha256(text.encode()).hexdigest()[:32]
