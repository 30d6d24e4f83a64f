"""A drill: servers on a store, a load on top, and what came of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from application.loadtest.ledger import Count
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.report import Result
from tests.faults.stores import FaultStore
from tests.ports import free_port
from tests.servers import Server, start_server


class Harmed(Protocol):
    """What a drill is about: a store, or several that are one to the servers."""

    name: str

    @property
    def url(self) -> str:
        """What the servers are told."""
        ...


StoreT = TypeVar("StoreT", bound=Harmed)
FaultStoreT = TypeVar("FaultStoreT", bound=FaultStore)

_SAMPLING_SECONDS = 0.2


class Node:
    """A server that keeps its address over several lives."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.peak_megabytes = 0.0
        self._settings = {"PORT": str(self._port), **settings}
        self._lives: list[Server] = []

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    @property
    def pid(self) -> int:
        return self._lives[-1].process.pid

    @property
    def output(self) -> str:
        return "".join(life.output for life in self._lives)

    async def start(self) -> None:
        self._lives.append(await asyncio.to_thread(start_server, self._settings))

    async def kill(self) -> None:
        self.measure()
        await asyncio.to_thread(self._lives[-1].kill)

    async def stop(self) -> tuple[int, float]:
        """End it with SIGTERM; its exit status, and the seconds that it took."""
        self.measure()
        began = time.monotonic()
        status = await asyncio.to_thread(self._lives[-1].stop)
        return status, time.monotonic() - began

    async def close(self) -> None:
        if self._lives and self._lives[-1].process.poll() is None:
            await self.kill()

    def measure(self) -> None:
        self.peak_megabytes = max(self.peak_megabytes, megabytes_of(self.pid, "VmHWM"))


@dataclass(frozen=True)
class Plan:
    """What does not depend on the store of a drill."""

    scenario: str
    messages: int
    is_timed: bool
    settings: Mapping[str, str]
    """Of all servers, beside those that `serve` is given."""
    record: Callable[[Result], None]


class Drill(Generic[StoreT]):
    """One scenario."""

    recovery_seconds = 3.0
    """What it may take; only where times count."""
    has_one_clock = True
    """Whether the positions of all rooms are in one order."""

    def __init__(self, store: StoreT, plan: Plan) -> None:
        self.store = store
        self.nodes: list[Node] = []
        self._fronts: list[Proxy] = []
        self._plan = plan

    async def serve(self, number: int, **settings: str) -> list[Node]:
        """Start so many servers."""
        settings = {
            "REDIS_ENDPOINT_URL": await self._store_url(),
            **self._plan.settings,
            **settings,
        }
        self.nodes = [Node(settings) for _ in range(number)]
        for node in self.nodes:
            await node.start()
        return self.nodes

    async def front(self, node: Node) -> Proxy:
        """A proxy for clients of a server."""
        front = Proxy(node.address)
        self._fronts.append(front)
        await front.open()
        return front

    @asynccontextmanager
    async def load(
        self, *, at_least: int = 0, copies: int = 1, pause: float = 0.03, text: str = ""
    ) -> AsyncIterator[Load]:
        """A load on all servers; when the block is through, all is counted and has to be well."""
        urls = [node.url for node in self.nodes]
        messages = max(self._plan.messages, at_least)
        load = Load(urls, messages, copies=copies, pause=pause, text=text)
        load.ledger.one_clock = self.has_one_clock
        sampler = asyncio.create_task(self._sample_memory())
        try:
            await load.begin()
            yield load
            count = await load.finish()
        finally:
            sampler.cancel()
            await load.end()
        self._conclude(load, count)

    async def close(self) -> None:
        for node in self.nodes:
            await node.close()
        for front in self._fronts:
            await front.close()

    async def _store_url(self) -> str:
        return self.store.url

    async def _sample_memory(self) -> None:
        """Again and again, as some of the processes will be killed."""
        while True:
            for node in self.nodes:
                node.measure()
            await asyncio.sleep(_SAMPLING_SECONDS)

    def _conclude(self, load: Load, count: Count) -> None:
        seconds = load.seconds_to_recover
        self._plan.record(
            Result(
                self._plan.scenario,
                self.store.name,
                len(load.ledger.acknowledged),
                len(count.lost),
                len(count.duplicated),
                len(count.reordered),
                seconds,
                max(node.peak_megabytes for node in self.nodes),
            )
        )
        assert not str(count), f"\n{count}"
        for node in self.nodes:
            assert "Traceback" not in node.output
        if not load.is_anew:
            refusals = load.refusals
            if load.may_reload:
                refusals = [refusal for refusal in refusals if not refusal.startswith("cursor ")]
            assert refusals == []
        if self._plan.is_timed and seconds is not None:
            assert seconds < self.recovery_seconds


class ProxiedDrill(Drill[FaultStoreT]):
    """One with a proxy between the servers and the store."""

    @cached_property
    def proxy(self) -> Proxy:
        return Proxy(self.store.address)

    async def close(self) -> None:
        await super().close()
        await self.proxy.close()

    async def _store_url(self) -> str:
        await self.proxy.open()
        return self.store.url_through(self.proxy.address)


def megabytes_of(pid: int, field: str) -> float:
    """VmRSS or VmHWM, its highest value so far, of a process; 0 when that has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return 0.0
