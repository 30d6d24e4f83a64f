"""Bots: accounts that a user's programs speak as.

A bot is a user whose record names its owner. It has no password that anybody knows but a token,
sees only rooms that it was added to, and may do what its token's scopes say.
"""

import asyncio
from collections.abc import Collection

from services import keys
from services.accounts.registration import Owner
from services.accounts.sessions import Sessions
from services.accounts.users import Users
from services.errors import BadUserInput, NotFound
from services.models import Bot, Room, Scope, User
from services.redis.pipeline import pairs
from services.redis.store import Store
from services.rooms import Rooms

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
        what `Users.register` raises. A bot whose token did not get here is among the owner's, and
        may be given another one.
        """
        _check_scopes(scopes)
        owner = Owner(owner_id, self._most_bots)
        # Registering asks again; this spares the work, and counts nothing as a registration.
        if len(await self._listed(owner_id)) >= owner.most_bots:
            raise owner.has_enough()
        user = await self._users.register_bot(owner, username, address)
        return await self.rotate_token(owner_id, user.id, scopes)

    async def of_user(self, owner_id: str) -> list[Bot]:
        """The user's bots, the oldest one first."""
        listed = await self._listed(owner_id)
        return await asyncio.gather(*(self._bot(user, created) for user, created in listed))

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

    async def _listed(self, owner_id: str) -> list[tuple[User, float]]:
        """The user's bots and when they were created, without those whose creation did not come to
        its end."""
        listed = await self._store.call("ZRANGE", keys.bots(owner_id), 0, -1, "WITHSCORES")
        created = {bot_id.decode(): float(at) for bot_id, at in pairs(listed)}
        users = await self._users.read_many(list(created))
        return [
            (user, created[user.id])
            for user in users
            if user is not None and user.is_bot_of(owner_id)
        ]

    async def _owned(self, owner_id: str, bot_id: str) -> Bot:
        created_at = await self._store.call("ZSCORE", keys.bots(owner_id), bot_id)
        user = (await self._users.read_many([bot_id]))[0]
        if created_at is None or user is None or not user.is_bot_of(owner_id):
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


def _check_scopes(scopes: Collection[Scope]) -> None:
    if not scopes:
        raise BadUserInput("A token needs at least one scope.", "input.scopes")
