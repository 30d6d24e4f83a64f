"""Programs that run beside a test, and what they say."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

_SECONDS = 30


class Output:
    """What a running program says, line by line."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def wait_for(self, line: str) -> None:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_SECONDS):
                while line not in self.lines:
                    read = await self._process.stdout.readline()
                    assert read, f"It has ended, having said:\n{self}"
                    self.lines.append(read.decode().rstrip())
        except TimeoutError:
            pytest.fail(f"Waited for {line!r}, having heard:\n{self}")

    async def rest(self) -> list[str]:
        """All that it has said, once it is killed."""
        self._process.kill()
        assert self._process.stdout is not None
        self.lines += (await self._process.stdout.read()).decode().splitlines()
        return self.lines

    def __str__(self) -> str:
        return "\n".join(self.lines)


@asynccontextmanager
async def running(
    folder: Path, *command: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Output]:
    """Killed at the end, with all that it has started."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )
    try:
        yield Output(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
