"""How pipelines get to the store, and replies back."""

import asyncio
from typing import Any, Protocol

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline as RedisPipeline

from services.redis.link import Link
from services.redis.pipeline import Pipeline


class Way(Protocol):
    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        """The reply to each command within this time, error replies as exceptions among them."""

    async def drop(self) -> None:
        """Give up connections: the address may lead to another server by now."""

    async def close(self) -> None: ...


class SharedConnection:
    """All on one connection."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        return pipe.unpacked(await self._link.ask(*pipe.packed(), seconds))

    async def drop(self) -> None:
        self._link.drop()

    async def close(self) -> None:
        await self._link.close()


class OwnConnections:
    """Each on a connection of its own, from redis-py's pool."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        theirs: RedisPipeline = self._redis.pipeline(transaction=pipe.is_atomic)
        theirs.response_callbacks = {}
        for command in pipe.commands:
            theirs.execute_command(*command)
        # A task, and no `asyncio.timeout`, which does not go with `together`. Where the time runs
        # out, redis-py closes the connection, so nobody gets late replies.
        executing = asyncio.ensure_future(theirs.execute(raise_on_error=False))
        try:
            await asyncio.wait([executing], timeout=seconds)
        finally:
            executing.cancel()
        if not executing.done():
            raise TimeoutError
        return executing.result()

    async def drop(self) -> None:
        await _drop_idle_connections(self._redis.connection_pool)

    async def close(self) -> None:
        """The pool is the client's."""


async def _drop_idle_connections(pool: ConnectionPool) -> None:
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
