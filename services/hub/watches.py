"""Watches: a Redis Cluster is heard at each of its servers, as each tells of its own keys only."""

import asyncio
from collections.abc import Callable, Collection
from typing import NamedTuple

from broadcaster import Event

from services import keys
from services.hub.channel import RedisChannels
from services.hub.ear import WATCHED_KEYS
from services.hub.spread import Spread
from services.redis.sentinels import Place
from services.redis.store import Store
from services.tasks import stop

_WATCH_SECONDS = 0.25
"""How often is looked whether other servers have keys now."""


class _Watch(NamedTuple):
    """One server, whose changed keys are heard."""

    channels: RedisChannels
    noting: asyncio.Task[None]


class Watches:
    """Of the servers that have keys: their changes, and the bells whose slots are there."""

    def __init__(
        self,
        store: Store,
        spread: Spread,
        note: Callable[[Event], None],
        on_astray: Callable[[Collection[str]], None],
    ) -> None:
        """`on_astray` is told of bells that have not been heard for a while."""
        self._store = store
        self._spread = spread
        self._note = note
        self._on_astray = on_astray
        self._watches: dict[Place, _Watch] = {}
        self._changes = 0
        """How often others have taken their places."""
        self._watching: asyncio.Task[None] | None = None

    @property
    def hearing(self) -> int | None:
        """As of RedisChannels: changes are heard where all servers are that have keys."""
        watches = self._watches.values()
        if self._watches.keys() != self._store.primaries or any(
            watch.channels.hearing is None for watch in watches
        ):
            return None
        # Another number with each connection, and with each change of the servers.
        return self._changes << 32 | sum(watch.channels.connections for watch in watches)

    def open(self) -> None:
        self._watching = asyncio.create_task(self._watch_forever(), name="hub-watch")

    async def close(self) -> None:
        if self._watching is not None:
            await stop(self._watching)
        for place in list(self._watches):
            await self._remove(place)

    async def _watch_forever(self) -> None:
        while True:
            primaries = set(self._store.primaries)
            for place in self._watches.keys() - primaries:
                await self._remove(place)
            for place in primaries - self._watches.keys():
                await self._add(place)
            if astray := set(self._spread.settle()):
                self._on_astray(astray)
            await asyncio.sleep(_WATCH_SECONDS)

    async def _add(self, place: Place) -> None:
        channels = RedisChannels(self._store, (), WATCHED_KEYS, at=place)
        await channels.subscribe(keys.MESSAGES_CHANNEL)
        noting = asyncio.create_task(self._note_all(channels), name="hub-note")
        self._watches[place] = _Watch(channels, noting)
        self._spread.add(place, channels)
        self._changes += 1

    async def _remove(self, place: Place) -> None:
        watch = self._watches.pop(place)
        self._spread.remove(place)
        self._changes += 1
        await stop(watch.noting)
        await watch.channels.disconnect()

    async def _note_all(self, channels: RedisChannels) -> None:
        while True:
            self._note(await channels.next_published())
