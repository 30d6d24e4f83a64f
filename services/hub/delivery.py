"""Delivery on one store: what rings together is read together, and handed out in the one order."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager

from services.hub.deliveries import Deliveries
from services.hub.handout import Handout
from services.hub.register import Register
from services.hub.sent import SentMessages
from services.hub.subscription import READ_LIMIT
from services.log import Entry, Log
from services.models import Message

_RUNG_LIMIT = 500
"""About how many entries of the logs that rang are read at a time."""

_READ_OF_EACH = 16


class Delivery:
    """Of everything after the register's position."""

    def __init__(
        self,
        log: Log,
        register: Register,
        handout: Handout,
        deliveries: Deliveries,
        during: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._log = log
        self._register = register
        self._handout = handout
        self._deliveries = deliveries
        self._during = during
        self.rung: defaultdict[str, set[int]] = defaultdict(set)
        """Positions by log that rang since the last delivery."""
        self._sent = SentMessages()

    async def open(self) -> None:
        self._register.position = await self._log.now()

    def ring(self, log: str, position: int) -> None:
        self.rung[log].add(position)
        self._register.is_growing |= log.startswith("user:")
        self._deliveries.ring()

    def note_sent(self, message: Message, previous: int) -> None:
        """This process has sent a message, which stands after the position `previous` in its log:
        when it rings, it need not be read."""
        register = self._register
        if message.position > register.position and register.is_wanted("room", message.room_id):
            self._sent.add(message, previous)

    async def deliver(self) -> None:
        """Hand out the entries of the logs that rang, in the order of the positions."""
        rung, self.rung = self.rung, defaultdict(set)
        self._deliveries.take()
        with self._during():
            position = self._register.position
            entries = self._sent.take(rung, position)
            if entries is None:
                entries = await self._read(rung, position)
            # A ring is true when its log has that entry. Whatever rings earlier has then been
            # heard: up to the newest true ring nothing is missing. What was read beyond will ring
            # itself.
            heard = max(
                (event.position for log, event in entries if event.position in rung[log]),
                default=position,
            )
            await self._handout.hand_out([entry for entry in entries if entry[1].position <= heard])
            self.reach(heard)
        self._deliveries.done()
        self._register.is_growing = any(log.startswith("user:") for log in self.rung)

    async def _read(self, rung: dict[str, set[int]], position: int) -> list[Entry]:
        """What the logs that rang hold since the last delivery."""
        entries: list[Entry] = []
        upto, is_all = position, False
        # So many of each that a log seldom has more: one that has holds up the others.
        limit = max(_RUNG_LIMIT, _READ_OF_EACH * len(rung))
        while not is_all:
            news = await self._log.news(rung, upto, limit=limit)
            entries += news.entries
            upto, is_all = news.upto, news.is_all
        return entries

    async def catch_up(self) -> None:
        """Hand out all that the logs hold, whatever rang of it."""
        self._deliveries.catch_ups += 1
        self._sent.forget()
        register = self._register
        register.is_catching_up = True
        try:
            is_all = False
            while not is_all:
                logs = register.logs()
                limit = READ_LIMIT * (len(logs) + 1)
                news = await self._log.news(logs, register.position, limit=limit)
                await self._handout.hand_out(news.entries)
                self.reach(news.upto)
                is_all = news.is_all
        finally:
            register.is_catching_up = False
        self._deliveries.done()

    def reach(self, position: int) -> None:
        """Everything up to there was handed out."""
        self._register.position = max(self._register.position, position)
