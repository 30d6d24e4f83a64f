"""Writing an archive, while the chat goes on: as it was when that began."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

from services import keys
from services.accounts.passwords import NOBODYS_HASH
from services.archive.lines import VERSION, ArchiveError, text, write_line
from services.ids import is_room_id, private_members
from services.log import Log
from services.presence import LAST_SEEN
from services.redis.layout import read_layout
from services.redis.pipeline import pairs
from services.redis.store import Store

_USERS_AT_ONCE = 100
_MESSAGES_AT_ONCE = 500


class Export:
    """Reads a chat once. `credentials`: with the hashes of passwords, and sessions."""

    def __init__(self, store: Store, log: Log, *, credentials: bool = True) -> None:
        self._store = store
        self._log = log
        self._credentials = credentials
        self._clock = 0
        self._ends: dict[str, int] = {}
        """Of rooms of a cluster that were beyond that moment: how far they were."""
        self._last_user = 0
        self.users = self.rooms = self.messages = 0
        """How many were written."""
        self.total_messages = 0
        """About how many there are."""

    async def lines(self) -> AsyncIterator[bytes]:
        """Raises ArchiveError when a cluster moves slots meanwhile, Unavailable."""
        layout = await read_layout(self._store)
        if any(member.moving for member in layout.values()):
            raise ArchiveError(
                "The cluster is moving slots, and rooms in them would be missed: export when it has"
                " done so."
            )
        # What other servers wrote gets its place in the log, as when a server starts.
        await self._log.ingest_all()
        yield await self._chat()
        for first in range(1, self._last_user + 1, _USERS_AT_ONCE):
            last = min(first + _USERS_AT_ONCE - 1, self._last_user)
            for line in await self._users([str(number) for number in range(first, last + 1)]):
                self.users += 1
                yield line
        async for room_id, name in self._names():
            self.rooms += 1
            yield write_line(type="room", id=room_id, name=text(name))
        async for room_id in self._rooms_with_messages():
            async for line in self._messages(room_id):
                self.messages += 1
                yield line
        if await read_layout(self._store) != layout:
            raise ArchiveError(
                "The cluster has moved slots meanwhile, and rooms in them may be missing: export"
                " again."
            )
        yield write_line(type="end", users=self.users, rooms=self.rooms, messages=self.messages)

    async def _chat(self) -> bytes:
        # First: whoever sent a message that is written is among the users that there are then.
        self._clock = await self._log.past()
        await self._measure()
        ended = pairs(await self._store.call("HGETALL", keys.ENDED_EPOCHS))
        epochs = {name.decode(): int(reach) for name, reach in ended}
        last_user, named_rooms, epoch = await self._store.call(
            "MGET", keys.TOTAL_USERS, keys.NAMED_ROOMS, keys.EPOCH
        )
        self._last_user = int(last_user or 0)
        if not self._store.is_cluster:
            # What a cluster's cursors say of the logs, which have a clock each, holds only there.
            epochs[epoch.decode()] = self._clock
        return write_line(
            type="chat",
            version=VERSION,
            id=secrets.token_hex(16),
            clock=self._clock,
            epochs=epochs,
            last_user=self._last_user,
            named_rooms=int(named_rooms or 0),
            messages=self.total_messages,
        )

    async def _measure(self) -> None:
        """See how much there is, and which rooms of a cluster are ahead of its slowest clock."""
        async for room_id in self._rooms_with_messages():
            self.total_messages += int(await self._store.call("ZCARD", keys.room(room_id)))
            if self._store.is_cluster:
                for end in (await self._log.clocks([f"room:{room_id}"])).values():
                    if end > self._clock:
                        self._ends[room_id] = end

    # Users

    async def _users(self, ids: list[str]) -> list[bytes]:
        return [line for line in await asyncio.gather(*map(self._user, ids)) if line]

    async def _user(self, user_id: str) -> bytes:
        """Its line; empty where there is no such user. Those of one call share round trips."""
        pipe = self._store.pipeline()
        pipe.add("HGETALL", keys.user(user_id))
        pipe.add("SMEMBERS", keys.user_rooms(user_id))
        pipe.add("SMEMBERS", keys.user_announced(user_id))
        pipe.add("XRANGE", keys.user_log(user_id), "-", "+")
        pipe.add("HGET", LAST_SEEN, user_id)
        pipe.add("ZRANGE", keys.bots(user_id), 0, -1, "WITHSCORES")
        found, rooms, announced, log, seen, bots = await self._store.execute(pipe)
        fields = dict(pairs(found))
        if not fields:
            return b""
        is_named, sessions = await asyncio.gather(
            self._is_named(user_id, fields.get(b"username", b"")), self._sessions(user_id)
        )
        if not self._credentials and b"password" in fields:
            # Other servers fail where there is none.
            fields[b"password"] = NOBODYS_HASH.encode()
        return write_line(
            type="user",
            id=user_id,
            fields={name.decode(errors="replace"): text(value) for name, value in fields.items()},
            is_named=is_named,
            rooms=self._known(rooms),
            announced=self._known(announced),
            log=[
                (int(entry_id.partition(b"-")[0]), room_id)
                for entry_id, (_, raw) in log
                for room_id in self._known([raw])
            ],
            seen=None if seen is None else int(seen),
            bots=[
                (bot_id.decode(), repr(float(created)))
                for bot_id, created in pairs(bots)
                if int(bot_id) <= self._last_user
            ],
            sessions=sessions,
        )

    async def _is_named(self, user_id: str, name: bytes) -> bool:
        owner = await self._store.call("GET", keys.username(name.decode(errors="replace")))
        return owner is not None and owner.rpartition(b":")[2] == user_id.encode()

    async def _sessions(self, user_id: str) -> list[dict[str, object]]:
        if not self._credentials:
            return []
        listed = pairs(
            await self._store.call("ZRANGE", keys.sessions(user_id), 0, -1, "WITHSCORES")
        )
        pipe = self._store.pipeline()
        for token_hash in (raw.decode() for raw, _ in listed):
            pipe.add("GET", keys.session(user_id, token_hash))
            pipe.add("PTTL", keys.session(user_id, token_hash))
        replies = await self._store.execute(pipe)
        now = round(time.time() * 1000)
        return [
            {
                "hash": token_hash.decode(),
                "value": value.decode(),
                "score": repr(float(score)),
                "expires": None if left < 0 else now + left,
            }
            for (token_hash, score), value, left in zip(
                listed, replies[::2], replies[1::2], strict=True
            )
            if value is not None
        ]

    def _known(self, room_ids: list[bytes]) -> list[str]:
        """Those that can be rooms of the users that are written."""
        return sorted(filter(self._is_known, (each.decode(errors="replace") for each in room_ids)))

    def _is_known(self, room_id: str) -> bool:
        members = private_members(room_id) or ()
        return is_room_id(room_id) and all(int(each) <= self._last_user for each in members)

    # Rooms

    async def _names(self) -> AsyncIterator[tuple[str, bytes]]:
        async for key in self._keys("string"):
            room_id = key.removesuffix(":name")
            if room_id != key and is_room_id(room_id):
                name = await self._store.call("GET", keys.room_name(room_id))
                if name is not None:
                    yield room_id, name

    async def _rooms_with_messages(self) -> AsyncIterator[str]:
        async for room_id in self._keys("zset"):
            if is_room_id(room_id):
                yield room_id

    async def _keys(self, kind: str) -> AsyncIterator[str]:
        """What follows `room:` in the names of keys. One may come twice, when the store grows."""
        async for key in self._store.scan(keys.room("*"), kind):
            yield key.removeprefix(keys.room(""))

    async def _messages(self, room_id: str) -> AsyncIterator[bytes]:
        after, end = 0, self._ends.get(room_id, self._clock)
        while True:
            names = [keys.room(room_id), keys.room_log(room_id)]
            reply = await self._store.run("read_log", names, after, _MESSAGES_AT_ONCE)
            for position, score, member in zip(reply[::3], reply[1::3], reply[2::3], strict=True):
                after = int(position)
                if after > end:
                    return
                if member:
                    yield write_line(
                        type="message",
                        room=room_id,
                        position=after,
                        score=score.decode(),
                        member=text(member),
                    )
            if len(reply) < 3 * _MESSAGES_AT_ONCE:
                return
