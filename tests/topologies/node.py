"""One process of a topology: a server or a sentinel, on a port and in a folder of its own."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.ports import free_port
from tests.topologies.certificates import Authority, Files

START_SECONDS = 10
_SETTLE_SECONDS = 20
_QUICK_REPLICATION = {"repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1}
HOST = "127.0.0.1"


def name_of(binary: str) -> str:
    """`valkey` or `redis`."""
    return Path(binary).name.partition("-")[0]


def tls_options(authority: Authority, files: Files) -> dict[str, str]:
    """What redis-py has to know to be who the files say."""
    return {
        "ssl_ca_certs": str(authority.file),
        "ssl_certfile": str(files.certificate),
        "ssl_keyfile": str(files.key),
    }


class Node:
    """Keeps its port, its configuration and its data over several lives.

    `options` are lines of the configuration; a value with a space makes several words. `mode` is
    what the binary is called with besides, like `--sentinel`. With `tls` it speaks nothing else,
    and only with those to whom the authority has issued a certificate.
    """

    def __init__(
        self,
        binary: str,
        folder: Path,
        options: Mapping[str, object],
        mode: str = "",
        *,
        password: str = "",
        tls: Authority | None = None,
    ) -> None:
        self.port = free_port()
        self.place = f"{HOST}:{self.port}"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        # Servers write their own state into the file.
        self._config = folder / "node.conf"
        self._command = [binary, str(self._config), *mode.split()]
        lines = {
            "bind": HOST,
            "port": self.port,
            "dir": folder,
            "logfile": folder / "log",
            **({} if "sentinel" in mode else _QUICK_REPLICATION),
            **options,
        }
        # The operator's connection is to outlive what is done to the node.
        operator: dict[str, Any] = {"retry": Retry(ConstantBackoff(0.05), 5), "socket_timeout": 5}
        if password:
            lines["requirepass"] = operator["password"] = password
        if tls is not None:
            files = tls.issue(folder.name, address=HOST)
            lines |= {
                "port": 0,
                "tls-port": self.port,
                "tls-ca-cert-file": tls.file,
                "tls-cert-file": files.certificate,
                "tls-key-file": files.key,
                "tls-replication": "yes",
            }
            operator |= {"ssl": True, **tls_options(tls, files)}
        self._config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        self.operator = redis.Redis(HOST, self.port, **operator)

    @property
    def replicas(self) -> int:
        """How many follow it."""
        info: dict[str, Any] = self.operator.info("replication")
        numbers = range(info["connected_slaves"])
        return sum(info[f"slave{number}"]["state"] == "online" for number in numbers)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.01)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.operator.close()
        if self.process is not None:
            self.kill()

    def _answers(self) -> bool:
        try:
            return bool(self.operator.ping())
        except RedisError:
            return False


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
