"""A primary, its replicas, and the sentinels that watch them."""

from pathlib import Path
from typing import Any

from tests.topologies.node import HOST, Node, name_of, until

SERVICE = "chat"
_QUORUM = 2


class Replicated:
    """Under the name `chat`."""

    def __init__(self, binary: str, folder: Path, *, replicas: int = 2, sentinels: int = 3) -> None:
        self.name = name_of(binary)
        self.servers = [
            Node(
                binary,
                folder / f"server-{number}",
                {
                    "save": '""',
                    "appendonly": "yes",
                    "appendfsync": "everysec",
                },
            )
            for number in range(1 + replicas)
        ]
        self.sentinels = [
            Node(
                binary,
                folder / f"sentinel-{number}",
                {
                    f"sentinel monitor {SERVICE} {HOST}": f"{self.servers[0].port} {_QUORUM}",
                    f"sentinel down-after-milliseconds {SERVICE}": 1000,
                    f"sentinel failover-timeout {SERVICE}": 10_000,
                    f"sentinel parallel-syncs {SERVICE}": 2,
                },
                "--sentinel",
            )
            for number in range(sentinels)
        ]

    @property
    def url(self) -> str:
        places = ",".join(sentinel.place for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}/0"

    @property
    def primary(self) -> Node:
        """The one that the sentinels name."""
        address: Any = self.sentinels[0].operator.sentinel_get_master_addr_by_name(SERVICE)
        _, port = address
        return next(server for server in self.servers if server.port == int(port))

    def start(self) -> None:
        first, *replicas = self.servers
        first.start()
        for replica in replicas:
            replica.start()
            replica.operator.replicaof(HOST, str(first.port))
        until(lambda: first.replicas == len(replicas))
        for sentinel in self.sentinels:
            sentinel.start()
        until(lambda: all(self._knows_all(sentinel) for sentinel in self.sentinels))

    def fail_over(self) -> None:
        """Have the sentinels make another the primary while the present one works."""
        before = self.primary
        self.sentinels[0].operator.sentinel_failover(SERVICE)
        until(lambda: self.primary is not before)

    def close(self) -> None:
        for node in (*self.sentinels, *self.servers):
            node.close()

    def _knows_all(self, sentinel: Node) -> bool:
        state: Any = sentinel.operator.sentinel_master(SERVICE)
        return bool(
            state["num-slaves"] == len(self.servers) - 1
            and state["num-other-sentinels"] == len(self.sentinels) - 1
        )
