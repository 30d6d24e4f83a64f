"""Delivery on a Redis Cluster: each log is read and handed out by itself, as soon as it rings.

While one server of the cluster is away, what the others have goes on. How far everything was handed
out is kept for each log, as no one number says it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import replace

from services.errors import Unavailable
from services.hub.bells import bell
from services.hub.cluster_subscription import MARGIN
from services.hub.deliveries import Deliveries
from services.hub.handout import Handout
from services.hub.register import Register
from services.log import Entry, Log
from services.tasks import stop

_log = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE = 0.2
"""Seconds until a log is read again."""


class ClusterDelivery:
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
        self.sound = 0
        """The moment before which everything was handed out, of all logs."""
        self._reached: dict[str, int] = {}
        """Up to which position each log was handed out, of those that somebody follows."""
        self._unread: dict[str, int] = {}
        """Logs that may have something new; and up to which position that is known to be."""
        self._reading: dict[str, asyncio.Task[None]] = {}
        """What reads a log, and hands out what it finds."""
        self._rung_at: dict[str, float] = {}
        """When each log first rang of those that have not been handed out since."""

    async def open(self) -> None:
        self.sound = await self._log.now()

    async def close(self) -> None:
        await stop(*self._reading.values())

    def place(self, log: str) -> int:
        """The position after which a log may have something that was not handed out."""
        return self._reached.get(log, self.sound - MARGIN)

    def begin_anew(self, moment: int) -> None:
        """Everything before a moment is gone."""
        self._reached.clear()
        self.sound = moment

    def confirm(self, moment: int) -> None:
        """Everything before a moment was handed out."""
        for room_id in self._register.by_room:
            # Where nothing has come yet it stays as it is, however far the other logs have come
            # when this one first rings.
            self._reached.setdefault(f"room:{room_id}", self.sound - MARGIN)
        self.sound = moment

    def forget_others(self, logs: Collection[str]) -> None:
        """Keep how far these logs were handed out."""
        self._reached = {log: at for log, at in self._reached.items() if log in logs}

    def ring(self, log: str, position: int) -> None:
        if position > self.place(log):
            self._rung_at.setdefault(log, time.perf_counter())
            self._deliveries.wait_since(min(self._rung_at.values()))
            self.read_soon(log)

    def catch_up(self) -> None:
        """Read all logs, whatever rang of them."""
        self._deliveries.catch_ups += 1
        for log in self._register.logs():
            self.read_soon(log)

    def read_astray(self, bells: Collection[str]) -> None:
        """Read the logs of bells that were not listened to."""
        for log in self._register.logs():
            if bell(log) in bells:
                self.read_soon(log)

    def read_rooms(self, room_ids: Collection[str]) -> None:
        """They may have rung when nobody followed them."""
        for room_id in room_ids:
            self.read_soon(f"room:{room_id}")

    def read_soon(self, log: str, upto: int = 0) -> None:
        """Have what is new in a log handed out; it is known to reach so far."""
        self._unread[log] = max(upto, self._unread.get(log, 0))
        if log not in self._reading:
            self._reading[log] = asyncio.create_task(
                self._keep_reading(log), name=f"hub-read-{log}"
            )

    async def _keep_reading(self, log: str) -> None:
        """Until nothing is new, so that no two hand out the same."""
        try:
            while log in self._unread:
                upto = self._unread.pop(log)
                try:
                    await self._hand_out_news(log, upto)
                    continue
                except Unavailable:
                    pass  # A server of the cluster is away.
                except Exception:
                    _log.exception("Delivery of %s failed; reading it again.", log)
                self._unread[log] = max(upto, self._unread.get(log, 0))
                await asyncio.sleep(_PAUSE_AFTER_FAILURE)
        finally:
            del self._reading[log]

    async def _hand_out_news(self, log: str, upto: int) -> None:
        is_all = False
        while not is_all:
            news = await self._log.news_of_each({log: self.place(log)})
            with self._during():
                await self._handout.hand_out([self._told(entry) for entry in news.entries])
            self._reached |= news.reached
            is_all = news.is_all
        # Also beyond what nobody can read.
        self._reached[log] = max(upto, self.place(log))
        if (rung_at := self._rung_at.pop(log, None)) is not None:
            self._deliveries.delays.add(time.perf_counter() - rung_at)
            self._deliveries.wait_since(min(self._rung_at.values(), default=None))

    def _told(self, entry: Entry) -> Entry:
        log, event = entry
        return log, replace(event, doubt=max(0, event.position - self.sound))
