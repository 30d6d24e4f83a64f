"""The ear of a process: what comes by the channels, and what is noted of it.

The channel is a doorbell, the log is the truth: a ring names a log and a position, and says that
the log has grown so far.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from broadcaster import Broadcast, Event

from services import keys
from services.bridge import Bridge
from services.errors import Unavailable
from services.hub.channel import Changed, Connected, Published, RedisChannels
from services.hub.echo import Echo
from services.hub.register import Register
from services.ids import is_room_id, is_user_id

_log = logging.getLogger(__name__)

_MAX_ENVELOPES = 10_000
"""Envelopes that may wait; a flood of them is forgotten, and the store searched instead."""

_USER = re.compile(rb"user:([1-9][0-9]{0,17})(:rooms)?")

WATCHED_KEYS = ("user:", keys.EPOCH)
"""What the keys begin with whose changes are heard: records of users and their rooms, to notice who
leaves one; and the epoch."""


class Ear:
    """It never waits for what follows from its notes, so that the connection is always read."""

    def __init__(self, channels: RedisChannels, register: Register, echo: Echo) -> None:
        self._channels = channels
        self._broadcast = Broadcast(backend=channels)
        self._register = register
        self.echo = echo
        self._notes: dict[str, Callable[[bytes], None]] = {
            keys.MESSAGES_CHANNEL: self._note_envelope,
            keys.PRESENCE_BELL: self._note_envelope,
            keys.SESSIONS_CHANNEL: self._note_session,
        }
        """By channel; any other is a bell."""
        if echo.channel is not None:
            self._notes[echo.channel] = self._note_echo
        self.noted = asyncio.Event()
        """There is something to work off."""
        self.has_missed = False
        """Something may have come that was not heard."""
        self.newest_ring = 0
        """Whatever log it was of."""
        self.moved: set[str] = set()
        """Users whose rooms have changed."""
        self.envelopes: deque[bytes] = deque()
        self.on_ring: Callable[[str, int], None] = lambda log, position: None
        """Told of a log that somebody follows, and how far it has grown."""
        self.on_session_ended: Callable[[str], None] = lambda token_hash: None
        self.on_users_changed: Callable[[Collection[str] | None], None] = lambda ids: None
        """None: any may have changed."""

    @property
    def hearing(self) -> int | None:
        """Under which connection all changes of keys are noted; None if they are not."""
        return self._channels.hearing

    @property
    def unread(self) -> int:
        """How much has come that is not noted yet, or waits as an envelope."""
        return self._channels.unread + len(self.envelopes)

    async def open(self) -> None:
        if self.echo.channel is not None:
            self._channels.follow(self.echo.channel)
        await self._broadcast.connect()

    async def close(self) -> None:
        await self._broadcast.disconnect()

    async def listen(self) -> None:
        async with self._broadcast.subscribe(keys.MESSAGES_CHANNEL) as subscriber:
            while True:
                self.note(await subscriber.get())

    def miss(self) -> None:
        """Note that something may have come that was not heard."""
        self.has_missed = True
        self.noted.set()

    def take_moved(self) -> set[str]:
        moved, self.moved = self.moved, set()
        return moved

    @contextmanager
    def taken_envelopes(self) -> Iterator[Collection[bytes]]:
        """Those that wait; when the store goes away under them they wait on, as presence is in no
        log to be read again."""
        envelopes, self.envelopes = self.envelopes, deque()
        try:
            yield envelopes
        except Unavailable:
            self.envelopes.extendleft(reversed(envelopes))
            raise

    def note(self, event: Event) -> None:
        if isinstance(event, Connected):
            self.has_missed = True
        elif isinstance(event, Changed):
            self._note_changes(event.keys)
        elif isinstance(event, Published):
            self._notes.get(event.source, self._note_ring)(event.data)
        self.noted.set()

    def _note_session(self, data: bytes) -> None:
        self.on_session_ended(data.decode(errors="replace"))

    def _note_echo(self, data: bytes) -> None:
        self.echo.hear(data)
        self.newest_ring = max(self.newest_ring, self.echo.heard)

    def _note_envelope(self, data: bytes) -> None:
        if not Bridge.is_rung(data):
            self.envelopes.append(data)
            if len(self.envelopes) > _MAX_ENVELOPES:
                _log.warning("Too many envelopes at once: searching the store instead.")
                self.envelopes.clear()
                self.has_missed = True

    def _note_changes(self, changed: list[bytes] | None) -> None:
        if changed is None or keys.EPOCH.encode() in changed:
            self.has_missed = True
            self.on_users_changed(None)
        matches = [match for key in changed or () if (match := _USER.fullmatch(key))]
        self.moved |= {match[1].decode() for match in matches if match[2]}
        self.on_users_changed([match[1].decode() for match in matches if not match[2]])

    def _note_ring(self, data: bytes) -> None:
        log, _, position = data.decode(errors="replace").partition(" ")
        kind, _, name = log.partition(":")
        known = {"room": is_room_id, "user": is_user_id}.get(kind)
        if known is None or not known(name) or not position.isdecimal() or len(position) > 18:
            _log.warning("Dropped a malformed ring: %.80r", data)
            return
        self.newest_ring = max(self.newest_ring, int(position))
        if self._register.is_wanted(kind, name):
            self.on_ring(log, int(position))
