"""Presence: a user is online while any connection to any server lives.

Each process counts the connections of its users and tells the store of the first and the last.
What it told is bound to a lease that it keeps renewing: the users of a process that was killed are
released by whoever sweeps next. `online_users` is shared with the other servers, which may take a
user for gone who still has a connection here; that is put right as soon as it is noticed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services import keys
from services.errors import Unavailable
from services.hub.bells import Channels
from services.models import Presence, User
from services.redis.store import Store
from services.wire import encode_envelope, presence_data

LEASE_SECONDS = 45.0
"""How long a process that does not renew its lease keeps its users online."""

_LEASES = keys.presence("leases")
_FAREWELLS = keys.presence("farewells")
LAST_SEEN = keys.presence("seen")
"""Hash: when each user who is offline was last online, in microseconds."""
_SERVER = keys.presence("server:")


@dataclass(slots=True)
class _Local:
    """A user of this process: what the store should say, and what we know that it says."""

    user: User
    connections: int = 0
    is_registered: bool = False
    is_in_doubt: bool = False
    """The store may say something else than what we last told it."""
    settling: asyncio.Task[None] | None = None

    @property
    def is_online(self) -> bool:
        return self.connections > 0

    @property
    def is_up_to_date(self) -> bool:
        return not self.is_in_doubt and self.is_registered == self.is_online

    @property
    def is_settled(self) -> bool:
        return self.settling is None and self.is_up_to_date


class PresenceService:
    """One per process.

    `connect` and `disconnect` do not raise when the store is away: the count is right at once, and
    the store follows with the next heartbeat that reaches it.
    """

    def __init__(
        self,
        store: Store,
        server_id: str,
        channels: Channels = Channels.SHARED,
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._store = store
        self._server_id = server_id
        self._channels = channels
        self._lease = round(lease_seconds * 1_000_000)
        self._own_users = _SERVER + server_id
        self._local: dict[str, _Local] = {}
        self._is_released = False
        self._has_missed_a_beat = False
        self._may_sweep = True

    async def connect(self, user: User) -> None:
        """The user has one more connection here; pair it with `disconnect`."""
        if self._is_released:
            return
        local = self._local.setdefault(user.id, _Local(user))
        local.user = user
        local.connections += 1
        try:
            await self._settle(local)
        except BaseException:
            # Whoever did not get through `connect` will not call `disconnect`.
            if local.is_online:
                local.connections -= 1
                self._start_settling(local)
            raise

    async def disconnect(self, user: User) -> None:
        """The user has one connection less here."""
        local = self._local.get(user.id)
        if local is not None and local.is_online:
            local.connections -= 1
            await self._settle(local)

    async def heal(self, user_id: str) -> None:
        """Another server said that the user left; not so while there is a connection here.

        Every process hears that server, so each answers for its own users.
        """
        local = self._local.get(user_id)
        if local is not None and local.is_online:
            local.is_in_doubt = True
            await self._settle(local)

    async def heartbeat(self) -> None:
        """Renew the lease, and put right what the store has wrong about this process.

        It may have lost users: swept while this process hung, removed by another server while the
        channel was not heard, or not told while it was away. It may have too many, when a call
        that timed out was carried out late. Call this three times in a lease. Raises Unavailable.
        """
        before = self._settled_online()
        has_missed_one, self._has_missed_a_beat = self._has_missed_a_beat, True
        known, *missing = await self._store.run(
            "presence_heartbeat",
            [keys.ONLINE_USERS, _LEASES, self._own_users],
            self._server_id,
            self._lease,
        )
        self._has_missed_a_beat = False
        self._may_sweep = not has_missed_one
        # Who came or went meanwhile proves nothing, and is told of anyway.
        still = set(self._settled_online())
        told = [user_id for user_id in before if user_id in still]
        lost = {user_id.decode() for user_id in missing}
        for user_id in told:
            if known < len(told) or user_id in lost:
                self._local[user_id].is_in_doubt = True
        if known > len(self._local):
            await self._find_strangers()
        await self._settle_all()

    async def recheck(self) -> None:
        """Compare name by name: a store that has lost its last moments may know others, of which it
        has as many. Raises Unavailable."""
        before = self._settled_online()
        found = await self._find_strangers()
        for user_id in set(before).intersection(self._settled_online()) - found:
            self._local[user_id].is_in_doubt = True
        await self._settle_all()

    async def sweep(self) -> None:
        """Release the users of every process whose lease has ended. Raises Unavailable.

        Not when the store was away just now: the others could not renew theirs either.
        """
        if self._may_sweep:
            await self._release("expired")

    async def release_all(self) -> None:
        """This process ends: its users leave, and nobody comes any more. Raises Unavailable."""
        self._is_released = True
        for local in self._local.values():
            local.connections = 0
        settling = [local.settling for local in self._local.values() if local.settling]
        await asyncio.gather(*settling, return_exceptions=True)
        self._local.clear()
        await self._release("server")

    async def online(self) -> set[str]:
        """All who are online."""
        return {member.decode() for member in await self._store.call("SMEMBERS", keys.ONLINE_USERS)}

    async def many(self, ids: Sequence[str]) -> list[Presence]:
        """Who of these users is online, and when the others were last; one round trip."""
        if not ids:
            return []
        pipe = self._store.pipeline()
        pipe.add("SMISMEMBER", keys.ONLINE_USERS, *ids)
        pipe.add("HMGET", LAST_SEEN, *ids)
        online, seen = await self._store.execute(pipe)
        return [
            Presence(bool(is_online), None if is_online or at is None else int(at))
            for is_online, at in zip(online, seen, strict=True)
        ]

    def _settled_online(self) -> list[str]:
        """Users of whom the store should know through us."""
        return [
            user_id
            for user_id, local in self._local.items()
            if local.is_settled and local.is_online
        ]

    async def _find_strangers(self) -> set[str]:
        """Whom the store has through us; doubt those who have no connection here."""
        found = {member.decode() for member in await self._store.call("SMEMBERS", self._own_users)}
        for user_id in found - self._local.keys():
            self._local[user_id] = _Local(User(user_id, ""), is_in_doubt=True)
        return found

    async def _settle_all(self) -> None:
        unsettled = [local for local in self._local.values() if not local.is_settled]
        await asyncio.gather(*map(self._settle, unsettled))

    async def _settle(self, local: _Local) -> None:
        """Wait until the store says of this user what is so now.

        Goes on when the caller is cancelled, as a connection that breaks often is.
        """
        if not local.is_settled:
            await asyncio.shield(self._start_settling(local))

    def _start_settling(self, local: _Local) -> asyncio.Task[None]:
        """One task per user, so that quick comings and goings cannot overtake each other."""
        if local.settling is None:
            local.settling = asyncio.create_task(self._follow(local), name="presence-settle")
        return local.settling

    async def _follow(self, local: _Local) -> None:
        try:
            while not local.is_up_to_date:
                await self._tell(local)
        except Unavailable:
            pass  # The next heartbeat tries again.
        finally:
            local.settling = None
            if local.is_settled and not local.is_online:
                self._local.pop(local.user.id, None)

    async def _tell(self, local: _Local) -> None:
        """Tell the store once; what changes meanwhile leaves the user unsettled."""
        is_online = local.is_online
        local.is_in_doubt = False
        try:
            if is_online:
                await self._register(local.user)
            else:
                await self._release("user", local.user.id)
        except BaseException:
            local.is_in_doubt = True
            raise
        local.is_registered = is_online

    async def _register(self, user: User) -> None:
        connected = presence_data(user.id, user.username, True)
        await self._store.run(
            "presence_connect",
            [keys.ONLINE_USERS, _LEASES, _FAREWELLS, self._own_users],
            user.id,
            self._server_id,
            self._lease,
            *self._channels.presence,
            encode_envelope(self._server_id, "user.connected", connected),
            # Whoever releases the user may not know the name any more.
            orjson.dumps(presence_data(user.id, user.username, False)),
        )

    async def _release(self, what: str, user_id: str = "") -> None:
        await self._store.run(
            "presence_release",
            [keys.ONLINE_USERS, _LEASES, _FAREWELLS, LAST_SEEN],
            what,
            self._server_id,
            *self._channels.presence,
            _SERVER,
            user_id,
        )
