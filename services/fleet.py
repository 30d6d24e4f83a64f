"""The fleet: the server processes of one store. They have to tell each other of news in one way."""

import logging

from redis.exceptions import RedisError

from services import keys
from services.errors import Unavailable
from services.hub.bells import Channels
from services.redis.pipeline import pairs
from services.redis.store import Store, StoreError

_log = logging.getLogger(__name__)

LEASE_SECONDS = 45
"""How long a process that does not renew its lease counts as one of the fleet."""


class Fleet:
    def __init__(self, store: Store, server_id: str, channels: Channels) -> None:
        self._store = store
        self._server_id = server_id
        self._channels = channels

    async def join(self) -> None:
        """Raises StoreError when others tell each other of news in another way, Unavailable."""
        if other := await self._renew():
            raise self._disagreement(
                other,
                "Give all servers of a store the same CHANNELS; to change it, stop all of them"
                f" first. One that was killed counts for {LEASE_SECONDS} seconds more.",
            )

    async def check(self) -> None:
        """As `join`, for a command: what it changes is to be heard, and it is no server itself."""
        ways = {member.decode().partition(" ")[0] for member in await self._members()}
        if others := ways - {self._channels}:
            other = others.pop()
            raise self._disagreement(other, f"Set CHANNELS={other}, as the server has it.")

    async def renew(self) -> None:
        """Call this three times in a lease. Raises Unavailable."""
        if other := await self._renew():
            _log.error(
                "CHANNELS is %s here and %s in another server: they do not hear each other.",
                self._channels,
                other,
            )

    async def leave(self) -> None:
        """Raises Unavailable."""
        await self._store.call("ZREM", keys.FLEET, f"{self._channels} {self._server_id}")

    async def servers(self) -> int:
        """How many processes there are; one that was killed counts until its lease ends.

        Raises Unavailable."""
        return len(await self._members())

    async def _members(self) -> list[bytes]:
        """`<way> <server id>` of each process, as the script has it."""
        pipe = self._store.pipeline()
        pipe.add("ZRANGE", keys.FLEET, 0, -1, "WITHSCORES")
        # Of the same server of a cluster, whose clock the leases are by.
        pipe.add("TIME")
        leases, (seconds, _) = await self._store.execute(pipe)
        now = int(seconds) * 1_000_000
        return [member for member, end in pairs(leases) if float(end) > now]

    def _disagreement(self, other: str, advice: str) -> StoreError:
        return StoreError(
            f"CHANNELS is {self._channels} here and {other} in a server that uses the same store:"
            f" they would not hear each other. {advice}"
        )

    async def _renew(self) -> str:
        lease = LEASE_SECONDS * 1_000_000
        other = await self._store.run(
            "join_fleet", [keys.FLEET], self._channels, self._server_id, lease
        )
        return str(other.decode())


async def check_channels(store: Store, channels: Channels, address: str) -> None:
    """Raise StoreError when the store does not have the channels that are asked for."""
    if not channels.is_sharded:
        return
    try:
        await store.call("SPUBLISH", keys.PROBE, "")
    except (RedisError, Unavailable) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise StoreError(
            f"The store at {address} cannot do what CHANNELS={channels} asks: {reason}."
            " Sharded channels need Redis 7.0 or Valkey; CHANNELS=shared needs neither."
        ) from error
