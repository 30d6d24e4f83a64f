"""The connection to Redis: one client with sane retries, the Lua scripts, the store's epoch."""

import asyncio
import hashlib
import re
from asyncio import Future
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis
from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ConnectionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import TimeoutError as SocketTimeout
from redis.maint_notifications import MaintNotificationsConfig

from services import keys
from services.durability import Durability, NotDurable
from services.epochs import Epochs
from services.errors import Unavailable

_SCRIPTS = {
    path.stem: path.read_text() for path in sorted((Path(__file__).parent / "lua").glob("*.lua"))
}
_DIGESTS = {
    name: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    for name, script in _SCRIPTS.items()
}
_BUDGET_SECONDS = 1.6
"""What a call may take in all: the wait for a connection, retries, loading the scripts again."""
_SOCKET_SECONDS = 1.0
"""Short enough for another try within the budget when the peer of a connection has vanished."""
_CONNECT_SECONDS = 0.5
_POOL_SIZE = 32
_DURABLE_POOL_SIZE = 128
_PROBE_SECONDS = 60

_STATES = {
    "ASK": "moving its data",
    "BUSY": "busy with a script",
    "CLUSTERDOWN": "cut off from its cluster",
    "LOADING": "loading its data",
    "MASTERDOWN": "cut off from its primary",
    "MISCONF": "unable to save to its disk",
    "MOVED": "moving its data",
    "NOREPLICAS": "without its replicas",
    "OOM": "full",
    "READONLY": "read-only",
    "TRYAGAIN": "moving its data",
    "UNBLOCKED": "changing its role",
}
"""What the store is when it refuses with such a code, which may pass."""

# At the start; after what a transaction or, before Redis 7, a script puts before it.
_CODE = re.compile(r"(?:^|^\(['\"]|because of: |: -)([A-Z]+) ")


_ABSENCES = (ConnectionError, SocketTimeout, TimeoutError, NoScriptError, RuntimeError)
"""What no answer looks like: uvloop has a RuntimeError for a connection that the peer has reset."""


def packed_by_hiredis(connection_class: type[Any]) -> type[Any]:
    """The class with hiredis to pack the commands: redis-py does that in Python, which for a
    command with a hundred keys takes longer than all the rest."""

    def pack_command(self: object, name: str, *args: str | int | float | bytes) -> list[bytes]:
        # Names such as "SCRIPT LOAD" are two words to the store.
        return [hiredis.pack_command((*name.split(), *args))]  # type: ignore[arg-type]

    def pack_commands(self: object, commands: Iterable[Sequence[Any]]) -> list[bytes]:
        return [b"".join(packed for each in commands for packed in pack_command(self, *each))]

    methods = {"pack_command": pack_command, "pack_commands": pack_commands}
    return type(connection_class.__name__, (connection_class,), methods)


class StoreError(Exception):
    """The store that the settings name cannot be used; the message is one line for the operator."""


