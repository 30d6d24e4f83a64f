"""The store: commands, pipelines and Lua scripts, each call within its time or Unavailable."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import (
    ConnectionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import TimeoutError as SocketTimeout
from redis.maint_notifications import MaintNotificationsConfig

from services import keys
from services.durations import Durations
from services.errors import OperatorError, Unavailable
from services.redis.cluster import Cluster
from services.redis.durability import Durability, NotDurable
from services.redis.endpoints import Endpoint
from services.redis.epochs import ClusterEpochs, Epochs
from services.redis.link import Link
from services.redis.pipeline import Pipeline, Word
from services.redis.sentinels import Place, Sentinels
from services.redis.store_errors import translated
from services.redis.ways import OwnConnections, SharedConnection, Way
from services.tasks import stop

_SCRIPTS = {
    path.stem: path.read_text() for path in (Path(__file__).parent.parent / "lua").glob("*.lua")
}
_SHA = {name: sha1(text.encode()).hexdigest() for name, text in _SCRIPTS.items()}  # noqa: S324
_NAMES: dict[Word, str] = {sha: name for name, sha in _SHA.items()}

_BUDGET_SECONDS = 1.6
"""What a call may take in all: the wait for a connection, retries, loading the scripts again."""
_SOCKET_SECONDS = 1.0
"""Short enough for another try within the budget when the peer of a connection has vanished."""
_CONNECT_SECONDS = 0.5
_PATIENCE = {"socket_timeout": _SOCKET_SECONDS, "socket_connect_timeout": _CONNECT_SECONDS}
_POOL_SIZE = 128
PROBE_SECONDS = 60
_SCAN_COUNT = 500
_BOUNDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class StoreError(OperatorError):
    """The store that the settings name cannot be used."""


class Store:
    """A Redis or Valkey. Text in and out is bytes: what others wrote need not be UTF-8.

    Every call raises Unavailable when the store cannot be reached or does not take the write.
    Pipelines that are executed in the same turn of the event loop share a round trip.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        shared: Link | None = None,
        cluster: Cluster | None = None,
        epochs: Epochs | None = None,
        sentinels: Sentinels | None = None,
    ) -> None:
        """`redis` is for plain commands of redis-py and, without one of the others, for all."""
        self.redis = redis
        self.epochs = epochs or Epochs()
        self._cluster = cluster
        self._sentinels = sentinels
        self._watching: asyncio.Task[None] | None = None
        self.durations = Durations(_BOUNDS)
        """Of the calls that were answered, waiting and retries included."""
        self.failures = 0
        """Calls that ended with Unavailable."""
        self._pool: Way = OwnConnections(redis) if cluster is None else cluster.apart
        self._way: Way = self._pool if shared is None else SharedConnection(shared)
        if cluster is not None:
            self._way = cluster

    @classmethod
    def from_url(cls, url: str, password: str | None = None) -> "Store":
        """`url` as `endpoints.as_url` has it; `password` counts where it has none."""
        endpoint = Endpoint.from_url(url, password)
        if endpoint.servers:
            return cls._of_cluster(endpoint)
        epochs = Epochs()
        pool = _pool({"redis_connect_func": epochs.greet, **endpoint.options})
        return cls(
            Redis.from_pool(pool),
            shared=Link(pool.make_connection, silence=_SOCKET_SECONDS),
            epochs=epochs,
            sentinels=endpoint.sentinels,
        )

    @classmethod
    def _of_cluster(cls, endpoint: Endpoint) -> "Store":
        epochs = ClusterEpochs()

        def pool_of(place: Place) -> ConnectionPool:
            host, port = place
            ours = {"redis_connect_func": epochs.greet, "host": host, "port": port}
            return _pool({**endpoint.options, **ours})

        nodes = [ClusterNode(host, port) for host, port in endpoint.servers]
        options = {**_PATIENCE, **endpoint.options, "driver_info": None}
        is_tls = options.pop("connection_class") is SSLConnection
        client = RedisCluster(startup_nodes=nodes, ssl=is_tls, **options)
        # It has the commands of the client of one server, and sends them where they belong.
        redis = cast(Redis, client)
        cluster = Cluster(endpoint.servers, pool_of, silence=_SOCKET_SECONDS)
        return cls(redis, cluster=cluster, epochs=epochs)

    @property
    def is_cluster(self) -> bool:
        """Whether the keys are on several servers, each with a clock of its own."""
        return self._cluster is not None

    @property
    def epoch(self) -> str:
        """The present epoch, part of every cursor."""
        return self.epochs.current

    async def open(self) -> None:
        """Load the scripts and read the epoch, which an empty store gets anew."""
        if self._sentinels is not None and self._watching is None:
            self._watching = asyncio.create_task(self._sentinels.watch(), name="sentinels")
        await self._execute(_loading(), self._loader(self._way))
        await self.epochs.refresh(self)

    async def close(self) -> None:
        if self._watching is not None:
            await stop(self._watching)
        await self._way.close()
        # What a stopped store was sent last may never leave.
        with suppress(RedisError):
            await self.redis.aclose()
        if self._sentinels is not None:
            await self._sentinels.close()

    def reroute(self, through: Callable[[Way], Way]) -> None:
        """Have all pipelines pass through something of the caller's on their way."""
        self._way, self._pool = through(self._way), through(self._pool)

    def pool_at(self, place: Place | None = None) -> ConnectionPool:
        """Of connections to the store; on a cluster to the server at a place, or to any."""
        if self._cluster is None:
            return self.redis.connection_pool
        return self._cluster.pool if place is None else self._cluster.at(place).pool

    @property
    def primaries(self) -> set[Place]:
        """The servers of a cluster that have keys, as it was last heard."""
        return set() if self._cluster is None else self._cluster.primaries

    def has_parted_with(self, place: Place | None) -> bool:
        """Whether a server of the cluster has no keys any more."""
        return self.is_cluster and place not in self.primaries

    @property
    def replicas(self) -> set[Place]:
        """Those that follow them."""
        return set() if self._cluster is None else self._cluster.replicas

    @property
    def owners(self) -> Sequence[Place | None]:
        """The server of a cluster that has each slot, as it was last heard."""
        return () if self._cluster is None else self._cluster.owners

    def lonely_connection(self, place: Place | None = None) -> AbstractConnection:
        """A connection like the others, which breaks when it breaks: redis-py would connect again
        without telling anyone of the gap.

        Invalidations come as messages in RESP 2 only. On a cluster it leads to the server at a
        place, or to any.
        """
        pool = self.pool_at(place)
        options = {
            **pool.connection_kwargs,
            "protocol": 2,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
            "retry": Retry(NoBackoff(), 0),
        }
        return pool.connection_class(**options)

    async def drop_connections(self) -> None:
        """Make new ones from now on: those that there are may be dead without saying so."""
        await self._way.drop()
        await self._pool.drop()

    async def ping(self) -> None:
        """Raise RedisError, which says why, when the store does not answer."""
        pipe = self.pipeline()
        pipe.add("PING")
        for reply in await self._way.exchange(pipe, _BUDGET_SECONDS):
            if isinstance(reply, Exception):
                raise reply

    async def check_writable(self) -> None:
        """Raise Unavailable, saying why, when the store takes no write now."""
        await self.call("SET", keys.PROBE, 1, "EX", PROBE_SECONDS)

    async def look_around(self) -> None:
        """Learn anew which servers a cluster has. Raises Unavailable."""
        if self._cluster is None:
            return
        try:
            await self._cluster.look_around(_BUDGET_SECONDS)
        except (RedisError, OSError) as error:
            raise translated(error) from error

    async def call_at(
        self, place: Place | None, *command: Word, seconds: float = _SOCKET_SECONDS
    ) -> Any:
        """Run one command on the server of a cluster at a place, be it the one that has the key or
        not; without a place as `call`."""
        if self._cluster is None or place is None:
            return await self.call(*command)
        pipe = self.pipeline()
        pipe.add(*command)
        try:
            (reply,) = await self._cluster.at(place).shared.exchange(pipe, seconds)
        except Exception as error:
            reply = error
        if isinstance(reply, Exception):
            raise translated(reply)
        return reply

    async def scan(self, pattern: str, kind: str) -> AsyncIterator[str]:
        """The names of all keys of a kind that match. One may come twice, when the store grows, and
        on a cluster be missed when its slot moves. Raises Unavailable."""
        await self.look_around()
        places: list[Place | None] = [*sorted(self.primaries)]
        for place in places or [None]:
            cursor = b"0"
            while True:
                words = ("SCAN", cursor, "MATCH", pattern, "COUNT", _SCAN_COUNT, "TYPE", kind)
                cursor, found = await self.call_at(place, *words)
                for name in found:
                    yield name.decode(errors="replace")
                if cursor == b"0":
                    break

    def pipeline(self, *, atomic: bool = False) -> Pipeline:
        return Pipeline(atomic=atomic)

    def add(self, pipe: Pipeline, script: str, keys: Sequence[str], *args: Word) -> None:
        """Queue a script of `lua/` on a pipeline."""
        pipe.add("EVALSHA", _SHA[script], len(keys), *keys, *args)

    def clock(self, log: str) -> str:
        """The key of the clock that gives a log (`room:0`, `user:4`) its positions."""
        return keys.log_clock(log) if self.is_cluster else keys.CLOCK

    async def call(self, *command: Word) -> Any:
        """Run one command."""
        pipe = self.pipeline()
        pipe.add(*command)
        (reply,) = await self.execute(pipe)
        return reply

    async def run(self, script: str, keys: Sequence[str], *args: Word) -> Any:
        """Run a script of `lua/`."""
        return await self.call("EVALSHA", _SHA[script], len(keys), *keys, *args)

    async def run_for_all(self, script: str, records: Sequence[Sequence[str]]) -> list[Any]:
        """Run a script on the keys of some records, which returns a list for all of them.

        In one call; on a cluster, where they are in different slots, in one for each record.
        """
        pipe = self.pipeline()
        if self.is_cluster:
            for names in records:
                self.add(pipe, script, names)
        else:
            self.add(pipe, script, [name for names in records for name in names])
        return [item for reply in await self.execute(pipe) for item in reply]

    async def run_durably(
        self, durability: Durability, script: str, keys: Sequence[str], *args: Word
    ) -> Any:
        """Run a script and wait until what it wrote is as safe as is asked.

        Raises NotDurable when that takes too long; the write is done all the same.
        """
        if not durability.commands:
            return await self.run(script, keys, *args)
        pipe = self.pipeline()
        self.add(pipe, script, keys, *args)
        for command in durability.commands:
            pipe.add(*command)
        # On a connection of its own: whoever came after it would have to wait, too.
        reply, *safe = await self._execute(pipe, self._pool)
        if not durability.is_reached(safe):
            raise NotDurable
        return reply

    async def execute(self, pipe: Pipeline) -> list[Any]:
        """Run a pipeline and return its replies, raising the first error among them."""
        return await self._execute(pipe, self._way)

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[Redis]:
        """The client for plain commands, its failures translated."""
        try:
            yield self.redis
        except (RedisError, RedisClusterException) as error:
            failure = translated(error)
            if failure is error:
                raise
            raise failure from error

    def _loader(self, way: Way) -> Way:
        """The way to all servers that run scripts."""
        return way if self._cluster is None else self._cluster.everywhere

    async def _execute(self, pipe: Pipeline, way: Way) -> list[Any]:
        if not pipe.commands:
            return []
        clock = time.perf_counter  # uvloop's own counts milliseconds.
        began = clock()
        deadline = began + _BUDGET_SECONDS
        try:
            replies = await way.exchange(pipe, _BUDGET_SECONDS)
            if _has(NoScriptError, replies):
                # A restarted store has forgotten the scripts. Every write is idempotent, so the
                # whole pipeline may run again.
                await self._loader(way).exchange(_loading(), deadline - clock())
                replies = await way.exchange(pipe, deadline - clock())
        except Exception as error:
            replies = [error]
        for reply in replies:
            if isinstance(reply, Exception):
                break
        else:
            self.durations.add(clock() - began)
            return replies
        if _has(ReadOnlyError, replies):
            # Connected to a primary of the past: the address may lead to the present one by now.
            await self.drop_connections()
        failure = translated(reply)
        self.failures += isinstance(failure, Unavailable)
        raise failure


