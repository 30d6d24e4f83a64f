"""Real server processes for tests."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from application.settings import Settings

ROOT = Path(__file__).parent.parent
START_SECONDS = 30
STOP_SECONDS = 20


class Server:
    """A running `python -m application`, and all that it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        self._output: list[str] = []
        self._has_url_or_end = threading.Event()
        assert process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=[process.stdout], daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        return "".join(self._output)

    def wait_until_serving(self) -> None:
        self._has_url_or_end.wait(START_SECONDS)
        if not self.url:
            self.kill()
            raise AssertionError(f"The server does not serve:\n{self.output}")

    def stop(self) -> int:
        """End it with SIGTERM and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"The server does not end:\n{self.output}") from None
        self._reader.join(STOP_SECONDS)
        return status

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._output.append(line)
                found = re.search(r"Web page +(http://\S+)/$", line.rstrip())
                if found:
                    self.url = found[1]
                    self._has_url_or_end.set()
        self._has_url_or_end.set()


def start_server(env: Mapping[str, str], *, own_group: bool = False) -> Server:
    """A server with these settings and no others, on a free port, once it is serving."""
    server = launch(env, own_group=own_group)
    server.wait_until_serving()
    return server


def launch(env: Mapping[str, str], *command: str, own_group: bool = False) -> Server:
    """A server process, perhaps one that fails; `command` instead of `-m application`.

    With a group of its own it can be sent what a terminal sends: signals for a whole group.
    """
    process = subprocess.Popen(
        [sys.executable, *(command or ("-m", "application"))],
        # Not in the checkout: the developer's own `.env` is none of the tests' business.
        cwd=ROOT.anchor,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0 if own_group else None,
    )
    return Server(process)


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with these settings instead of any that it has."""
    settings = {name.upper() for name in Settings.model_fields} | {"REDIS_ENDPOINT_URI"}
    inherited = {name: value for name, value in os.environ.items() if name not in settings}
    return {
        **inherited,
        "PORT": "0",
        # Tests come from one address and do much at once; those of the limits turn them on.
        "RATE_LIMITS": "off",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **env,
    }
