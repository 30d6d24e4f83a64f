"""The load: subscribers in some rooms, and messages that come to them at a rate."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from application.loadtest.connection import Connection, Refused, connected
from application.loadtest.ledger import Acknowledged, Count, Ledger, Stream, Told
from services.cursors import decode
from services.errors import OperatorError
from services.tasks import stop

_SENDERS = 4
_CONNECTING_AT_ONCE = 20
_SETTLE_SECONDS = 10.0
_QUIET_SECONDS = 0.3
"""After the last message there may still be one too many."""
_POLL_SECONDS = 0.05

_LOG_IN = "mutation ($input: LoginInput!) { login(input: $input) { token } }"
_EDGE = "cursor node { id clientMessageId }"
_FOLLOW = (
    f"subscription ($room: ID!, $after: String) {{ messageAdded(roomId: $room, after: $after)"
    f" {{ {_EDGE} }} }}"
)
_SEND = (
    "mutation ($input: SendMessageInput!)"
    f" {{ sendMessage(input: $input) {{ edge {{ {_EDGE} }} }} }}"
)


@dataclass(frozen=True, slots=True)
class Plan:
    url: str
    username: str
    password: str
    room_ids: Sequence[str]
    subscribers: int
    rate: float
    """Messages in a second."""
    seconds: float


@dataclass(slots=True)
class Report:
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Messages by the code of the refusal."""
    deliveries: int = 0
    count: Count = field(default_factory=Count)
    sends: list[float] = field(default_factory=list)
    """Seconds until each message was acknowledged, from when it was due."""
    delays: list[float] = field(default_factory=list)
    """Seconds until each message came to each subscriber, from when it was due."""


async def run(plan: Plan) -> Report:
    """Raises OperatorError when the server cannot be used, or gives up."""
    return await _Load(plan).run()


class _Load:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._name = f"load test {secrets.token_hex(4)}"
        self._ledger = Ledger()
        self._history: dict[str, list[Told]] = {room_id: [] for room_id in plan.room_ids}
        self._report = Report()
        self._connections: list[Connection] = []

    async def run(self) -> Report:
        plan = self._plan
        async with AsyncExitStack() as stack:
            async with connected(plan.url) as nobody:
                login = {"username": plan.username, "password": plan.password}
                token = (await nobody.ask(_LOG_IN, input=login))["login"]["token"]
            senders = [await self._connect(stack, token) for _ in range(_SENDERS)]
            cursor = (await senders[0].ask("{ eventCursor }"))["eventCursor"]
            places = asyncio.Semaphore(_CONNECTING_AT_ONCE)

            async def subscribe(number: int) -> None:
                async with places:
                    await self._subscribe(await self._connect(stack, token), number, cursor)

            await asyncio.gather(*map(subscribe, range(plan.subscribers)))
            await self._send_all(senders)
            await self._settle()
        self._tally()
        return self._report

    async def _connect(self, stack: AsyncExitStack, token: str) -> Connection:
        connection = await stack.enter_async_context(connected(self._plan.url, token))
        self._connections.append(connection)
        return connection

    async def _subscribe(self, connection: Connection, number: int, cursor: str) -> None:
        room_id = self._plan.room_ids[number % len(self._plan.room_ids)]
        stream = Stream(f"subscriber {number + 1}", (room_id,))
        self._ledger.streams.append(stream)

        def take(data: dict[str, Any]) -> None:
            told = _told(data["messageAdded"], room_id)
            # Others may be talking in the room meanwhile.
            if told.key.startswith(self._name):
                stream.take(told, time.monotonic())

        await connection.follow(take, _FOLLOW, room=room_id, after=cursor)

    async def _send_all(self, senders: Sequence[Connection]) -> None:
        """At the rate, whether answers come or not: a slow server gets no less to do."""
        plan = self._plan
        began = time.monotonic()
        sending: list[asyncio.Task[None]] = []
        try:
            for number in range(round(plan.rate * plan.seconds)):
                due = began + number / plan.rate
                await asyncio.sleep(max(0, due - time.monotonic()))
                self._raise_failures()
                room_id = plan.room_ids[number % len(plan.room_ids)]
                sender = senders[number % len(senders)]
                key = f"{self._name} {number + 1}"
                sending.append(asyncio.create_task(self._send(sender, room_id, key, due)))
            await asyncio.gather(*sending)
        finally:
            await stop(*sending)

    async def _send(self, sender: Connection, room_id: str, key: str, due: float) -> None:
        message = {"roomId": room_id, "text": key, "clientMessageId": key}
        try:
            data = await sender.ask(_SEND, input=message)
        except Refused as refused:
            self._report.refused[refused.code] += 1
            return
        except OperatorError:
            return  # The connection has ended, which is told when it is looked at next.
        self._report.sends.append(time.monotonic() - due)
        told = _told(data["sendMessage"]["edge"], room_id)
        self._history[room_id].append(told)
        self._ledger.acknowledge(Acknowledged(key, room_id, told.message_id, due))

    async def _settle(self) -> None:
        with suppress(TimeoutError):  # The count will tell.
            async with asyncio.timeout(_SETTLE_SECONDS):
                while not self._ledger.is_complete():
                    self._raise_failures()
                    await asyncio.sleep(_POLL_SECONDS)
        await asyncio.sleep(_QUIET_SECONDS)

    def _raise_failures(self) -> None:
        for connection in self._connections:
            if connection.failure is not None:
                raise connection.failure

    def _tally(self) -> None:
        report, ledger = self._report, self._ledger
        report.acknowledged = len(ledger.acknowledged)
        report.deliveries = sum(len(stream.told) for stream in ledger.streams)
        report.count = ledger.count(self._history)
        report.delays = [
            at - ledger.acknowledged[key].first_sent
            for stream in ledger.streams
            for key, at in stream.arrivals.items()
            if key in ledger.acknowledged
        ]
        if not report.acknowledged and not report.refused:
            raise OperatorError("No message was sent: give more --rate or --seconds.")


def _told(edge: dict[str, Any], room_id: str) -> Told:
    node = edge["node"]
    position = decode(edge["cursor"], "cursor").position
    return Told(node["clientMessageId"] or "", room_id, node["id"], position)