def _pool(options: Mapping[str, Any]) -> ConnectionPool:
    """Of connections to one server."""
    ours = {
        **_PATIENCE,
        "max_connections": _POOL_SIZE,
        "timeout": _BUDGET_SECONDS,
        # Retrying a write is safe because every write is idempotent (see the Lua scripts).
        "retry": Retry(ExponentialWithJitterBackoff(cap=0.2, base=0.02), 2),
        "retry_on_error": [ConnectionError, SocketTimeout, RuntimeError],
        # They would turn off the check for replies left over, and lengthen the timeouts.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        # It would tell the store its name and version: a round trip, and a right that not every
        # user has.
        "driver_info": None,
    }
    return BlockingConnectionPool(**{**ours, **options})


def _loading() -> Pipeline:
    """What loads the scripts."""
    pipe = Pipeline()
    for text in _SCRIPTS.values():
        pipe.add("SCRIPT", "LOAD", text)
    return pipe


def names_of(pipe: Pipeline) -> list[str]:
    """What the commands of a pipeline are called, the scripts by their own names."""
    return [
        _NAMES.get(command[1], "EVALSHA") if command[0] == "EVALSHA" else str(command[0])
        for command in pipe.commands
    ]


def _has(kind: type[RedisError], replies: list[Any]) -> bool:
    return any(isinstance(reply, kind) for reply in replies)


async def check_store(store: Store, address: str) -> None:
    """Raise StoreError, in one line that says what to set, when the store cannot be used."""
    try:
        await store.ping()
    except RedisError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if getattr(error, "status_code", None) == "NOAUTH":
            reason = "it asks for a password"
        raise StoreError(
            f"Cannot use the Redis at {address}: {reason.rstrip('.')}. "
            "Set REDIS_ENDPOINT_URL (and REDIS_PASSWORD) to a running server, "
            "or unset it to use the embedded one."
        ) from error


async def check_durability(store: Store, durability: Durability, address: str) -> None:
    """Raise StoreError when the store can never confirm a write as safely as is asked."""
    try:
        for command in durability.probes:
            await store.call(*command)
    except (RedisError, Unavailable) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise StoreError(
            f"The store at {address} cannot do what WAIT_DISK or WAIT_REPLICAS ask: {reason}."
            " WAIT_DISK needs Redis 7.2 or Valkey with appendonly yes; both need a primary."
        ) from error
