"""The command line as an operator calls it: a process, what it says, how it ends."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ROOT, environment

_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """Why it failed: the one line that it said."""
        assert self.status != 0, self
        (line,) = self.stderr.splitlines()
        assert line.startswith("parley: "), line
        return line.removeprefix("parley: ")


def parley(
    *words: str, env: Mapping[str, str], stdin: str = "", folder: Path = Path(ROOT.anchor)
) -> Outcome:
    """Run a command with these settings and no others, to its end."""
    process = subprocess.run(
        [sys.executable, "-m", "application", *words],
        cwd=folder,
        env=environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    return Outcome(process.returncode, process.stdout, process.stderr)


def peak_memory(*words: str, env: Mapping[str, str]) -> int:
    """The most bytes that a command had, one that succeeds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "application", *words],
        cwd=ROOT.anchor,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024
