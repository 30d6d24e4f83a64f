"""Senders: what they send, they send until it is acknowledged."""

import asyncio
import random
import time
from collections.abc import Sequence

from application.loadtest.ledger import Acknowledged
from tests.faults.callers import Caller
from tests.faults.ledger import Ledger


class Sender:
    """Sends to some rooms in turn, one message after the other.

    With several callers it sends each message by all of them at the same time.
    """

    def __init__(
        self,
        name: str,
        callers: Sequence[Caller],
        room_ids: Sequence[str],
        ledger: Ledger,
        *,
        pause: float,
        text: str,
    ) -> None:
        self._name = name
        self._callers = callers
        self._room_ids = room_ids
        self._ledger = ledger
        self._pause = pause
        self._text = text

    async def run(self, stopped: asyncio.Event) -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            room_id = self._room_ids[number % len(self._room_ids)]
            await self._send(room_id, f"{self._name}-{number}")
            await asyncio.sleep(random.uniform(0, 2 * self._pause))

    async def _send(self, room_id: str, key: str) -> None:
        began = time.monotonic()
        answers = await asyncio.gather(
            *(caller.send(room_id, key, f"{key} {self._text}") for caller in self._callers)
        )
        (message_id,) = {message_id for message_id, _ in answers}
        attempted = min(attempted for _, attempted in answers)
        acknowledged = Acknowledged(key, room_id, message_id, began)
        self._ledger.acknowledge_attempt(acknowledged, attempted)
