"""A primary, its replicas, and the sentinels that watch them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.topologies.certificates import Authority
from tests.topologies.node import HOST, Node, name_of, tls_options, until

SERVICE = "chat"
_QUORUM = 2


class Replicated:
    """Under the name `chat`."""

    def __init__(
        self,
        binary: str,
        folder: Path,
        *,
        replicas: int = 2,
        sentinels: int = 3,
        password: str = "",
        tls: Authority | None = None,
        front_port: int | None = None,
        server_options: Mapping[str, object] | None = None,
        sentinel_options: Mapping[str, object] | None = None,
    ) -> None:
        """`password` is that of the servers; the sentinels' is the same backwards. `front_port`:
        where everybody finds the first server, if not at its own port."""
        self.name = name_of(binary)
        self._password = password
        self._options: dict[str, str] = {}
        of_servers: dict[str, object] = {
            "save": '""',
            "appendonly": "yes",
            **(server_options or {}),
        }
        of_sentinels: dict[str, object] = {
            f"sentinel down-after-milliseconds {SERVICE}": 1000,
            f"sentinel failover-timeout {SERVICE}": 10_000,
            f"sentinel parallel-syncs {SERVICE}": 2,
            **(sentinel_options or {}),
        }
        if password:
            of_servers["masterauth"] = password
            of_sentinels[f"sentinel auth-pass {SERVICE}"] = password
            self._options["sentinel_password"] = password[::-1]
        if tls is not None:
            self._options |= tls_options(tls, tls.issue("parley"))
        self.servers = [
            Node(binary, folder / f"server-{number}", of_servers, password=password, tls=tls)
            for number in range(1 + replicas)
        ]
        self._first_port = front_port or self.servers[0].port
        monitor = {f"sentinel monitor {SERVICE} {HOST}": f"{self._first_port} {_QUORUM}"}
        self.sentinels = [
            Node(
                binary,
                folder / f"sentinel-{number}",
                {**monitor, **of_sentinels},
                "--sentinel",
                password=password[::-1],
                tls=tls,
            )
            for number in range(sentinels)
        ]

    @property
    def url(self) -> str:
        scheme = "rediss" if "ssl_ca_certs" in self._options else "redis"
        credentials = f":{self._password}@" if self._password else ""
        places = ",".join(sentinel.place for sentinel in self.sentinels)
        options = f"?{urlencode(self._options)}" if self._options else ""
        return f"{scheme}+sentinel://{credentials}{places}/{SERVICE}/0{options}"

    @property
    def primary(self) -> Node:
        """The one that the sentinels name."""
        address: Any = self.sentinels[0].operator.sentinel_get_master_addr_by_name(SERVICE)
        port = int(address[1])
        first, *others = self.servers
        return next((server for server in others if server.port == port), first)

    def start(self) -> None:
        first, *replicas = self.servers
        first.start()
        for replica in replicas:
            replica.start()
            replica.operator.replicaof(HOST, str(self._first_port))
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
