"""The fleet: the server processes of one store. They have to tell each other of news in one way."""

import logging

from redis.exceptions import RedisError

from services import keys
from services.bells import Channels
from services.errors import Unavailable
from services.pipeline import pairs
from services.store import Store, StoreError

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
            raise StoreError(
                f"CHANNELS is {self._channels} here and {other} in a server that uses the same"
                " store: they would not hear each other. Give all servers of a store the same"
                " CHANNELS; to change it, stop all of them first. One that was killed counts for"
                f" {LEASE_SECONDS} seconds more."
            )

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
        pipe = self._store.pipeline()
        pipe.add("TIME")
        pipe.add("ZRANGE", keys.FLEET, 0, -1, "WITHSCORES")
        (seconds, _), leases = await self._store.execute(pipe)
        return sum(float(end) > int(seconds) * 1_000_000 for _, end in pairs(leases))

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
