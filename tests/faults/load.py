"""The load: users who send, and subscribers who follow, while something breaks."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import httpx

from application.loadtest.ledger import Count, Told
from tests.faults.callers import GENERAL, PRIVATE, ROOMS, Account, Caller
from tests.faults.ledger import Ledger, Stream
from tests.faults.sender import Sender
from tests.faults.subscriber import EVENTS, MESSAGE_ADDED, Subscriber

SENDERS = {"Pablo": (GENERAL, PRIVATE), "Joe": (GENERAL, PRIVATE), "Mary": (GENERAL,)}
LANES = 2
"""How many messages each of them has on the way at a time."""

_PATIENCE_SECONDS = 30.0
_LOWEST_RATE = 20
"""Messages in a second."""

_SETTLE_SECONDS = 20.0
_QUIET_SECONDS = 0.3
"""After the last message there may still be one too many."""

_CONNECTIONS = 30
_POLLING_SECONDS = 0.05


class Load:
    """Senders and subscribers on some servers, until so many messages are acknowledged.

    `copies` is how often each message is sent, `pause` the mean number of seconds between two
    messages of a sender, `text` what they say.
    """

    def __init__(
        self,
        urls: Sequence[str],
        messages: int,
        *,
        copies: int = 1,
        pause: float = 0.03,
        text: str = "",
    ) -> None:
        self.ledger = Ledger()
        self.subscribers: list[Subscriber] = []
        self.is_anew = False
        self.may_reload = False
        """Whether cursors may expire, as the store may lose what was told and not acknowledged."""
        self._urls = urls
        self._messages = messages
        self._copies = copies
        self._pause = pause
        self._text = text
        # Verification would load the certificates of the world, for nothing.
        self._http = httpx.AsyncClient(
            verify=False, limits=httpx.Limits(max_connections=_CONNECTIONS)
        )
        self._accounts = {name: Account(name) for name in ROOMS}
        self._stopped = asyncio.Event()
        self._sending: list[asyncio.Task[None]] = []
        self._following: list[asyncio.Task[None]] = []
        self._fault_ended: float | None = None

    async def begin(self) -> None:
        for name, account in self._accounts.items():
            await account.log_in(self.caller(name))
        self.follow("Alex", MESSAGE_ADDED, room_id=GENERAL)
        self.follow("Joe", MESSAGE_ADDED, room_id=PRIVATE)
        self.follow("Joe", MESSAGE_ADDED)
        self.follow("Pablo", EVENTS)
        self.follow("Mary", EVENTS)
        await self.connected()
        for name, room_ids in SENDERS.items():
            for _ in range(LANES):
                self.send(name, room_ids, pause=self._pause)

    def send(self, name: str, room_ids: Sequence[str], *, pause: float) -> None:
        """Add a sender."""
        sender = Sender(
            f"{name}-{len(self._sending)}",
            [self.caller(name) for _ in range(self._copies)],
            room_ids,
            self.ledger,
            pause=pause,
            text=self._text,
        )
        self._sending.append(asyncio.create_task(sender.run(self._stopped)))

    def follow(
        self,
        name: str,
        document: str,
        *,
        room_id: str | None = None,
        receive_buffer: int | None = None,
        cursor: str | None = None,
        urls: Sequence[str] = (),
    ) -> Subscriber:
        """Add a subscriber."""
        rooms = ROOMS[name] if room_id is None else (room_id,)
        stream = Stream(f"{name} ({room_id or 'all rooms'}, {len(self.subscribers)})", rooms)
        subscriber = Subscriber(
            self.caller(name, urls),
            stream,
            document,
            room_id=room_id,
            receive_buffer=receive_buffer,
            cursor=cursor,
        )
        self.ledger.streams.append(stream)
        self.subscribers.append(subscriber)
        self._following.append(asyncio.create_task(subscriber.run()))
        return subscriber

    async def connected(self) -> None:
        """Wait until all subscribers are connected."""
        await self.until(
            lambda: all(subscriber.is_connected.is_set() for subscriber in self.subscribers),
            "Not all subscribers are connected",
        )

    def caller(self, name: str, urls: Sequence[str] = ()) -> Caller:
        return Caller(self._http, urls or self._urls, self._accounts[name])

    async def reach(self, share: float) -> None:
        """Wait until this share of the messages is acknowledged."""
        number = self._messages * share
        await self.until(
            lambda: len(self.ledger.acknowledged) >= number,
            f"There are no {number:.0f} acknowledged messages",
            _PATIENCE_SECONDS + number / _LOWEST_RATE,
        )

    def begin_anew(self) -> None:
        """The store has just lost what it knew: count what is acknowledged from now on."""
        self.is_anew = True
        self.ledger.forget_before(time.monotonic())

    def expect_recovery(self, since: float | None = None) -> None:
        """Measure from now, or from a moment before, how long it takes until all is well."""
        self._fault_ended = time.monotonic() if since is None else since

    @property
    def seconds_to_recover(self) -> float | None:
        if self._fault_ended is None:
            return None
        recovered = self.ledger.recovered_at(self._fault_ended)
        return None if recovered is None else recovered - self._fault_ended

    @property
    def refusals(self) -> list[str]:
        """Sessions, rooms and cursors that had been good."""
        return [refusal for account in self._accounts.values() for refusal in account.refusals]

    async def finish(self) -> Count:
        """Reach the number of messages and a recovery, let all settle, and count."""
        await self.reach(1)
        if self._fault_ended is not None:
            await self.until(lambda: self.seconds_to_recover is not None, "It does not recover")
        self._stopped.set()
        await self.until(
            lambda: all(task.done() for task in self._sending), "Messages are not acknowledged"
        )
        with suppress(TimeoutError):  # The count will tell.
            await self.until(self.ledger.is_complete, "Messages are missing", _SETTLE_SECONDS)
        await asyncio.sleep(_QUIET_SECONDS)
        return self.ledger.count(await self._history())

    async def _history(self) -> dict[str, list[Told]]:
        """All rooms, each read by somebody who may see it."""
        readers = {room_id: name for name, room_ids in ROOMS.items() for room_id in room_ids}
        return {
            room_id: await self.caller(name).history(room_id) for room_id, name in readers.items()
        }

    async def until(
        self, condition: Callable[[], bool], otherwise: str, seconds: float = _PATIENCE_SECONDS
    ) -> None:
        """Wait for a condition while the load goes on."""
        deadline = time.monotonic() + seconds
        while not condition():
            self._raise_failures()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{otherwise} after {seconds} seconds.")
            await asyncio.sleep(_POLLING_SECONDS)

    def _raise_failures(self) -> None:
        for task in (*self._sending, *self._following):
            if task.done():
                task.result()

    async def end(self) -> None:
        tasks = (*self._sending, *self._following)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()
