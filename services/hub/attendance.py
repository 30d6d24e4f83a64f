"""Attendance: who came or went while it was not heard.

It is in no log. So what was told of it is kept, as long as somebody follows it, and compared with
the store after a gap.
"""

import asyncio
from collections.abc import Hashable, Mapping

from services.presence import PresenceService


class Attendance:
    def __init__(self, presence: PresenceService) -> None:
        self._presence = presence
        self._followers: set[Hashable] = set()
        self._online: set[str] | None = None
        """Those who are online by what was told; None while nobody follows it."""
        self._asking = asyncio.Lock()
        self._meanwhile: dict[str, bool] = {}
        """What was told while the store was asked."""

    def enter(self, who: Hashable) -> None:
        """Somebody follows it; once it is heard, `begin`."""
        self._followers.add(who)

    def leave(self, who: Hashable) -> None:
        """Somebody follows it no longer, or never has."""
        self._followers.discard(who)
        if not self._followers:
            self._online = None  # It may not be heard any more.

    async def begin(self) -> None:
        """Find out who is online, unless that is known. Raises Unavailable."""
        async with self._asking:
            if self._online is None and self._followers:
                self._meanwhile.clear()
                online = await self._presence.online()
                self._online = _changed(online, self._meanwhile)

    def note(self, present: Mapping[str, bool]) -> None:
        """It is told of users whether they are online."""
        if self._asking.locked():
            self._meanwhile.update(present)
        if self._online is not None:
            self._online = _changed(self._online, present)

    async def unheard(self) -> set[str]:
        """Of whom something else was told than is so now; that counts as told then. Raises
        Unavailable."""
        if self._online is None:
            return set()
        before, self._online = self._online, await self._presence.online()
        return before ^ self._online


def _changed(online: set[str], present: Mapping[str, bool]) -> set[str]:
    online |= {user_id for user_id, is_online in present.items() if is_online}
    online -= {user_id for user_id, is_online in present.items() if not is_online}
    return online
