"""Store processes of a test's own, which it may stop, fill, demote and kill."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from services.redis.embedded import _find_binary
from tests.topologies.node import Node

VALKEY = str(_find_binary())
REDIS = shutil.which("redis-server")
BINARIES = [VALKEY] if REDIS is None else [VALKEY, REDIS]


class StoreProcess(Node):
    """A Valkey or Redis by itself, which runs from the beginning."""

    def __init__(self, binary: str = VALKEY, options: Mapping[str, object] | None = None) -> None:
        folder = Path(tempfile.mkdtemp(prefix="parley-store-"), "store")
        super().__init__(binary, folder, {"save": '""', **(options or {})})
        self.url = f"redis://{self.place}/0"
        self.start()

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder.parent)
