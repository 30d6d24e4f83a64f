"""Interest: the bells that a process listens to, where each log has one of its own."""

import asyncio
from collections.abc import Hashable, Iterable
from typing import Protocol

from services.hub.bells import Channels, bell

_LINGER_SECONDS = 10.0
"""How long a bell is listened to after the last who wanted it: they often come again."""


class Backend(Protocol):
    """What listens to sharded channels, see RedisChannels."""

    def follow(self, channel: str) -> None: ...

    def leave(self, channel: str) -> bool: ...

    def is_heard(self, channel: str) -> bool: ...

    async def heard(self, channels: Iterable[str]) -> None: ...


class Interest:
    """Where all logs ring on one channel there is nothing to do: all are heard always."""

    def __init__(self, channels: Channels, backend: Backend) -> None:
        self._is_sharded = channels.is_sharded
        self._backend = backend
        self._wanted: dict[str, set[Hashable]] = {}
        """Who wants to hear each bell."""
        self._left: dict[str, float] = {}
        """When the last one left, in the order of these moments."""

    def want(self, name: str, who: Hashable) -> None:
        """Somebody wants to hear a log, or PRESENCE; `heard` tells from when on it is."""
        if not self._is_sharded:
            return
        if name not in self._wanted:
            self._wanted[name] = set()
            if self._left.pop(name, None) is None:
                self._backend.follow(bell(name))
        self._wanted[name].add(who)

    def unwant(self, name: str, who: Hashable) -> None:
        """Somebody does not want to hear it any more, or never has."""
        if name not in self._wanted:
            return
        self._wanted[name].discard(who)
        if not self._wanted[name]:
            del self._wanted[name]
            self._left[name] = asyncio.get_running_loop().time()

    def unheard(self, names: Iterable[str]) -> list[str]:
        """Those of wanted bells of which not all that rings from now on is heard or caught up
        with."""
        if not self._is_sharded:
            return []
        return [name for name in names if not self._backend.is_heard(bell(name))]

    async def heard(self, names: Iterable[str]) -> None:
        """Wait until none of these is unheard."""
        await self._backend.heard(map(bell, names))

    def sweep(self) -> None:
        """Stop to listen to what nobody has wanted for a while."""
        due = asyncio.get_running_loop().time() - _LINGER_SECONDS
        for name, left in list(self._left.items()):
            if left > due:
                break
            if self._backend.leave(bell(name)):
                del self._left[name]