class Store:
    """A Redis client. Text in and out is bytes: what others wrote need not be UTF-8.

    Every call raises Unavailable when the store cannot be reached or does not take the write.
    """

    def __init__(
        self, redis: Redis, *, durable: Redis | None = None, epochs: Epochs | None = None
    ) -> None:
        self.redis = redis
        self.epochs = epochs or Epochs()
        # Who waits for a replica must not keep the others from their connections.
        self._durable = durable or redis
        self._waiting: list[tuple[Pipeline, Future[list[Any]]]] = []
        self._running: set[asyncio.Task[None]] = set()

    @classmethod
    def from_url(cls, url: str, password: str | None = None) -> "Store":
        epochs = Epochs()

        def client(connections: int) -> Redis:
            pool = BlockingConnectionPool.from_url(
                url,
                password=password,
                max_connections=connections,
                timeout=_BUDGET_SECONDS,
                socket_timeout=_SOCKET_SECONDS,
                socket_connect_timeout=_CONNECT_SECONDS,
                redis_connect_func=epochs.greet,
                # Retrying a write is safe because every write is idempotent (see the Lua scripts).
                retry=Retry(ExponentialWithJitterBackoff(cap=0.2, base=0.02), 2),
                retry_on_error=[ConnectionError, SocketTimeout, RuntimeError],
                # They would turn off the check for replies left over, and lengthen the timeouts.
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            )
            pool.connection_class = packed_by_hiredis(pool.connection_class)
            return Redis.from_pool(pool)

        return cls(client(_POOL_SIZE), durable=client(_DURABLE_POOL_SIZE), epochs=epochs)

    @property
    def epoch(self) -> str:
        """The present epoch, part of every cursor."""
        return self.epochs.current

    async def open(self) -> None:
        """Load the scripts and read the epoch, which an empty store gets anew."""
        async with self.guard():
            await self._load_scripts()
        await self.epochs.refresh(self)

    async def close(self) -> None:
        if self._running:
            await asyncio.wait(self._running)
        for redis in (self.redis, self._durable):
            # What a stopped store was sent last may never leave.
            with suppress(RedisError):
                await redis.aclose()

    async def check_writable(self) -> None:
        """Raise Unavailable, saying why, when the store takes no write now."""
        await self.call("SET", keys.PROBE, 1, "EX", _PROBE_SECONDS)

    def add(
        self, pipe: Pipeline, script: str, keys: Sequence[str], *args: str | int | bytes
    ) -> None:
        """Queue a script of `lua/` on a pipeline."""
        pipe.evalsha(_DIGESTS[script], len(keys), *keys, *args)

    async def call(self, *command: str | int | float | bytes) -> Any:
        """Run one command; the reply is redis-py's for it."""
        pipe = self.pipeline()
        pipe.execute_command(*command)
        (reply,) = await self.execute(pipe)
        return reply

    async def run(self, script: str, keys: Sequence[str], *args: str | int | bytes) -> Any:
        """Run a script of `lua/`."""
        pipe = self.pipeline()
        self.add(pipe, script, keys, *args)
        (reply,) = await self.execute(pipe)
        return reply

    async def run_durably(
        self,
        durability: Durability,
        script: str,
        keys: Sequence[str],
        *args: str | int | bytes,
    ) -> Any:
        """Run a script and wait until what it wrote is as safe as is asked.

        Raises NotDurable when that takes too long; the write is done all the same.
        """
        if not durability.commands:
            return await self.run(script, keys, *args)
        pipe = self._durable.pipeline(transaction=False)
        self.add(pipe, script, keys, *args)
        for command in durability.commands:
            pipe.execute_command(*command)
        # Not with the commands of others, which would have to wait, too.
        reply, *safe = await self.execute(pipe, alone=True)
        if not durability.is_reached(safe):
            raise NotDurable
        return reply

    async def execute(self, pipe: Pipeline, *, alone: bool = False) -> list[Any]:
        """Run a pipeline and return its replies, raising the first error among them.

        Pipelines executed in the same turn of the event loop share one round trip, so callers
        may `gather` independent reads at no cost. An atomic pipeline goes alone.
        """
        loop = asyncio.get_running_loop()
        replies: Future[list[Any]] = loop.create_future()
        if alone or pipe.is_transaction:
            self._start(pipe, [(len(pipe), replies)])
        else:
            if not self._waiting:
                loop.call_soon(self._flush)
            self._waiting.append((pipe, replies))
        return await replies

    def pipeline(self, *, atomic: bool = False) -> Pipeline:
        return self.redis.pipeline(transaction=atomic)

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[Redis]:
        """The client for plain commands, its failures translated."""
        try:
            yield self.redis
        except RedisError as error:
            failure = _translated(error)
            if failure is error:
                raise
            raise failure from error

    def _flush(self) -> None:
        """Send what waits as one pipeline."""
        waiting, self._waiting = self._waiting, []
        together = self.pipeline()
        for pipe, _ in waiting:
            together.command_stack += pipe.command_stack
        self._start(together, [(len(pipe), replies) for pipe, replies in waiting])

    def _start(self, pipe: Pipeline, waiting: list[tuple[int, Future[list[Any]]]]) -> None:
        # A task of its own: a caller that is cancelled does not break off what others wait for.
        task = asyncio.create_task(self._serve(pipe, waiting))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _serve(self, pipe: Pipeline, waiting: list[tuple[int, Future[list[Any]]]]) -> None:
        """Execute a pipeline and hand each who waits for so many of its replies these or an error.

        Where the time runs out, redis-py closes the connection, so that nobody gets late replies.
        """
        try:
            async with asyncio.timeout(_BUDGET_SECONDS):
                replies = await self._replies(pipe)
        except Exception as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(_translated(error))
            return
        for count, future in waiting:
            own, replies = replies[:count], replies[count:]
            failure = next((reply for reply in own if isinstance(reply, Exception)), None)
            if future.done():
                continue
            if failure is None:
                future.set_result(own)
            else:
                future.set_exception(_translated(failure))

    async def _replies(self, pipe: Pipeline) -> list[Any]:
        commands = list(pipe.command_stack)
        replies: list[Any] = await pipe.execute(raise_on_error=False)
        if _has(NoScriptError, replies):
            # A restarted store has forgotten the scripts. Every write is idempotent, so the
            # whole pipeline may run again.
            await self._load_scripts()
            pipe.command_stack = commands
            replies = await pipe.execute(raise_on_error=False)
        if _has(ReadOnlyError, replies):
            # Connected to a primary of the past: the address may lead to the present one by now.
            await drop_idle_connections(pipe.connection_pool)
        return replies

    async def _load_scripts(self) -> None:
        pipe = self.pipeline()
        for script in _SCRIPTS.values():
            pipe.script_load(script)
        await pipe.execute()


async def drop_idle_connections(pool: ConnectionPool) -> None:
    """Close what the pool keeps for later.

    Each is taken out of the pool first: the pool's own `disconnect` would pull connections away
    from those who take them meanwhile.
    """
    idle, _ = pool.get_connection_count()[0]
    connections = [
        pool.get_available_connection()  # type: ignore[no-untyped-call]
        for _ in range(idle)
    ]
    for connection in connections:
        await connection.disconnect(nowait=True)
        await pool.release(connection)


def _has(kind: type[RedisError], replies: list[Any]) -> bool:
    return any(isinstance(reply, kind) for reply in replies)


def _translated(error: Exception) -> Exception:
    """Unavailable for what may pass; a mistake of ours stays what it is."""
    state = _STATES.get(_code(error))
    if state is None:
        if not isinstance(error, _ABSENCES):
            return error
        state = "not available"
    unavailable = Unavailable(f"The store is {state}, please try again.")
    unavailable.__cause__ = error
    return unavailable


def _code(error: Exception) -> str:
    """The word that an error reply begins with."""
    if isinstance(error, TryAgainError):
        return "TRYAGAIN"  # redis-py drops it.
    code = getattr(error, "status_code", None)
    if code in _STATES:
        return str(code)
    # redis-py has no class for some; about an error in a transaction it puts its own words first.
    found = _CODE.search(str(error).rpartition("caused error: ")[2])
    return found[1] if found else ""


async def check_store(store: Store, address: str) -> None:
    """Raise StoreError, in one line that says what to set, when the store cannot be used."""
    try:
        await store.redis.ping()
    except RedisError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
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
