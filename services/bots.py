"""Bots: accounts that a user's programs speak as.

A bot is a user whose record names its owner. It has no password that anybody knows but a token,
sees only rooms that it was added to, and may do what its token's scopes say.
"""

import asyncio
from collections.abc import Collection

from services import keys
from services.errors import BadUserInput, Forbidden, NotFound
from services.models import Bot, Room, Scope, User
from services.pipeline import pairs
from services.rooms import Rooms
from services.sessions import Sessions
from services.store import Store
from services.users import Users

DEFAULT_MOST_BOTS = 10


class Bots:
    """Who is not the owner of a bot gets NotFound, as for one that is not there."""

    def __init__(
        self,
        store: Store,
        users: Users,
        sessions: Sessions,
        rooms: Rooms,
        most_bots: int = DEFAULT_MOST_BOTS,
    ) -> None:
        self._store = store
        self._users = users
        self._sessions = sessions
        self._rooms = rooms
        self._most_bots = most_bots

    async def create(
        self, owner_id: str, username: str, scopes: Collection[Scope], address: str | None = None
    ) -> tuple[Bot, str]:
        """A new bot and its token, which cannot be had again.

        Raises Forbidden for an owner who has enough of them, BadUserInput without any scope, and
        what `Users.register` raises.
        """
        _check_scopes(scopes)
        if await self._store.call("ZCARD", keys.bots(owner_id)) >= self._most_bots:
            raise self._too_many()
        user = await self._users.register_bot(owner_id, username, address)
        # Others may have been created meanwhile: it is this step that counts.
        created_at = await self._store.run(
            "bot_add", [keys.bots(owner_id)], user.id, self._most_bots
        )
        if not created_at:
            await self._users.mark_deleted(user.id)
            raise self._too_many()
        return await self._issue(user, owner_id, float(created_at), scopes)

    async def of_user(self, owner_id: str) -> list[Bot]:
        """The user's bots, the oldest one first."""
        listed = await self._store.call("ZRANGE", keys.bots(owner_id), 0, -1, "WITHSCORES")
        created = {bot_id.decode(): float(at) for bot_id, at in pairs(listed)}
        users = await self._users.read_many(list(created))
        bots = (self._bot(user, created[user.id]) for user in users if user is not None)
        return await asyncio.gather(*bots)

    async def rotate_token(
        self, owner_id: str, bot_id: str, scopes: Collection[Scope]
    ) -> tuple[Bot, str]:
        """A new token of a bot; the one that it had ends at once."""
        _check_scopes(scopes)
        bot = await self._owned(owner_id, bot_id)
        return await self._issue(bot.user, owner_id, bot.created_at, scopes)

    async def revoke_token(self, owner_id: str, bot_id: str) -> Bot:
        """The bot without a token: it can do nothing until it gets another one."""
        bot = await self._owned(owner_id, bot_id)
        await self._sessions.end_all(bot_id)
        return Bot(bot.user, bot.created_at, None)

    async def delete(self, owner_id: str, bot_id: str) -> Bot:
        """The bot as it was. What it has sent stays, and so do its account and its name.

        May be repeated until it has come to its end: the owner's list comes last.
        """
        bot = await self._owned(owner_id, bot_id)
        await self._users.mark_deleted(bot_id)  # From here on it gets no token any more.
        await self._sessions.end_all(bot_id)
        await self._rooms.remove_from_all(bot_id)
        await self._store.call("ZREM", keys.bots(owner_id), bot_id)
        return bot

    async def add_to_room(self, owner_id: str, bot_id: str, room_id: str) -> tuple[Bot, Room]:
        """Let a bot see a public room, which its owner sees, and send to it."""
        bot, room = await self._with_room(owner_id, bot_id, room_id)
        await self._rooms.add_member(room_id, bot_id)
        return bot, room

    async def remove_from_room(self, owner_id: str, bot_id: str, room_id: str) -> tuple[Bot, Room]:
        """Take the room away from the bot, whether it was in it or not."""
        bot, room = await self._with_room(owner_id, bot_id, room_id)
        await self._rooms.remove_member(room_id, bot_id)
        return bot, room

    async def _with_room(self, owner_id: str, bot_id: str, room_id: str) -> tuple[Bot, Room]:
        bot = await self._owned(owner_id, bot_id)
        room = await self._rooms.visible(owner_id, room_id)
        if room.is_private:
            raise BadUserInput(
                "A private room is for its two users: open one with the bot.", "input.roomId"
            )
        return bot, room

    async def _owned(self, owner_id: str, bot_id: str) -> Bot:
        created_at = await self._store.call("ZSCORE", keys.bots(owner_id), bot_id)
        user = (await self._users.read_many([bot_id]))[0]
        if created_at is None or user is None:
            raise NotFound("You have no such bot.")
        return await self._bot(user, float(created_at))

    async def _bot(self, user: User, created_at: float) -> Bot:
        sessions = await self._sessions.of_user(user.id)
        return Bot(user, created_at, sessions[0] if sessions else None)

    async def _issue(
        self, user: User, owner_id: str, created_at: float, scopes: Collection[Scope]
    ) -> tuple[Bot, str]:
        issued = await self._sessions.create_for_bot(user.id, owner_id, scopes)
        if issued is None:
            raise NotFound("You have no such bot.")  # It was just deleted.
        token, details = issued
        return Bot(user, created_at, details), token

    def _too_many(self) -> Forbidden:
        return Forbidden(f"You have {self._most_bots} bots, as many as there may be.")


def _check_scopes(scopes: Collection[Scope]) -> None:
    if not scopes:
        raise BadUserInput("A token needs at least one scope.", "input.scopes")
