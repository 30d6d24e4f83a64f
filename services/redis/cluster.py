"""A Redis Cluster: every command goes to the server that has its key's slot.

Each primary has a link of its own (services/redis/link.py). Which slots it has is read from the
cluster (`CLUSTER SLOTS`), and again whenever a server says that it is otherwise, or does not
answer. What was refused or not answered meanwhile is sent again, within the caller's time: every
write is idempotent.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice, repeat
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    TryAgainError,
)
from redis.exceptions import TimeoutError as SocketTimeout

from services.redis.link import Link
from services.redis.pipeline import Pipeline, Word
from services.redis.sentinels import Place
from services.redis.ways import OwnConnections, SharedConnection, Way
from services.together import all_together

_ANYBODY_SECONDS = 0.4
"""How long is waited for a server where another would do as well."""
_MAP_SECONDS = 0.5
"""How long a server may take to say who has which slots."""
_MOST_REDIRECTIONS = 5
"""Without a pause, should two servers say that it is the other one."""
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.2

_ABSENT = (ConnectionError, SocketTimeout, TimeoutError, OSError, RuntimeError)
"""What no answer looks like; uvloop has a RuntimeError for a connection that the peer has reset."""
_NOT_NOW = (AskError, TryAgainError, ClusterDownError, BusyLoadingError, *_ABSENT)
"""What a command is sent again for; MOVED is an AskError to redis-py."""

_SCRIPTED = frozenset(("EVALSHA", "EVAL"))
_KEYLESS = frozenset(("INFO", "PING", "PUBLISH", "PUBSUB", "TIME", "WAIT", "WAITAOF"))

_WHO = Pipeline()
_WHO.add("CLUSTER", "INFO")
_WHO.add("CLUSTER", "SLOTS")


def slot_of(key: Word) -> int:
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


class Cluster:
    """The way to all servers of a cluster."""

    def __init__(
        self,
        seeds: Sequence[Place],
        make_pool: Callable[[Place], ConnectionPool],
        *,
        silence: float,
    ) -> None:
        """`seeds`: some of its servers, who know the others; `silence` as for Link."""
        self.primaries: set[Place] = set()
        """The servers that have slots, as it was last heard."""
        self._seeds = seeds
        self._make_pool = make_pool
        self._silence = silence
        self._owners: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        """By slot."""
        self.replicas: set[Place] = set()
        """Those that follow them."""
        self._silent: set[Place] = set()
        """Those that did not answer when they were asked last."""
        self._servers: dict[Place, _Server] = {}
        """Those that we have dealt with."""
        self._mapping: asyncio.Task[Exception | None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def pool(self) -> ConnectionPool:
        return self.at(self._any()).pool

    def at(self, place: Place) -> "_Server":
        """The way to one server, whatever it has."""
        server = self._servers.get(place)
        if server is None:
            server = self._servers[place] = _Server(self._make_pool(place), self._silence)
        return server

    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        return await self._exchange(pipe, seconds, apart=False)

    @property
    def apart(self) -> Way:
        """The same on connections of their own: for what would make others wait."""
        return _Variant(self, lambda pipe, seconds: self._exchange(pipe, seconds, apart=True))

    @property
    def everywhere(self) -> Way:
        """To every server that has keys; with the replies of one of them."""
        return _Variant(self, self._exchange_everywhere)

    async def _exchange_everywhere(self, pipe: Pipeline, seconds: float) -> list[Any]:
        if not self.primaries:
            await self.look_around(seconds)
        outcomes = await all_together(
            _outcome(self.at(place).shared, pipe, seconds) for place in self.primaries
        )
        # Those who need a server that is away will hear so.
        replies = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
        return replies[0] if replies else outcomes

    async def drop(self) -> None:
        for server in list(self._servers.values()):
            await server.shared.drop()
            await server.own.drop()

    async def close(self) -> None:
        if self._mapping is not None:
            self._mapping.cancel()
        self._part_with(set(self._servers))
        if self._closing:
            await asyncio.wait(self._closing)

    async def _exchange(self, pipe: Pipeline, seconds: float, *, apart: bool) -> list[Any]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        plan = _Plan(pipe, is_whole=apart or pipe.is_atomic)
        pause = _FIRST_PAUSE
        told = 0
        while True:
            if not self.primaries:
                await self.look_around(deadline - clock())
            was_told = await self._try(plan, deadline - clock(), apart)
            if not plan.runs or clock() + pause >= deadline:
                return plan.outcome()
            told += was_told
            if was_told and told < _MOST_REDIRECTIONS:
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            with suppress(*_ABSENT):
                await self.look_around(deadline - clock())

    async def _try(self, plan: "_Plan", seconds: float, apart: bool) -> bool:
        """Ask for all that has no reply yet; whether what is left was told to go elsewhere."""
        by_place: dict[Place, list[_Run]] = {}
        was_told = True
        for run in plan.runs:
            place = run.asking or (self._any() if run.slot is None else self._owners[run.slot])
            if place is None:
                run.failure = ClusterDownError("Hash slot not served", status_code="CLUSTERDOWN")
                was_told = False
            else:
                by_place.setdefault(place, []).append(run)
        answers = await all_together(
            _outcome(self.at(place).way(apart), plan.request(runs), _patience(runs, seconds))
            for place, runs in by_place.items()
        )
        for (place, runs), answer in zip(by_place.items(), answers, strict=True):
            if isinstance(answer, Exception):
                self._silent.add(place)
            else:
                self._silent.discard(place)
            replies = repeat(answer) if isinstance(answer, Exception) else iter(answer)
            for run in runs:
                refusal = plan.take(run, list(islice(replies, plan.size(run))))
                if isinstance(refusal, AskError):
                    self._redirect(run, refusal, place)
                elif refusal is not None:
                    was_told = False
        plan.runs = [run for run in plan.runs if run.indices]
        return was_told

    def _redirect(self, run: "_Run", refusal: AskError, told_by: Place) -> None:
        # Without a host it is the same one.
        place = (refusal.host or told_by[0], refusal.port)
        if isinstance(refusal, MovedError):
            run.asking = None
            self._owners[refusal.slot_id] = place
            self.primaries.add(place)
            # It is hardly the only slot that has moved.
            self._start_mapping()
        else:
            run.asking = place

    @property
    def owners(self) -> Sequence[Place | None]:
        """The server that has each slot, as it was last heard."""
        return self._owners

    def _any(self) -> Place:
        """A server that is likely to answer."""
        places = self.primaries - self._silent or self.primaries or self._seeds
        return random.choice(sorted(places))  # noqa: S311

    # Who has which slots

    async def look_around(self, seconds: float) -> None:
        """Read it anew, together with all who want to. Raises ConnectionError or TimeoutError."""
        mapping = self._start_mapping()
        await asyncio.wait([mapping], timeout=max(seconds, 0))
        if not mapping.done():
            raise SocketTimeout("The cluster did not answer in time.")
        if (failure := mapping.result()) is not None:
            raise failure

    def _start_mapping(self) -> "asyncio.Task[Exception | None]":
        if self._mapping is None or self._mapping.done():
            self._mapping = asyncio.create_task(self._read_map(), name="cluster-map")
        return self._mapping

    async def _read_map(self) -> Exception | None:
        """Ask all primaries that are known, then all others; why nobody answers."""
        known = self.primaries or set(self._seeds)
        failure: Exception | None = None
        for places in (known, (set(self._seeds) | self.replicas) - known):
            asking = [asyncio.create_task(self._map_of(place)) for place in places]
            doubtful = None
            try:
                for told in asyncio.as_completed(asking):
                    outcome = await told
                    if isinstance(outcome, Exception):
                        failure = outcome
                    elif outcome.is_doubtful:
                        doubtful = outcome
                    else:
                        self._note(outcome)
                        return None
            finally:
                for task in asking:
                    task.cancel()
            if doubtful is not None:
                self._note(doubtful)
                return None
        return failure

    async def _map_of(self, place: Place) -> "_Map | Exception":
        """As one server has it."""
        outcome = await _outcome(self.at(place).shared, _WHO, _MAP_SECONDS)
        if isinstance(outcome, Exception):
            return outcome
        state, ranges = outcome
        for reply in outcome:
            if isinstance(reply, Exception):
                return reply
        return _Map(place, ranges, is_doubtful=b"cluster_state:ok" not in state)

    def _note(self, told: "_Map") -> None:
        self._owners, self.primaries, self.replicas = told.owners, told.primaries, told.replicas
        self._part_with(set(self._servers) - told.primaries - told.replicas)

    def _part_with(self, places: set[Place]) -> None:
        for place in places:
            task = asyncio.create_task(self._servers.pop(place).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class _Server:
    """One server, and the ways to it."""

    def __init__(self, pool: ConnectionPool, silence: float) -> None:
        self.pool = pool
        self.shared: Way = SharedConnection(Link(pool.make_connection, silence=silence))
        self.own: Way = OwnConnections(Redis.from_pool(pool))

    def way(self, apart: bool) -> Way:
        return self.own if apart else self.shared

    async def close(self) -> None:
        await self.shared.close()
        await self.pool.aclose()


class _Variant:
    """The way to a cluster for pipelines of some kind."""

    def __init__(
        self, cluster: Cluster, exchange: Callable[[Pipeline, float], Awaitable[list[Any]]]
    ) -> None:
        self._cluster = cluster
        self._exchange = exchange

    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        return await self._exchange(pipe, seconds)

    async def drop(self) -> None:
        """The cluster's own way does that."""

    async def close(self) -> None:
        """As well."""


