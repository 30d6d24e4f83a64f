"""A primary that can be cut off from its sentinels and replicas, and from nobody else."""

import asyncio
from pathlib import Path

from tests.faults.proxy import Proxy
from tests.ports import free_port
from tests.topologies.node import HOST, Node
from tests.topologies.replicated import Replicated

SERVERS, SENTINELS = "127.0.0.2", "127.0.0.3"
"""From where they connect to others; whoever uses the store comes from 127.0.0.1."""

_OPEN = {"protected-mode": "no"}
"""Redis 7 takes 127.0.0.1 only for this machine."""


class Divided(Replicated):
    """All find the first primary behind a proxy, which tells them apart."""

    def __init__(self, binary: str, folder: Path) -> None:
        port = free_port()
        super().__init__(
            binary,
            folder,
            front_port=port,
            server_options={"bind-source-addr": SERVERS, **_OPEN},
            sentinel_options={
                "bind-source-addr": SENTINELS,
                # That is not where they listen.
                "sentinel announce-ip": HOST,
                **_OPEN,
            },
        )
        self._front = Proxy((HOST, self.first.port), port)

    @property
    def first(self) -> Node:
        return self.servers[0]

    @property
    def is_first_used(self) -> bool:
        """Whether anybody uses it who is not cut off from it."""
        return any(not link.is_black for link in self._front.links)

    async def open(self) -> None:
        await self._front.open()
        await asyncio.to_thread(self.start)

    def cut_off(self, *hosts: str) -> None:
        """Have the first primary and these hosts hear nothing of each other."""
        self._front.silence(*hosts)

    def rejoin(self) -> None:
        self._front.restore()

    async def end(self) -> None:
        await self._front.close()
        self.close()
