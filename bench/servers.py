"""Server processes of the contestants."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from bench.contestants import ROOT, Contestant

_START_SECONDS = 30
_STOP_SECONDS = 15
_URL = re.compile(r"(?:listening on|Web page) +http://[^/:\s]+:(\d+)")


class ServerFailed(Exception):
    """A contestant does not start, or has ended."""


@dataclass(frozen=True)
class Server:
    contestant: Contestant
    pid: int
    port: int


@contextmanager
def serving(contestant: Contestant, store_url: str) -> Iterator[Server]:
    """The contestant's server, once it takes connections; ended afterwards, whatever happens."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            contestant.command,
            # Not in the checkout: a developer's own `.env` is none of our business.
            cwd=ROOT.anchor,
            env={**inherited, **contestant.environment(store_url)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Server(contestant, process.pid, _port(process, output))
            if process.poll() is not None:
                raise ServerFailed(f"{contestant.title} has ended:\n{_text(output)[-2000:]}")
        finally:
            _end(process)


def _port(process: "subprocess.Popen[bytes]", output: IO[str]) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := _URL.search(_text(output)):
            return int(found[1])
        time.sleep(0.05)
    raise ServerFailed(f"{process.args!r} does not serve:\n{_text(output)[-2000:]}")


def _text(output: IO[str]) -> str:
    # The server writes at the end through its own descriptor, which shares our offset.
    return os.pread(output.fileno(), 1 << 20, 0).decode(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # Its workers, if it left any.
    process.wait()
