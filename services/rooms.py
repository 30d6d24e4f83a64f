"""Rooms: who may see them, what they are called, who is in them."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from services import keys
from services.accounts.registration import OWNER
from services.accounts.users import Users
from services.errors import BadUserInput, NotFound
from services.hub.bells import Channels
from services.ids import is_room_id, private_members, private_room_id
from services.models import Room, User
from services.redis.store import Store
from services.together import together
from services.wire import encode_envelope, show_room_data

_SMALLEST_CHUNK = 64
_LARGEST_CHUNK = 1000


class Rooms:
    def __init__(
        self, store: Store, users: Users, server_id: str, channels: Channels = Channels.SHARED
    ) -> None:
        self._store = store
        self._users = users
        self._server_id = server_id
        self._channels = channels
        self._total_users = 0
        """When members were last looked for."""

    async def get_many(self, room_ids: Sequence[str]) -> list[Room | None]:
        """Rooms by id, whoever asks: only for ids that the viewer is known to see."""
        if not room_ids:
            return []
        names = await self._store.call("MGET", *map(keys.room_name, room_ids))
        return [_room(room_id, name) for room_id, name in zip(room_ids, names, strict=True)]

    async def visible(self, user_id: str, room_id: str) -> Room:
        """The room, if the user may see it; NotFound alike when they may not and when it is not."""
        (room,) = await self.visible_many(user_id, [room_id])
        if room is None:
            raise NotFound("There is no such room.")
        return room

    async def visible_many(self, user_id: str, room_ids: Sequence[str]) -> list[Room | None]:
        """As `visible`, None in the place of a room that the user may not see; one round trip."""
        asked = [room_id for room_id in room_ids if is_room_id(room_id)]
        if not asked:
            return [None] * len(room_ids)
        pipe = self._store.pipeline()
        pipe.add("MGET", *map(keys.room_name, asked))
        pipe.add("SMISMEMBER", keys.user_rooms(user_id), *asked)
        pipe.add("HEXISTS", keys.user(user_id), OWNER)
        names, members, is_bot = await self._store.execute(pipe)
        rooms = {
            room_id: _room(room_id, name)
            for room_id, name, member in zip(asked, names, members, strict=True)
            if _may_see(user_id, room_id, name, is_in=bool(member), is_bot=bool(is_bot))
        }
        return [rooms.get(room_id) for room_id in room_ids]

    async def is_bot(self, user_id: str) -> bool:
        """Whether the user has to be in a public room to see it."""
        return bool(await self._store.call("HEXISTS", keys.user(user_id), OWNER))

    async def ids_of_user(self, user_id: str) -> set[str]:
        """Ids of the rooms that the user is in."""
        members = await self._store.call("SMEMBERS", keys.user_rooms(user_id))
        ids = {member.decode(errors="replace") for member in members}
        return {room_id for room_id in ids if is_room_id(room_id)}

    async def page_of_user(
        self, user_id: str, after_room_id: str | None, first: int, *, public_only: bool = False
    ) -> tuple[list[Room], bool]:
        """The user's rooms: named ones by id, then private ones by id; and whether more follow."""
        found = await self.ids_of_user(user_id)
        if public_only:
            found = {room_id for room_id in found if private_members(room_id) is None}
        ids = sorted(found, key=_list_order)
        if after_room_id is not None:
            ids = [room_id for room_id in ids if _list_order(room_id) > _list_order(after_room_id)]
        rooms: list[Room] = []
        while ids and len(rooms) <= first:
            chunk, ids = ids[: first + 1], ids[first + 1 :]
            names = await self._store.call("MGET", *map(keys.room_name, chunk))
            rooms += [
                _room(room_id, name)
                for room_id, name in zip(chunk, names, strict=True)
                # Bots, too, see what they are in.
                if _may_see(user_id, room_id, name, is_in=True, is_bot=True)
            ]
        return rooms[:first], len(rooms) > first

    async def members_many(
        self, rooms: Sequence[Room], after_id: int, first: int
    ) -> list[tuple[list[User], bool]]:
        """Members of each room in the order of their ids, from the one after `after_id`; and
        whether more follow.

        The shared data model keeps rooms by user and not users by room, so a public room's
        members are found by asking for each user; for all rooms together.
        """
        pairs = {room.id: pair for room in rooms if (pair := private_members(room.id))}
        public = list(dict.fromkeys(room.id for room in rooms if room.id not in pairs))
        members, users = await together(
            self._public_members(public, after_id, first + 1),
            self._users.find_many({user_id for pair in pairs.values() for user_id in pair}),
        )
        for room_id, pair in pairs.items():
            wanted = [user_id for user_id in pair if int(user_id) > after_id] if after_id else pair
            members[room_id] = [users[user_id] for user_id in wanted if user_id in users]
        found = [members[room.id] for room in rooms]
        return [(users[:first], len(users) > first) for users in found]

    async def _public_members(
        self, room_ids: list[str], after_id: int, wanted: int
    ) -> dict[str, list[User]]:
        """As many members of each room, in chunks of users that grow while little is found."""
        members: dict[str, list[User]] = {room_id: [] for room_id in room_ids}
        size = max(wanted, _SMALLEST_CHUNK)
        while room_ids:
            # The number of users as it last was saves asking for many who are not there.
            end = min(after_id + size, max(self._total_users, after_id + wanted))
            found = await self._members_among(range(after_id + 1, end + 1), room_ids, wanted)
            users = await self._users.find_many({user_id for ids in found for user_id in ids})
            for room_id, ids in zip(room_ids, found, strict=True):
                members[room_id] += [users[user_id] for user_id in ids if user_id in users]
            after_id, size = end, min(size * 2, _LARGEST_CHUNK)
            if after_id >= self._total_users:
                break
            room_ids = [room_id for room_id in room_ids if len(members[room_id]) < wanted]
        return members

    async def _members_among(
        self, user_ids: range, room_ids: list[str], wanted: int
    ) -> list[list[str]]:
        pipe = self._store.pipeline()
        pipe.add("GET", keys.TOTAL_USERS)
        ids = list(map(str, user_ids))
        rooms_of_users = list(map(keys.user_rooms, ids))
        if self._store.is_cluster:
            for key in rooms_of_users:
                pipe.add("SMISMEMBER", key, *room_ids)
            total, *of_users = await self._store.execute(pipe)
            found = [
                [id_ for id_, is_in in zip(ids, column, strict=True) if is_in][:wanted]
                for column in zip(*of_users, strict=True)
            ]
        else:
            self._store.add(pipe, "members", rooms_of_users, wanted, *room_ids)
            total, rows = await self._store.execute(pipe)
            found = [[ids[int(place) - 1] for place in row.split()] for row in rows]
        self._total_users = int(total or 0)
        return found

    async def open_private(self, user_id: str, other_id: str) -> Room:
        """The private room of two users, made visible to both when it is not.

        Raises BadUserInput for oneself, NotFound for an unknown user.
        """
        if user_id == other_id:
            raise BadUserInput("A private room is for two different users.", "input.userId")
        me, other = await self._users.read_many([user_id, other_id])
        if me is None or other is None or other.is_deleted:
            raise NotFound("There is no such user.")
        room_id = private_room_id(user_id, other_id)
        if await self._add_all(room_id, (user_id, other_id), "open"):
            pair = sorted((me, other), key=lambda user: int(user.id))
            await self.announce(room_id, [user.username for user in pair])
        return Room(room_id, None)

    async def show(self, room_id: str) -> None:
        """Another server says that a private room exists: its two users are in it from now on.

        Some servers store its messages without adding the members.
        """
        pair = private_members(room_id)
        if pair is not None and None not in await self._users.read_many(pair):
            await self._add_all(room_id, pair, "show")

    async def add_member(self, room_id: str, user_id: str) -> bool:
        """Put a room into a user's list, who is told; whether it was not there.

        For public rooms. People see them without, bots do not. Raises NotFound for an unknown user.
        """
        if await self._users.read_many([user_id]) == [None]:
            raise NotFound("There is no such user.")
        return await self._add_all(room_id, (user_id,), "open")

    async def remove_member(self, room_id: str, user_id: str) -> bool:
        """Take a room from a user's list; whether it was there."""
        return bool(await self._store.call("SREM", keys.user_rooms(user_id), room_id))

    async def remove_from_all(self, user_id: str) -> None:
        """Empty a user's list."""
        await self._store.call("DEL", keys.user_rooms(user_id))

    async def _add_all(self, room_id: str, members: Collection[str], mode: str) -> bool:
        """All, in one step where they are on one server; each may be done again."""
        pipe = self._store.pipeline(atomic=not self._store.is_cluster)
        for member in members:
            self._store.add(
                pipe,
                "add_room",
                [
                    keys.user_rooms(member),
                    keys.user_log(member),
                    keys.user_announced(member),
                    self._store.clock(f"user:{member}"),
                ],
                room_id,
                member,
                *self._channels.bell(f"user:{member}"),
                mode,
            )
        return any(await self._store.execute(pipe))

    async def announce(self, room_id: str, names: Sequence[str]) -> None:
        """Tell the other servers, which show a new room to everybody (docs/data-model.md).

        `names` are those of a private room's two users in the order of their ids, or the room's.
        """
        if not self._channels.envelopes:
            return
        envelope = encode_envelope(self._server_id, "show.room", show_room_data(room_id, names))
        await self._store.call("PUBLISH", self._channels.envelopes, envelope)


def _may_see(user_id: str, room_id: str, name: bytes | None, *, is_in: bool, is_bot: bool) -> bool:
    """Named rooms are public, for bots when they were added; a private room is for its two users,
    once it was opened."""
    if name is not None:
        return is_in or not is_bot
    return is_in and user_id in (private_members(room_id) or ())


def _room(room_id: str, name: bytes | None) -> Room:
    return Room(room_id, None if name is None else name.decode(errors="replace"))


@lru_cache(maxsize=10_000)
def _list_order(room_id: str) -> tuple[int, int, int, str]:
    pair = private_members(room_id)
    if pair is not None:
        return 2, int(pair[0]), int(pair[1]), ""
    return (0, int(room_id), 0, "") if room_id.isdigit() else (1, 0, 0, room_id)
