"""Store processes of a test's own, which it may stop, fill, demote and kill."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import redis
from redis.exceptions import RedisError

from services.embedded import _find_binary
from tests.ports import free_port

_START_SECONDS = 10
VALKEY = str(_find_binary())
REDIS = shutil.which("redis-server")
BINARIES = [VALKEY] if REDIS is None else [VALKEY, REDIS]


class StoreProcess:
    """A Valkey or Redis on a port and in a folder of its own."""

    def __init__(self, binary: str = VALKEY, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="parley-store-"))
        self._command = [binary, *options]
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.operator = redis.Redis(port=self.port)
        self.start()

    def start(self) -> None:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "save": "",
            "logfile": str(self.folder / "log"),
            "repl-diskless-sync-delay": "0",
            "repl-ping-replica-period": "1",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = subprocess.Popen([*self._command, *words], stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.operator.close()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return bool(self.operator.ping())
        except RedisError:
            return False
