"""Sharded channels on a Redis Cluster: each is heard at the server that has its slot."""

from collections.abc import Callable, Iterable, Sequence

from redis.crc import key_slot

from services.hub.channel import RedisChannels
from services.redis.sentinels import Place

Owners = Sequence[Place | None]
"""The server that has each slot, as far as is known."""


class Spread:
    """Channels over the servers of a cluster, as RedisChannels has those of one.

    What rings while a slot moves, and until that is noticed, is missed: it has to be read.
    """

    def __init__(self, owners: Callable[[], Owners]) -> None:
        self._owners = owners
        self._servers: dict[Place, RedisChannels] = {}
        self._places: dict[str, Place | None] = {}
        """By channel; None where it is to be followed at no server yet."""
        self._settled: tuple[Owners, dict[Place, int]] | None = None
        """What was so when all channels were followed where they are."""

    def add(self, place: Place, server: RedisChannels) -> None:
        self._servers[place] = server

    def remove(self, place: Place) -> None:
        del self._servers[place]

    def follow(self, channel: str) -> None:
        self._places[channel] = None
        self._settle(channel)
        if self._server_of(channel) is None:
            self._settled = None

    def leave(self, channel: str) -> bool:
        server = self._server_of(channel)
        if server is not None and not server.leave(channel):
            return False
        del self._places[channel]
        return True

    def is_heard(self, channel: str) -> bool:
        server = self._server_of(channel)
        return server is None or server.is_heard(channel)

    async def heard(self, channels: Iterable[str]) -> None:
        for channel in channels:
            if (server := self._server_of(channel)) is not None:
                await server.heard([channel])

    def settle(self) -> list[str]:
        """Follow each channel where it is now; those that were not heard there."""
        lost = {place: server.lost for place, server in self._servers.items()}
        state = list(self._owners()), lost
        if state == self._settled:
            return []
        astray = [channel for channel in self._places if self._is_astray(channel)]
        for channel in astray:
            self._settle(channel)
        self._settled = None if astray else state
        return astray

    def _is_astray(self, channel: str) -> bool:
        server = self._server_of(channel)
        is_at_home = self._places[channel] == self._owner(channel)
        return server is None or not is_at_home or not server.is_followed(channel)

    def _settle(self, channel: str) -> None:
        before, place = self._server_of(channel), self._owner(channel)
        if place != self._places[channel] and before is not None and not before.leave(channel):
            return  # It is just being asked for there: next time.
        self._places[channel] = place
        if (server := self._server_of(channel)) is not None:
            server.follow(channel)

    def _owner(self, channel: str) -> Place | None:
        return self._owners()[key_slot(channel.encode())]

    def _server_of(self, channel: str) -> RedisChannels | None:
        place = self._places.get(channel)
        return None if place is None else self._servers.get(place)
