"""Epochs: what tells a store that has everything from one that came back with less.

A new epoch begins when the server process of the store is another than before, as after a restart
or a failover, and when the store is found to have lost something. Of an ended epoch the highest
position is kept that was left when it ended. Every cursor names its epoch: one of an ended epoch is
good up to that position, and what lies beyond was lost. (Kafka tells its logs apart in this way:
KIP-101, leader epochs.)
"""

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, ResponseError

from services import keys

if TYPE_CHECKING:
    from services.redis.store import Store

_SCRIPT = Path(__file__).parent.parent / "lua" / "epoch.lua"
_KEYS = (keys.EPOCH, keys.RUN, keys.ENDED_EPOCHS, keys.CLOCK)


class Epochs:
    """The epoch of a store, as this process knows it."""

    def __init__(self) -> None:
        self.current = ""
        self.greeted = 0
        """How many connections have been begun."""
        self._run_id = ""
        self._script = _SCRIPT.read_text()

    async def greet(self, connection: AbstractConnection) -> None:
        """Begin a connection: before anything is read or written, the epoch is the right one."""
        try:
            await self._greet(connection)
        except RuntimeError as error:
            # From uvloop, when the peer is gone already; redis-py cleans up after its own errors.
            raise ConnectionError(str(error)) from error

    async def _greet(self, connection: AbstractConnection) -> None:
        await connection.on_connect()
        self.greeted += 1
        await connection.send_command("INFO", "server")
        run_id = _run_id((await connection.read_response()).decode())
        if run_id == self._run_id:
            return
        await connection.send_command("EVAL", self._script, *_arguments(run_id))
        # Where it takes no writes now, there is nothing yet to tell apart.
        with suppress(ResponseError):
            self.current = (await connection.read_response()).decode()
        self._run_id = run_id

    async def refresh(self, store: "Store", *, lost: str = "") -> None:
        """Read the epoch anew, beginning one where that is due: when the epoch `lost` has lost
        something, or the store was emptied. Raises Unavailable."""
        epoch = await store.call("EVAL", self._script, *_arguments(self._run_id, lost))
        self.current = epoch.decode()

    async def reach(self, store: "Store", epoch: str) -> int | None:
        """Up to which position the store still has what there was in an epoch; None: no further
        than any other store has it. Raises Unavailable."""
        if epoch == self.current:
            clock = await store.call("GET", keys.CLOCK)
            return int(clock or 0)
        end = await store.call("HGET", keys.ENDED_EPOCHS, epoch)
        return None if end is None else int(end)


class ClusterEpochs(Epochs):
    """Of a Redis Cluster: a new one begins only when the cluster was emptied.

    Its servers fail over one by one. Who takes over goes on by its own clock, which shows later
    than the positions that were lost with the one before: nothing new is taken for old.
    """

    async def _greet(self, connection: AbstractConnection) -> None:
        await connection.on_connect()
        self.greeted += 1

    async def refresh(self, store: "Store", *, lost: str = "") -> None:
        pipe = store.pipeline()
        pipe.add("SET", keys.EPOCH, _new(), "NX")
        pipe.add("GET", keys.EPOCH)
        _, epoch = await store.execute(pipe)
        self.current = epoch.decode()

    async def reach(self, store: "Store", epoch: str) -> int | None:
        # Those that ended are of the store whose archive was put in.
        return sys.maxsize if epoch == self.current else await super().reach(store, epoch)


def _new() -> str:
    return secrets.token_hex(4)


def _arguments(run_id: str, lost: str = "") -> list[str | int]:
    return [len(_KEYS), *_KEYS, run_id, _new(), lost]


def _run_id(info: str) -> str:
    for line in info.splitlines():
        name, _, value = line.partition(":")
        if name == "run_id":
            return value
    return ""
