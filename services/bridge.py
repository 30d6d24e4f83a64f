"""The bridge: what the other servers say on the shared channel, and what follows from it."""

import logging

from services.log import Log
from services.presence import PresenceService
from services.rooms import Rooms
from services.users import Users
from services.wire import (
    MalformedRecord,
    MessageEnvelope,
    PresenceEnvelope,
    ShowRoomEnvelope,
    decode_envelope,
)

_log = logging.getLogger(__name__)


class Bridge:
    def __init__(
        self, log: Log, rooms: Rooms, users: Users, presence: PresenceService, server_id: str
    ) -> None:
        self._log = log
        self._rooms = rooms
        self._users = users
        self._presence = presence
        self._server_id = server_id
        self._own_message = f'{{"serverId":"{server_id}","type":"message"'.encode()

    def is_own_message(self, envelope: bytes) -> bool:
        """Told by its first bytes: our own messages ring on the log's channel as well."""
        return envelope.startswith(self._own_message)

    async def receive(self, raw: bytes) -> str | None:
        """Act on an envelope; the id of the user whose presence changed, if that is what it says.

        A hostile or malformed envelope is logged and dropped. Nothing in it is trusted: messages
        are taken from the store, and delivery checks who may see them.
        """
        try:
            envelope = decode_envelope(raw)
        except MalformedRecord as error:
            _log.warning("Dropped a malformed envelope: %s", error)
            return None
        match envelope:
            case MessageEnvelope(message=message):
                await self._log.ingest([message.room_id])
            case ShowRoomEnvelope(server_id=server_id, room_id=room_id):
                if server_id != self._server_id:
                    await self._rooms.show(room_id)
            case PresenceEnvelope():
                return await self._presence_changed(envelope)
        return None

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
