"""The embedded store, with a real Valkey and real processes."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from redis import Redis

from services.redis.embedded import EmbeddedStore, EmbeddedStoreError

_ROOT = Path(__file__).parents[2]

_USER = """
import sys
from pathlib import Path
from services.redis.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
sys.stdin.readline()
print(store.start(), flush=True)
sys.stdin.readline()
store.stop()
"""

_COMES_AND_GOES = """
import sys
from pathlib import Path
from redis import Redis
from services.redis.embedded import EmbeddedStore
for _ in range(10):
    store = EmbeddedStore(Path(sys.argv[1]))
    with Redis.from_url(store.start(), retry=None) as redis:
        redis.incr("visits")
    store.stop()
"""


class User:
    """A server process that uses the store of a folder, in a session of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = _spawn(_USER, folder)

    def start(self) -> str:
        self.begin()
        return self.url()

    def begin(self) -> None:
        self._say("start\n")

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> None:
        self.begin_stop()
        assert self.process.wait(60) == 0

    def begin_stop(self) -> None:
        self._say("stop\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    for record in tmp_path.rglob("valkey.pid"):
        _kill_leftover(record)


@pytest.fixture
def store(folder: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(folder)
    yield store
    store.stop()


@pytest.fixture
def new_user(folder: Path) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def make() -> User:
        users.append(User(folder))
        return users[-1]

    yield make
    for user in users:
        user.kill()
        for pipe in (user.process.stdin, user.process.stdout):
            assert pipe is not None
            pipe.close()


def test_keeps_what_was_written(store: EmbeddedStore) -> None:
    _call(store.start(), "SET", "key", "value")
    store.stop()
    assert _call(store.start(), "GET", "key") == b"value"


def test_listens_on_a_private_socket_only(store: EmbeddedStore, folder: Path) -> None:
    url = store.start()
    assert _call(url, "CONFIG", "GET", "port") == {b"port": b"0"}
    assert _socket(url).stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_mode & 0o777 == 0o700


def test_passes_the_durability_on(folder: Path) -> None:
    store = EmbeddedStore(folder, appendfsync="always")
    try:
        assert _call(store.start(), "CONFIG", "GET", "appendfsync") == {b"appendfsync": b"always"}
    finally:
        store.stop()


def test_any_character_may_be_in_the_path(tmp_path: Path, folder: Path) -> None:
    store = EmbeddedStore(tmp_path / "a b\"c'%41?#ü")
    try:
        assert _call(store.start(), "PING")
    finally:
        store.stop()


def test_starting_and_stopping_again_changes_nothing(store: EmbeddedStore) -> None:
    url = store.start()
    pid = _pid(url)
    assert store.start() == url
    assert _pid(url) == pid
    store.stop()
    store.stop()
    assert not _is_running(pid)


def test_the_last_to_leave_stops_it(
    store: EmbeddedStore, folder: Path, new_user: Callable[[], User]
) -> None:
    url = store.start()
    pid = _pid(url)
    user = new_user()
    assert user.start() == url
    assert _pid(url) == pid

    store.stop()
    assert _is_running(pid)
    _call(url, "SET", "key", "value")

    user.stop()
    assert not _is_running(pid)
    assert not _socket(url).exists()


def test_two_stores_of_one_process_count_as_two_users(store: EmbeddedStore, folder: Path) -> None:
    url = store.start()
    other = EmbeddedStore(folder)
    assert other.start() == url
    other.stop()
    assert _call(url, "PING")


def test_processes_that_start_at_once_share_one(folder: Path, new_user: Callable[[], User]) -> None:
    users = [new_user() for _ in range(8)]
    for user in users:
        user.begin()
    urls = {user.url() for user in users}
    assert len(urls) == 1
    pid = _pid(urls.pop())
    # A second launch would have moved the log of the first one away.
    assert not (folder / "valkey.log.old").exists()
    assert int((folder / "valkey.pid").read_text()) == pid

    for user in users:
        user.begin_stop()
    assert [user.process.wait(60) for user in users] == [0] * 8
    assert not _is_running(pid)


def test_threads_that_start_at_the_same_instant_share_one(folder: Path) -> None:
    stores = [EmbeddedStore(folder) for _ in range(8)]
    barrier = threading.Barrier(len(stores))

    def start(store: EmbeddedStore) -> str:
        barrier.wait()
        return store.start()

    with ThreadPoolExecutor(len(stores)) as pool:
        assert len(set(pool.map(start, stores))) == 1
        list(pool.map(EmbeddedStore.stop, stores))
    assert not (folder / "valkey.log.old").exists()


def test_processes_that_come_and_go_lose_nothing(store: EmbeddedStore, folder: Path) -> None:
    processes = [_spawn(_COMES_AND_GOES, folder) for _ in range(4)]
    for process in processes:
        process.communicate(timeout=100)
    assert [process.returncode for process in processes] == [0] * 4
    assert _call(store.start(), "GET", "visits") == b"40"


def test_a_start_adopts_what_killed_servers_left(
    store: EmbeddedStore, new_user: Callable[[], User]
) -> None:
    users = [new_user(), new_user()]
    url = users[0].start()
    users[1].start()
    pid = _pid(url)
    _call(url, "SET", "key", "value")
    for user in users:
        user.kill()

    assert store.start() == url
    assert _pid(url) == pid
    assert _call(url, "GET", "key") == b"value"
    store.stop()
    assert not _is_running(pid)


def test_a_killed_server_does_not_count(store: EmbeddedStore, new_user: Callable[[], User]) -> None:
    user = new_user()
    pid = _pid(user.start())
    store.start()
    user.kill()
    store.stop()
    assert not _is_running(pid)


def test_a_killed_valkey_is_replaced(store: EmbeddedStore, new_user: Callable[[], User]) -> None:
    url = store.start()
    pid = _pid(url)
    _write(url, 100)
    os.kill(pid, signal.SIGKILL)

    # The stale socket and pid do not mislead anybody, and the first user need not do anything.
    assert new_user().start() == url
    assert _pid(url) != pid
    assert _call(url, "DBSIZE") == 100


def test_a_valkey_killed_while_it_rewrites_its_file_is_replaced(
    store: EmbeddedStore, folder: Path
) -> None:
    url = store.start()
    pid = _pid(url)
    _write(url, 100)
    _call(url, "CONFIG", "SET", "rdb-key-save-delay", "100000")
    _call(url, "BGREWRITEAOF")
    successor = EmbeddedStore(folder)
    os.kill(pid, signal.SIGKILL)
    try:
        # The child that rewrites outlives its parent by a moment and holds the lock meanwhile.
        assert successor.start() == url
        assert _call(url, "DBSIZE") == 100
    finally:
        successor.stop()


def test_a_stop_that_was_killed_is_finished_by_the_next_start(
    store: EmbeddedStore, folder: Path, new_user: Callable[[], User]
) -> None:
    user = new_user()
    pid = _pid(user.start())
    record = folder / "valkey.pid"
    os.kill(pid, signal.SIGSTOP)
    user.begin_stop()
    _wait_until(lambda: "stopping" in record.read_text())
    user.kill()
    os.kill(pid, signal.SIGCONT)

    assert _pid(store.start()) != pid
    assert "stopping" not in record.read_text()


def test_a_stop_that_was_killed_before_its_signal_is_finished_too(
    store: EmbeddedStore, folder: Path, new_user: Callable[[], User]
) -> None:
    user = new_user()
    pid = _pid(user.start())
    user.kill()
    (folder / "valkey.pid").write_text(f"{pid} stopping\n")
    assert _pid(store.start()) != pid
    assert not _is_running(pid)


def test_ctrl_c_in_the_terminal_does_not_reach_valkey(
    store: EmbeddedStore, folder: Path, new_user: Callable[[], User]
) -> None:
    user = new_user()
    pid = _pid(user.start())
    os.killpg(user.process.pid, signal.SIGINT)
    assert user.process.wait(60) != 0
    assert _pid(store.start()) == pid
    store.stop()
    assert "SIGINT" not in (folder / "valkey.log").read_text()


def test_a_deleted_folder_can_be_left(store: EmbeddedStore, folder: Path) -> None:
    pid = _pid(store.start())
    shutil.rmtree(folder)
    store.stop()
    assert not _is_running(pid)
    assert _call(store.start(), "DBSIZE") == 0


def test_a_deep_folder_has_its_socket_elsewhere(
    tmp_path: Path, folder: Path, new_user: Callable[[], User]
) -> None:
    deep = tmp_path / ("d" * 100) / "data"
    store, user = EmbeddedStore(deep), User(deep)
    try:
        url = store.start()
        assert user.start() == url
        assert _socket(url).parent.parent == Path(tempfile.gettempdir())
        assert _socket(url).parent.stat().st_mode & 0o777 == 0o700
        user.stop()
    finally:
        user.process.communicate()
        store.stop()
    assert not _socket(url).parent.exists()


def test_somebody_elses_folder_is_not_trusted(tmp_path: Path, folder: Path) -> None:
    store = EmbeddedStore(tmp_path / ("d" * 100) / "data")
    private = _socket(store.start()).parent
    store.stop()
    private.symlink_to(tmp_path)
    try:
        assert "somebody else" in _failure(store)
    finally:
        private.unlink()


def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    folder.write_text("")
    assert str(folder) in _failure(EmbeddedStore(folder))
    assert str(folder) in _failure(EmbeddedStore(folder / "below"))


def test_a_corrupt_file_is_left_alone(store: EmbeddedStore, folder: Path) -> None:
    store.start()
    store.stop()
    (log,) = (folder / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"garbage\r\n")

    message = _failure(store)
    assert "Bad file format" in message
    assert log.read_bytes() == b"garbage\r\n"


def test_a_wrong_option(folder: Path) -> None:
    assert "everysec, always, no" in _failure(EmbeddedStore(folder, appendfsync="sometimes"))


def _failure(store: EmbeddedStore) -> str:
    """The message of a start that fails: one line that says what to do."""
    with pytest.raises(EmbeddedStoreError) as raised:
        store.start()
    message = str(raised.value)
    assert "REDIS_ENDPOINT_URL" in message
    assert "\n" not in message
    return message


def _spawn(script: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        text=True,
        start_new_session=True,
    )


def _call(url: str, *command: str) -> Any:
    with Redis.from_url(url, retry=None) as redis:
        return redis.execute_command(*command)


def _write(url: str, count: int) -> None:
    with Redis.from_url(url, retry=None) as redis:
        for number in range(count):
            redis.set(f"key{number}", number)


def _pid(url: str) -> int:
    return int(_call(url, "INFO", "server")["process_id"])


def _socket(url: str) -> Path:
    return Path(unquote(url.removeprefix("unix://")))


def _is_running(pid: int) -> bool:
    """Whether the process has not exited; that nobody reaps orphans in a container is no matter."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return state.strip() not in ("", "Z") and not state.startswith("Z")


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _kill_leftover(record: Path) -> None:
    """Kill the Valkey that a failed test has left; the lock tells that the pid is its."""
    with record.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)
