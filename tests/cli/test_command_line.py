"""What all commands have in common."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import parley
from tests.servers import ROOT, environment


def test_help_lists_the_commands() -> None:
    outcome = parley("--help", env={})
    assert outcome.status == 0
    assert "serve" in outcome.stdout
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["sing"], "No such command 'sing'."),
        (["serve", "--colour", "blue"], "No such option: --colour"),
        (["serve", "--port", "http"], "Invalid value for '--port'"),
    ],
)
def test_what_cannot_be_understood_is_one_line(words: list[str], reason: str) -> None:
    outcome = parley(*words, env={})
    assert outcome.status == 2
    assert outcome.reason.startswith(reason)
    assert outcome.reason.endswith("Try --help.")


def test_options_go_before_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = parley("serve", "--host", "127.0.0.1", "--port", port, env={"HOST": "192.0.2.1"})
    assert outcome.status == 1
    assert outcome.reason.startswith(f"Cannot listen on 127.0.0.1, port {port}")


def test_a_wrong_setting_is_one_line() -> None:
    outcome = parley("serve", env={"LOGIN_QUEUE": "long"})
    assert outcome.status == 1
    assert outcome.reason.startswith("LOGIN_QUEUE: should be a valid integer")
    assert ".env.sample" in outcome.reason


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("words", [["export", "-"], ["doctor"], ["--help"]])
def test_output_that_finds_no_room_is_one_line(store_url: str, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "application", *words],
            env=environment({"REDIS_ENDPOINT_URL": store_url}),
            cwd=ROOT.anchor,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == "parley: Cannot write standard output: No space left on device.\n"
    assert done.returncode == 1


def test_output_of_which_somebody_has_seen_enough(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "application", "doctor"],
        env=environment({"DATA_DIR": str(tmp_path / "data")}),
        cwd=ROOT.anchor,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
    assert not (tmp_path / "data" / "valkey.sock").exists()


@pytest.mark.parametrize("words", ["users list", "users create Zoe", "--help"])
def test_streams_that_are_closed(store_url: str, words: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -m application {words} <&- >&-"],
        env=environment({"REDIS_ENDPOINT_URL": store_url}),
        cwd=ROOT.anchor,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if "create" in words else 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_stopped_leaves_no_store(tmp_path: Path, number: signal.Signals) -> None:
    socket_path = tmp_path / "data" / "valkey.sock"
    with subprocess.Popen(
        [sys.executable, "-m", "application", "import", "-"],
        env=environment({"DATA_DIR": str(tmp_path / "data")}),
        cwd=ROOT.anchor,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        # More than a pipe holds: it reads the archive, and waits for the rest of a line.
        process.stdin.write(b"x" * 512 * 1024)
        process.stdin.flush()
        assert socket_path.exists()
        process.send_signal(number)
        assert process.stderr.read() == b""
        assert process.wait(20) == 128 + number
    assert not socket_path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_a_prompt_that_gets_no_answer_is_given_up() -> None:
    master, terminal = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "application", "users", "create", "Zoé"],
        env=environment({}),
        cwd=ROOT.anchor,
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read(len("Password: ")) == "Password: "
        os.write(master, b"\x04")
        assert process.stderr.read().splitlines()[-1] == "parley: No password was given."
    os.close(master)
    os.close(terminal)
    assert process.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded store needs POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_is_stopped_leaves_no_store_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "application", "import", "-"],
        env=environment({"DATA_DIR": str(tmp_path)}),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        store = tmp_path / "valkey.sock"
        while not is_listening(store):
            assert process.poll() is None
            time.sleep(0.05)
        assert process.stdin is not None
        # Once this is read, it waits for more.
        process.stdin.write(b" " * 1_000_000)
        process.send_signal(number)
        assert process.wait(20) == status
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert not is_listening(store)


def is_listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True
