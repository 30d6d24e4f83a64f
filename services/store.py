"""The connection to Redis: one client with sane retries, the Lua scripts, the store's epoch."""

import asyncio
import secrets
from asyncio import Future
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)

from services import keys
from services.errors import Unavailable

_LUA = Path(__file__).parent / "lua"
_POOL_SIZE = 32
_UNREACHABLE = (ConnectionError, TimeoutError, BusyLoadingError, OutOfMemoryError, ReadOnlyError)


class StoreError(Exception):
    """The store that the settings name cannot be used; the message is one line for the operator."""


class Store:
    """A Redis client. Text in and out is bytes: what others wrote need not be UTF-8.

    Every call raises Unavailable when the store cannot be reached or does not take the write.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.epoch = ""
        self._sha: dict[str, str] = {}
        self._waiting: list[tuple[Pipeline, Future[list[Any]]]] = []
        self._flushes: set[asyncio.Task[None]] = set()

    @classmethod
    def from_url(cls, url: str, password: str | None = None) -> "Store":
        pool = BlockingConnectionPool.from_url(
            url,
            password=password,
            max_connections=_POOL_SIZE,
            timeout=2,
            socket_timeout=2,
            socket_connect_timeout=1,
            # Retrying a write is safe because every write is idempotent (see the Lua scripts).
            retry=Retry(ExponentialWithJitterBackoff(cap=0.2, base=0.02), 2),
            retry_on_error=[ConnectionError, TimeoutError],
        )
        return cls(Redis.from_pool(pool))

    async def open(self) -> None:
        """Load the scripts and read the epoch, which an empty store gets anew."""
        async with self.guard():
            await self._load_scripts()
        await self.read_epoch()

    async def read_epoch(self) -> bool:
        """Read the epoch anew; whether this is another store than before, an emptied one say."""
        before = self.epoch
        pipe = self.pipeline()
        pipe.set(keys.EPOCH, secrets.token_hex(4), nx=True)
        pipe.get(keys.EPOCH)
        _, epoch = await self.execute(pipe)
        self.epoch = epoch.decode()
        return self.epoch != before

    async def close(self) -> None:
        await self.redis.aclose()

    def add(
        self, pipe: Pipeline, script: str, keys: Sequence[str], *args: str | int | bytes
    ) -> None:
        """Queue a script of `lua/` on a pipeline."""
        pipe.evalsha(self._sha[script], len(keys), *keys, *args)

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

    async def execute(self, pipe: Pipeline) -> list[Any]:
        """Run a pipeline and return its replies, raising the first error among them.

        Pipelines executed in the same turn of the event loop share one round trip, so callers
        may `gather` independent reads at no cost. An atomic pipeline goes alone.
        """
        if pipe.is_transaction:
            return await self._execute_now(pipe)
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        replies: Future[list[Any]] = asyncio.get_running_loop().create_future()
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
            raise _translated(error) from error

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        task = asyncio.create_task(self._execute_together(waiting))
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _execute_together(self, waiting: list[tuple[Pipeline, Future[list[Any]]]]) -> None:
        """Send several pipelines as one and hand each its own replies or error."""
        together = self.pipeline()
        for pipe, _ in waiting:
            together.command_stack += pipe.command_stack
        try:
            replies = await self._execute_now(together, raise_on_error=False)
        except Exception as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for pipe, future in waiting:
            count = len(pipe.command_stack)
            own, replies = replies[:count], replies[count:]
            failure = next((reply for reply in own if isinstance(reply, Exception)), None)
            if future.done():
                continue
            if failure is None:
                future.set_result(own)
            else:
                future.set_exception(_translated(failure))

    async def _execute_now(self, pipe: Pipeline, *, raise_on_error: bool = True) -> list[Any]:
        commands = list(pipe.command_stack)
        async with self.guard():
            try:
                replies: list[Any] = await pipe.execute(raise_on_error)
            except NoScriptError:
                replies = [NoScriptError()]
            if not any(isinstance(reply, NoScriptError) for reply in replies):
                return replies
            # A restarted store has forgotten the scripts. Every write is idempotent, so the
            # whole pipeline may run again.
            await self._load_scripts()
            pipe.command_stack = commands
            again: list[Any] = await pipe.execute(raise_on_error)
            return again

    async def _load_scripts(self) -> None:
        for path in sorted(_LUA.glob("*.lua")):
            self._sha[path.stem] = await self.redis.script_load(path.read_text())


def _translated(error: Exception) -> Exception:
    if isinstance(error, _UNREACHABLE):
        return Unavailable("The store is not available, please try again.")
    return error


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
