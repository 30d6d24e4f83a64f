"""The stores that faults befall: processes of our own, and a Redis that is only lent to us."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tests.faults.proxy import Address
from tests.topologies.node import Node, name_of

Copy = list[tuple[bytes, int, bytes]]
"""Key, milliseconds to live or 0, value."""


class FaultStore:
    """A store, as the servers see it through a proxy and as an operator sees it directly."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._parts = urlsplit(url)
        # The operator's connection is to outlive the faults.
        retry = Retry(ConstantBackoff(0.05), 5)
        self.operator = redis.Redis.from_url(url, retry=retry, socket_timeout=5)

    @property
    def address(self) -> Address:
        assert self._parts.hostname is not None
        assert self._parts.port is not None
        return self._parts.hostname, self._parts.port

    def url_through(self, proxy: Address) -> str:
        credentials, at, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{credentials}{at}{proxy[0]}:{proxy[1]}").geturl()

    def kill_channels(self, addresses: set[str]) -> int:
        """Kill the connections with subscriptions that come from these addresses; how many."""
        clients = self.operator.client_list(_type="pubsub")
        ours = [client["id"] for client in clients if client["addr"] in addresses]
        return sum(self.operator.client_kill_filter(_id=id_) for id_ in ours)

    def copy(self) -> Copy:
        found = []
        for key in self.operator.scan_iter(count=1000):
            value = self.operator.dump(key)
            if value is not None:
                found.append((key, max(0, self.operator.pttl(key)), value))
        return found

    def replace_by(self, copy: Copy) -> None:
        """Be, from one moment to the next, what was copied."""
        with self.operator.pipeline() as pipe:
            pipe.flushdb()
            for key, milliseconds, value in copy:
                pipe.restore(key, milliseconds, value)
            pipe.execute()

    def close(self) -> None:
        self.operator.close()


class OwnStore(FaultStore):
    """A store process that may be harmed. What it has acknowledged is on the disk."""

    def __init__(self, binary: str, folder: Path) -> None:
        options = {"save": '""', "appendonly": "yes", "appendfsync": "always"}
        self.process = Node(binary, folder, options)
        super().__init__(name_of(binary), f"redis://{self.process.place}/0")

    def start(self) -> None:
        self.process.start()

    def back_up(self, folder: Path) -> None:
        """Copy the files as they are now, as a backup of the disk does."""
        shutil.copytree(self.process.folder, folder)

    def restore(self, folder: Path) -> None:
        """Start with the files of a backup."""
        shutil.rmtree(self.process.folder)
        shutil.copytree(folder, self.process.folder)
        self.process.start()

    def close(self) -> None:
        super().close()
        self.process.close()
