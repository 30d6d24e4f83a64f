"""Several server processes on one port: started, watched, replaced and stopped together.

All accept from one listener, which is ours and stays open whatever becomes of them, so nobody is
refused while one is replaced. Each is a program of its own that reads code and settings anew.

uvicorn has a supervisor, too. It ends well when its workers cannot start, ends them all when one
cannot be replaced because the store is away, and leaves them behind when it is killed: hardly a
method of it could stay.
"""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from services.errors import OperatorError
from services.tasks import stop

T = TypeVar("T")

_log = logging.getLogger(__name__)

_ROOT = Path(__file__).parent.parent

SERVES = b"serves\n"
"""What a worker says; or else why it cannot serve, and ends."""

BEAT = b"."
"""What it says then, each second that its event loop goes round."""

_STILL_SECONDS = 20
"""Without a beat, until a worker is taken for one that will never go on."""

_STOP_SECONDS = 12
"""How long a worker may take to stop; ten seconds should do."""

_PAUSE_SECONDS = 1
"""Until the next try when a worker could not start."""


def supervise(count: int, listener: socket.socket, started: Callable[[], None]) -> None:
    """Have so many workers serve until told to stop; say when they have `started`.

    Raises OperatorError when that cannot be begun.
    """
    if sys.platform == "win32":
        raise OperatorError("Several processes on one port need a POSIX system: set WORKERS to 1.")
    asyncio.run(_supervise(count, listener, started))


async def _supervise(count: int, listener: socket.socket, started: Callable[[], None]) -> None:
    told_to_stop, told_to_renew = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_stop.set)
    was_on_terminal = os.isatty(0)

    def hung_up() -> None:
        """Either we are asked to renew, or the terminal is gone on which we were to be stopped."""
        has_lost_terminal = was_on_terminal and not os.isatty(0)
        (told_to_stop if has_lost_terminal else told_to_renew).set()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    crew = _Crew(listener)
    working = asyncio.create_task(crew.work(count, started, told_to_renew))
    waiting = asyncio.create_task(told_to_stop.wait())
    await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    await stop(working, waiting)
    listener.close()
    await crew.leave()
    if not working.cancelled():
        working.result()


class _Worker:
    """A process that serves, and our end of the line to it."""

    def __init__(self, process: Process, line: socket.socket) -> None:
        self._process = process
        self._line = line

    @classmethod
    async def launch(cls, listener: socket.socket) -> "_Worker":
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        inherited = (listener.fileno(), theirs.fileno())
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # Not what may be called `application` in the present folder.
                "-m",
                "application.worker",
                *map(str, inherited),
                pass_fds=inherited,
                process_group=0,  # A terminal's Ctrl-C is for us, who stop the workers.
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": _search_path()},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def serves(self) -> None:
        """Wait until it does. Raises OperatorError when it cannot."""
        loop = asyncio.get_running_loop()
        said = b""
        while not said.startswith(SERVES) and (more := await loop.sock_recv(self._line, 4_096)):
            said += more
        if not said.startswith(SERVES):
            how = await self.ended()
            raise OperatorError(said.decode() or f"A worker has ended before it served: {how}.")

    async def ended(self) -> str:
        """Wait until it has, and say how."""
        status = await self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"

    async def watched(self) -> str:
        """Wait until it has ended, or stood still and was killed, and say how."""
        watching = asyncio.create_task(self._kill_if_still())
        try:
            return await self.ended()
        finally:
            await stop(watching)

    async def _kill_if_still(self) -> None:
        seconds = 0
        while seconds < _STILL_SECONDS:
            # Ours are counted: where the whole machine stood still, no worker is to blame.
            await asyncio.sleep(1)
            try:
                self._line.recv(4_096)
            except BlockingIOError:
                seconds += 1
            else:
                seconds = 0
        _log.error("Worker %d stands still, and is killed.", self.pid)
        self._process.kill()

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            _log.error("Worker %d does not stop, and is killed.", self.pid)
            self._process.kill()
            await self._process.wait()
        self._line.close()


def _search_path() -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(_ROOT), *([inherited] if inherited else [])])


class _Place:
    """One of so many; somebody is always there."""

    def __init__(self, worker: _Worker) -> None:
        self.worker = worker
        self.changing = asyncio.Lock()


class _Crew:
    """All workers, those that come or go included."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._workers: set[_Worker] = set()

    async def work(
        self, count: int, started: Callable[[], None], told_to_renew: asyncio.Event
    ) -> None:
        """Without end. Raises OperatorError when it cannot be begun."""
        workers = await _all(self._begin() for _ in range(count))
        places = [_Place(worker) for worker in workers]
        started()
        await _all((self._renew(places, told_to_renew), *map(self._keep, places)))

    async def leave(self) -> None:
        await asyncio.gather(*map(self._dismiss, tuple(self._workers)))

    async def _keep(self, place: _Place) -> None:
        """Replace whoever ends there by itself, or stands still."""
        while True:
            worker = place.worker
            how = await worker.watched()
            if worker is place.worker:
                _log.error("Worker %d has ended (%s), another takes its place.", worker.pid, how)
            while worker is place.worker:
                try:
                    await self._replace(place, worker)
                except OperatorError as error:
                    _log.error("%s", error)
                    await asyncio.sleep(_PAUSE_SECONDS)

    async def _renew(self, places: list[_Place], told: asyncio.Event) -> None:
        """Replace one after the other, whenever told to."""
        while True:
            await told.wait()
            told.clear()
            _log.info("All workers are replaced, one after the other.")
            try:
                for place in places:
                    await self._replace(place, place.worker)
            except OperatorError as error:
                _log.error("%s The other workers stay.", error)

    async def _replace(self, place: _Place, former: _Worker) -> None:
        """Have another worker there, unless there is one. Raises OperatorError."""
        async with place.changing:
            if place.worker is former:
                place.worker = await self._begin()
                await self._dismiss(former)

    async def _begin(self) -> _Worker:
        """A worker that serves. Raises OperatorError."""
        try:
            worker = await _Worker.launch(self._listener)
        except OSError as error:
            raise OperatorError(f"Cannot start a worker: {error.strerror}.") from error
        self._workers.add(worker)
        try:
            await worker.serves()
        except OperatorError:
            await self._dismiss(worker)
            raise
        return worker

    async def _dismiss(self, worker: _Worker) -> None:
        await worker.stop()
        self._workers.discard(worker)


async def _all(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all at the same time; the first that raises ends them all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(coroutine) for coroutine in coroutines]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
