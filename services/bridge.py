"""The bridge: what the other servers say on the shared channel, and what follows from it."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator

from services.accounts.users import Users
from services.errors import NotFound, Unavailable
from services.log import Log
from services.presence import PresenceService
from services.rooms import Rooms
from services.tasks import stop
from services.wire import (
    Envelope,
    MalformedRecord,
    MessageEnvelope,
    PresenceEnvelope,
    ShowRoomEnvelope,
    StoredMessage,
    decode_envelope,
)

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 1.0
_MAX_ADOPTIONS = 1_000
"""Messages published and not stored that are waited for at a time."""
_FROM_PARLEY = re.compile(rb'\{"serverId":"gql-[0-9a-f-]{36}","type":"message",')


class Bridge:
    def __init__(
        self, log: Log, rooms: Rooms, users: Users, presence: PresenceService, server_id: str
    ) -> None:
        self._adoptions: set[asyncio.Task[None]] = set()
        self._log = log
        self._rooms = rooms
        self._users = users
        self._presence = presence
        self._server_id = server_id

    async def close(self) -> None:
        await stop(*self._adoptions)

    @staticmethod
    def is_rung(envelope: bytes) -> bool:
        """Whether it is a message that a Parley process sent, told by its first bytes: those ring
        on the log's channel as well."""
        return _FROM_PARLEY.match(envelope) is not None

    async def receive(self, batch: Iterable[bytes]) -> dict[str, bool]:
        """Act on envelopes; the ids of the users of whom they say that they came or went, and
        whether they are online by the last of that.

        A hostile or malformed envelope is logged and dropped. Nothing in one is trusted: messages
        are taken from the store, and delivery checks who may see them.
        """
        messages: list[StoredMessage] = []
        present: dict[str, bool] = {}
        for envelope in _decoded(batch):
            match envelope:
                case MessageEnvelope(message=message):
                    messages.append(message)
                case ShowRoomEnvelope(server_id=server_id, room_id=room_id):
                    if server_id != self._server_id:
                        await self._rooms.show(room_id)
                case PresenceEnvelope():
                    user_id = await self._presence_changed(envelope)
                    if user_id is not None:
                        present[user_id] = envelope.online
        await self._log_messages(messages)
        return present

    async def _log_messages(self, messages: list[StoredMessage]) -> None:
        await self._log.ingest({message.room_id for message in messages})
        held = await asyncio.gather(*(self._log.holds(message) for message in messages))
        for message, is_held in zip(messages, held, strict=True):
            if is_held:
                continue
            if len(self._adoptions) >= _MAX_ADOPTIONS:
                _log.warning("Dropped a message that was published and not stored.")
                continue
            task = asyncio.create_task(self._adopt_later(message))
            self._adoptions.add(task)
            task.add_done_callback(self._adoptions.discard)

    async def _presence_changed(self, envelope: PresenceEnvelope) -> str | None:
        user_id = envelope.user_id
        if user_id is None and envelope.username is not None:
            # One of the other servers sends only the name.
            user = await self._users.by_username(envelope.username)
            user_id = user.id if user else None
        if user_id is None:
            return None
        if not envelope.online and envelope.server_id != self._server_id:
            # The other servers count sockets, not people: they may have removed a user who still
            # has a connection here.
            await self._presence.heal(user_id)
        return user_id

    async def _adopt_later(self, message: StoredMessage) -> None:
        """Keep what another server published and did not store, so that seen means kept.

        A server that publishes first gets time to store it. Every process may do this: the same
        bytes make one record.
        """
        await asyncio.sleep(_GRACE_SECONDS)
        try:
            if await self._log.holds(message):
                return
            await self._rooms.visible(message.sender_id, message.room_id)
            await self._log.adopt(message)
        except NotFound:
            _log.warning("Dropped a message to a room its sender is not in: %s", message.room_id)
        except Unavailable:
            _log.warning("The store went away before a published message could be kept.")


def _decoded(batch: Iterable[bytes]) -> Iterator[Envelope | None]:
    for raw in batch:
        try:
            yield decode_envelope(raw)
        except MalformedRecord as error:
            _log.warning("Dropped a malformed envelope: %s", error)
