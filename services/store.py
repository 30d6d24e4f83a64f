"""The connection to Redis: one client with sane retries, the Lua scripts, the store's epoch."""

import secrets
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
        async with self._guard():
            for path in sorted(_LUA.glob("*.lua")):
                self._sha[path.stem] = await self.redis.script_load(path.read_text())
            await self.redis.set(keys.EPOCH, secrets.token_hex(4), nx=True)
            epoch = await self.redis.get(keys.EPOCH)
        self.epoch = epoch.decode()

    async def close(self) -> None:
        await self.redis.aclose()

    async def run(self, script: str, keys: Sequence[str], *args: str | int | bytes) -> Any:
        """Run a script of `lua/` in one round trip."""
        async with self._guard():
            try:
                return await self.redis.evalsha(self._sha[script], len(keys), *keys, *args)
            except NoScriptError:
                await self._load(script)
                return await self.redis.evalsha(self._sha[script], len(keys), *keys, *args)

    def add(self, pipe: Pipeline, script: str, keys: Sequence[str], *args: str | int | bytes) -> None:
        """Queue a script of `lua/` on a pipeline."""
        pipe.evalsha(self._sha[script], len(keys), *keys, *args)

    async def execute(self, pipe: Pipeline) -> list[Any]:
        """Run a pipeline in one round trip."""
        async with self._guard():
            commands = list(pipe.command_stack)
            try:
                return await pipe.execute()
            except NoScriptError:
                # A restarted store has forgotten the scripts. They are idempotent, so the
                # whole pipeline may run again.
                for script in self._sha:
                    await self._load(script)
                pipe.command_stack = commands
                return await pipe.execute()

    def pipeline(self, *, atomic: bool = False) -> Pipeline:
        return self.redis.pipeline(transaction=atomic)

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[Redis]:
        """The client for plain commands."""
        async with self._guard():
            yield self.redis

    async def _load(self, script: str) -> None:
        await self.redis.script_load((_LUA / f"{script}.lua").read_text())

    @asynccontextmanager
    async def _guard(self) -> AsyncIterator[None]:
        try:
            yield
        except _UNREACHABLE as error:
            raise Unavailable("The store is not available, please try again.") from error


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