class _Map:
    """Which server has which slots."""

    def __init__(self, told_by: Place, ranges: list[Any], *, is_doubtful: bool) -> None:
        """`ranges` as CLUSTER SLOTS has them; a server without a host is the one that is asked."""
        self.is_doubtful = is_doubtful
        """Told by somebody who may be cut off from the cluster, and not know what happened."""
        self.owners: list[Place | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        self.primaries: set[Place] = set()
        self.replicas: set[Place] = set()
        for first, last, *servers in ranges:
            primary, *replicas = (
                (host.decode() if host else told_by[0], port) for host, port, *_ in servers
            )
            self.owners[first : last + 1] = [primary] * (last + 1 - first)
            self.primaries.add(primary)
            self.replicas.update(replicas)


class _Run:
    """Commands of one slot, in their order."""

    def __init__(self, slot: int | None) -> None:
        self.slot = slot
        """None where there is no key: any server does."""
        self.indices: list[int] = []
        """Those without a reply, as the plan numbers its commands."""
        self.asking: Place | None = None
        """Where to ask for the next of them, while its slot is on the move."""
        self.failure: Exception | None = None
        """Why the next of them has none."""


def _patience(runs: Sequence[_Run], seconds: float) -> float:
    return min(seconds, _ANYBODY_SECONDS) if all(run.slot is None for run in runs) else seconds


class _Plan:
    """The commands of a pipeline, the replies so far, and what has to be asked yet."""

    def __init__(self, pipe: Pipeline, *, is_whole: bool) -> None:
        """`is_whole`: what is sent again is all of it, so that it stays on one connection."""
        self._is_atomic = pipe.is_atomic
        self._is_whole = is_whole
        self._commands, self._sizes = _split(pipe.commands)
        self._replies: list[Any] = [None] * len(self._commands)
        runs: dict[int | None, _Run] = {}
        slot: int | None = None
        for index, command in enumerate(self._commands):
            key = _key_of(command)
            # What has no key belongs to what comes before, as a WAIT does.
            slot = slot if key is None else slot_of(key)
            if slot not in runs:
                runs[slot] = _Run(slot)
            runs[slot].indices.append(index)
        self.runs = list(runs.values())
        if is_whole and len(self.runs) > 1:
            raise ValueError("What is done in one step has its keys in one slot.")

    def size(self, run: _Run) -> int:
        """How many replies there are to what is requested of a run."""
        return len(self._next(run)) * (1 if run.asking is None else 2)

    def request(self, runs: Sequence[_Run]) -> Pipeline:
        pipe = Pipeline(atomic=self._is_atomic)
        for run in runs:
            for index in self._next(run):
                if run.asking is not None:
                    pipe.add("ASKING")
                pipe.commands.append(self._commands[index])
        return pipe

    def take(self, run: _Run, replies: list[Any]) -> Exception | None:
        """Note the replies to what was requested of a run; why the rest has to be asked again."""
        if run.asking is not None:
            replies = replies[1::2]
        refusals = [reply for reply in replies if isinstance(reply, _NOT_NOW)]
        if self._is_whole and refusals:
            replies = refusals
        elif self._is_atomic:
            # What is refused as a whole may have fewer replies.
            replies = [*replies, *replies[-1:] * (len(run.indices) - len(replies))]
        for reply in replies:
            if isinstance(reply, _NOT_NOW):
                run.failure = reply
                return reply
            self._replies[run.indices.pop(0)] = reply
        run.asking = None
        return None

    def _next(self, run: _Run) -> Sequence[int]:
        """What may be asked now: of a slot that is on the move, each key may be elsewhere."""
        return run.indices if run.asking is None or self._is_whole else run.indices[:1]

    def outcome(self) -> list[Any]:
        """The reply to each command of the pipeline; failures as exceptions among them."""
        for run in self.runs:
            failure = run.failure or SocketTimeout("The cluster did not answer in time.")
            for index in run.indices:
                self._replies[index] = failure
        replies = iter(self._replies)
        return [
            next(replies) if size is None else _joined([next(replies) for _ in range(size)])
            for size in self._sizes
        ]


_Answer = list[Any] | Exception
"""Replies, or why there are none."""


async def _outcome(way: Way, pipe: Pipeline, seconds: float) -> _Answer:
    try:
        return await way.exchange(pipe, seconds)
    except Exception as error:
        return error


def _key_of(command: Sequence[Word]) -> Word | None:
    """The key that says where a command belongs; its others, if any, share the slot."""
    name = command[0]
    if name in _SCRIPTED:
        return command[3] if command[2] else None
    return None if name in _KEYLESS else command[1]


def _split(
    commands: Sequence[tuple[Word, ...]],
) -> tuple[list[tuple[Word, ...]], list[int | None]]:
    """The commands with each MGET of several slots in pieces; and how many pieces each became,
    None for one that stayed as it was."""
    pieces: list[tuple[Word, ...]] = []
    sizes: list[int | None] = []
    for command in commands:
        if command[0] == "MGET" and len(set(map(slot_of, command[1:]))) > 1:
            pieces += [("GET", key) for key in command[1:]]
            sizes.append(len(command) - 1)
        else:
            pieces.append(command)
            sizes.append(None)
    return pieces, sizes


def _joined(replies: list[Any]) -> Any:
    return next((reply for reply in replies if isinstance(reply, Exception)), replies)
