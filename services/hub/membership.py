"""Membership: whether those who follow a room are in it now.

Asked for every delivery, and when a user's rooms have changed.
"""

import asyncio
from collections.abc import Iterable

from services import keys
from services.errors import NotFound
from services.hub.register import Register
from services.hub.subscription import Subscription
from services.ids import private_members
from services.redis.store import Store
from services.rooms import Rooms

NO_ROOM = "There is no such room."


class Membership:
    def __init__(self, store: Store, rooms: Rooms, register: Register) -> None:
        self._store = store
        self._rooms = rooms
        self._register = register

    async def of(self, private_rooms: set[str]) -> dict[str, set[str]]:
        """Who of a private room's two users is in it and follows anything."""
        asked = [
            (room_id, user_id)
            for room_id in private_rooms
            for user_id in private_members(room_id) or ()
            if user_id in self._register.by_user
        ]
        pipe = self._store.pipeline()
        for room_id, user_id in asked:
            pipe.add("SISMEMBER", keys.user_rooms(user_id), room_id)
        replies = await self._store.execute(pipe) if asked else []
        members: dict[str, set[str]] = {room_id: set() for room_id in private_rooms}
        for (room_id, user_id), is_member in zip(asked, replies, strict=True):
            if is_member:
                members[room_id].add(user_id)
        return members

    async def part_bots(self, public_rooms: set[str]) -> None:
        """Part rooms from bots that are not in them any more."""
        bots = self._register.bots
        asked = [(bot, room_id) for bot in bots for room_id in bot.rooms & public_rooms]
        pipe = self._store.pipeline()
        for bot, room_id in asked:
            pipe.add("SISMEMBER", keys.user_rooms(bot.user_id), room_id)
        replies = await self._store.execute(pipe) if asked else []
        for (bot, room_id), is_member in zip(asked, replies, strict=True):
            if is_member:
                continue
            if bot.room_id == room_id:
                bot.fail(NotFound(NO_ROOM))
            self._register.part(bot, {room_id})

    async def recheck(self, user_ids: Iterable[str]) -> None:
        """End what follows a room that its user is no longer in."""
        by_user = self._register.by_user
        watched = [user_id for user_id in user_ids if user_id in by_user]
        # What they come to follow while this is asked is too new for the answer: on a cluster,
        # where logs are handed out meanwhile, or by a stream that begins.
        had = {each: set(each.rooms) for user_id in watched for each in by_user[user_id]}
        found = await asyncio.gather(*(self._rooms.ids_of_user(user_id) for user_id in watched))
        for user_id, room_ids in zip(watched, found, strict=True):
            for subscription in by_user.get(user_id, ()):
                if subscription in had:
                    self._keep_to(subscription, had[subscription], room_ids)

    def _keep_to(self, subscription: Subscription, had: set[str], room_ids: set[str]) -> None:
        if subscription.room_id is not None:
            has_to_be_in = subscription.is_bot or private_members(subscription.room_id)
            if has_to_be_in and subscription.room_id not in room_ids:
                subscription.fail(NotFound(NO_ROOM))
            return
        self._register.part(subscription, had - room_ids)
        # What a bot gains its own log tells, in the right order with the messages.
        if not subscription.is_bot:
            self._register.gain(subscription, room_ids - subscription.rooms)
