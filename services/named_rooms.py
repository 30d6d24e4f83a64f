"""Named rooms: public ones besides General, made and kept by an operator.

Everybody may read a named room who knows its id; its members are those who find it in their lists.
"""

from collections.abc import AsyncIterator

from services import keys
from services.accounts import names
from services.errors import BadUserInput, NotFound
from services.ids import GENERAL, is_room_id, private_members
from services.models import Room
from services.redis.store import Store
from services.rooms import Rooms

_FIRST_ID = 1001
"""Above what anybody takes for a user's id in small installations; numbers sort well everywhere."""
_NAME_PREFIX, _NAME_SUFFIX = "room:", ":name"


class NamedRooms:
    def __init__(self, store: Store, rooms: Rooms) -> None:
        self._store = store
        self._rooms = rooms

    async def all(self) -> AsyncIterator[Room]:
        """Every named room, in no order; one may come twice when the store is resized meanwhile."""
        async for key in self._store.scan(keys.room_name("*"), "string"):
            room_id = key.removeprefix(_NAME_PREFIX).removesuffix(_NAME_SUFFIX)
            if not is_room_id(room_id) or private_members(room_id) is not None:
                continue
            for room in await self._rooms.get_many([room_id]):
                if room is not None and not room.is_private:
                    yield room

    async def create(self, name: str) -> Room:
        """A new room that nobody is in, with the next free number as its id.

        Every server is told, and those of others show it to everybody. Raises BadUserInput.
        """
        name = names.usable_of_room(name)
        while True:
            number = int(await self._store.call("INCR", keys.NAMED_ROOMS)) - 1
            room_id = str(_FIRST_ID + number)
            pipe = self._store.pipeline()
            pipe.add("SET", keys.room_name(room_id), name, "NX")
            pipe.add("GET", keys.room_name(room_id))
            _, found = await self._store.execute(pipe)
            if found == name.encode():
                await self._rooms.announce(room_id, [name])
                return Room(room_id, name)

    async def rename(self, room_id: str, name: str) -> Room:
        """Give a named room another name. Raises NotFound, BadUserInput."""
        name = names.usable_of_room(name)
        # Only where there is one: a name would make a private room public.
        await self.get(room_id)
        if not await self._store.call("SET", keys.room_name(room_id), name, "XX"):
            raise NotFound("There is no such room.")
        return Room(room_id, name)

    async def get(self, room_id: str) -> Room:
        """The named room of this id. Raises NotFound, BadUserInput for a private one."""
        if not is_room_id(room_id):
            raise NotFound("There is no such room.")
        if private_members(room_id) is not None:
            raise BadUserInput("A private room has two users and no name.", "input.roomId")
        (room,) = await self._rooms.get_many([room_id])
        if room is None or room.is_private:
            raise NotFound("There is no such room.")
        return room

    async def add(self, room_id: str, user_id: str) -> bool:
        """Put the room into a user's list, who is told; whether it was not there.

        Raises NotFound, BadUserInput for a private room.
        """
        await self.get(room_id)
        return await self._rooms.add_member(room_id, user_id)

    async def remove(self, room_id: str, user_id: str) -> bool:
        """Take the room from a user's list; whether it was there. Raises NotFound, BadUserInput."""
        await self.get(room_id)
        if room_id == GENERAL and not await self._rooms.is_bot(user_id):
            raise BadUserInput("Everybody is in General.", "input.roomId")
        return await self._rooms.remove_member(room_id, user_id)
