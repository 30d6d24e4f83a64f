"""`export` and `import`, from one store's process to another's, by files and pipes."""

import gzip
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.archive.lines import write_line
from services.wire import own_message
from tests.cli.command import parley, peak_memory
from tests.servers import start_server
from tests.store_process import StoreProcess
from tests.topologies.cluster import Cluster

_START = 1_795_401_320_000_000
_MEGABYTE = 1024 * 1024


@pytest.fixture
def target() -> Iterator[dict[str, str]]:
    """The settings of an empty store."""
    process = StoreProcess()
    yield {"REDIS_ENDPOINT_URL": process.url}
    process.close()


@pytest.fixture
def source(store_url: str) -> dict[str, str]:
    """The settings of a store with the demo data."""
    env = {"REDIS_ENDPOINT_URL": store_url}
    start_server(env).stop()
    return env


def test_a_chat_moves_by_a_file(
    source: dict[str, str], target: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "chat.jsonl"
    exported = parley("export", str(file), env=source)
    assert exported.status == 0
    assert exported.stdout == ""
    assert exported.stderr.startswith("Exported 4 users and 17 messages in ")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["chat.jsonl"]
    imported = parley("import", str(file), env=target)
    assert imported.status == 0
    assert imported.stderr.startswith("Imported 4 users and 17 messages in ")
    again = parley("import", str(file), env=target)
    assert (again.status, again.stderr) == (
        0,
        "This archive was imported before: nothing is left to do.\n",
    )
    assert parley("users", "list", env=target) == parley("users", "list", env=source)


def test_a_chat_moves_by_a_pipe_and_packed(
    source: dict[str, str], target: dict[str, str], tmp_path: Path
) -> None:
    piped = parley("export", "-", env=source)
    packed = tmp_path / "chat.jsonl.gz"
    assert parley("export", str(packed), env=source).status == 0
    lines = gzip.decompress(packed.read_bytes()).splitlines()
    # The name of the archive is in the first.
    assert sorted(lines[1:]) == sorted(piped.stdout.encode().splitlines()[1:])
    assert parley("import", "-", env=target, stdin=piped.stdout).status == 0
    other = parley("import", str(packed), env=target)
    assert other.status == 1
    assert other.reason.startswith("The store has another chat already")


def test_files_that_cannot_be_used_are_one_line(target: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl.gz"
    missing = parley("import", str(file), env=target)
    assert missing.reason == f"Cannot read {file}: No such file or directory."
    unwritable = parley("export", str(tmp_path / "no" / "folder"), env=target)
    assert unwritable.reason.startswith("Cannot write ")
    folder = parley("import", str(tmp_path), env=target)
    assert folder.reason == f"Cannot read {tmp_path}: Is a directory."
    folder = parley("export", str(tmp_path), env=target)
    assert folder.reason == f"Cannot write {tmp_path}: Is a directory."
    assert list(tmp_path.iterdir()) == []
    file.write_bytes(gzip.compress(b'{"type":"chat"}\n')[:-6])
    damaged = parley("import", str(file), env=target)
    assert damaged.status == 1
    assert "Line 1 cannot be used" in damaged.reason or "is damaged" in damaged.reason
    nothing = parley("import", "-", env=target)
    assert "something is missing before line 1" in nothing.reason


def test_a_named_pipe_is_written_to_and_stays_one(source: dict[str, str], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        assert parley("export", str(pipe), env=source).status == 0
        assert reader.stdout is not None
        assert b'"type":"end"' in reader.stdout.read().splitlines()[-1]
    assert pipe.is_fifo()


def archive(path: Path, messages: int) -> None:
    """One of a room with so many messages."""
    clock = _START + messages
    with path.open("wb") as file:
        file.write(
            write_line(
                type="chat",
                version=1,
                id=f"{messages:032x}",
                clock=clock,
                epochs={"0011aabb": clock},
                last_user=1,
                named_rooms=0,
                messages=messages,
            )
        )
        file.write(
            write_line(
                type="user",
                id="1",
                fields={"username": "Pablo", "password": "x"},
                is_named=True,
                rooms=["0"],
                announced=[],
                log=[],
                seen=None,
                bots=[],
                sessions=[],
            )
        )
        file.write(write_line(type="room", id="0", name="General"))
        for number in range(1, messages + 1):
            position = _START + number
            seconds, fraction = divmod(position, 1_000_000)
            member = own_message("0", "1", f"message {number}", position).decode()
            file.write(
                write_line(
                    type="message",
                    room="0",
                    position=position,
                    score=f"{seconds}.{fraction:06}",
                    member=member,
                )
            )
        file.write(write_line(type="end", users=1, rooms=1, messages=messages))


def test_a_hundred_thousand_messages_take_no_more_memory_than_a_thousand(tmp_path: Path) -> None:
    peaks: list[tuple[int, int]] = []
    for messages in (1_000, 100_000):
        store = StoreProcess()
        peaks.append(there_and_back(store.url, messages, tmp_path))
        store.close()
    assert_alike(*peaks)


def test_so_it_is_on_a_cluster(empty_cluster: Cluster, tmp_path: Path) -> None:
    peaks: list[tuple[int, int]] = []
    for messages in (1_000, 100_000):
        peaks.append(there_and_back(empty_cluster.url, messages, tmp_path))
        empty_cluster.empty()
    assert_alike(*peaks)


def there_and_back(url: str, messages: int, folder: Path) -> tuple[int, int]:
    """Import and export so many messages; the most memory that each has taken."""
    env = {"REDIS_ENDPOINT_URL": url}
    before, after = folder / f"{messages}", folder / f"{messages}-again"
    archive(before, messages)
    peaks = (
        peak_memory("import", str(before), env=env),
        peak_memory("export", str(after), env=env),
    )
    # All but the first line, which is of another moment.
    assert after.read_bytes().split(b"\n")[1:] == before.read_bytes().split(b"\n")[1:]
    return peaks


def assert_alike(few: tuple[int, int], many: tuple[int, int]) -> None:
    for small, large in zip(few, many, strict=True):
        assert large - small < 15 * _MEGABYTE
