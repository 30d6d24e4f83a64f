"""Several processes on one port, as an operator has them: started, killed, renewed, stopped."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from websockets import ConnectionClosed, Subprotocol
from websockets.sync.client import ClientConnection, connect

from tests.servers import ROOT, Server, environment, launch, start_server
from tests.store_process import StoreProcess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it needs POSIX")

_SECONDS = 30
LOG_IN = 'mutation { login(input: {username: "Pablo", password: "password123"}) { token } }'
EVENTS = {"query": "subscription { events { __typename } }"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def running(**env: str) -> Iterator[Server]:
    server = start_server({"WORKERS": "2", **env}, own_group=True)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def until(holds: Callable[[], object], server: Server) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, server.output
        time.sleep(0.02)


def workers(server: Server) -> set[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False
    )
    return {int(pid) for pid in found.stdout.split()}


def lives(pid: int) -> bool:
    """Nor does one whose parent has not asked what became of it."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()[:1] not in ("", "Z")


def is_store_there(data_dir: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(data_dir / "valkey.sock")) == 0


def log_in(server: Server) -> str:
    answer = httpx.post(f"{server.url}/graphql", json={"query": LOG_IN}, timeout=_SECONDS)
    return str(answer.json()["data"]["login"]["token"])


@contextmanager
def subscriber(server: Server, token: str) -> Iterator[ClientConnection]:
    url = server.url.replace("http", "ws", 1) + "/graphql"
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as client:
        payload = {"authorization": f"Bearer {token}"}
        client.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(client.recv(_SECONDS)) == {"type": "connection_ack"}
        client.send(json.dumps({"id": "1", "type": "subscribe", "payload": EVENTS}))
        assert json.loads(client.recv(_SECONDS))["type"] == "next"
        yield client


def ending(client: ClientConnection) -> int | None:
    """Wait until the socket ends, and say by which close code; None: it was cut."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(_SECONDS)
    return client.close_code if client.protocol.close_rcvd else None


def metrics_urls(server: Server) -> list[str]:
    """One for each worker that has started, in this order."""
    return re.findall(r"Metrics are at (http://[^\s\"]+)", server.output)


def sockets(url: str) -> int:
    return int(
        re.findall(r'^parley_connections\{transport="websocket"\} (\d+)', text(url), re.M)[0]
    )


def text(url: str) -> str:
    return httpx.get(url, timeout=_SECONDS).text


def test_they_are_welcomed_once_and_all_serve(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir), METRICS="0") as server, ExitStack() as stack:
        assert server.output.count("Web page") == 1
        assert len(workers(server)) == 2
        urls = metrics_urls(server)
        assert len(set(urls)) == 2
        token = log_in(server)
        count = 0
        while not all(sockets(url) for url in urls):
            stack.enter_context(subscriber(server, token))
            count += 1
            assert count < 200, "One of them takes no connections."
        assert sum(map(sockets, urls)) == count


def test_the_option_goes_before_the_setting(data_dir: Path) -> None:
    env = {"DATA_DIR": str(data_dir), "WORKERS": "1"}
    server = launch(env, "-m", "application", "serve", "--workers", "3")
    try:
        server.wait_until_serving()
        assert len(workers(server)) == 3
    finally:
        assert server.stop() == 0


def test_one_that_is_killed_is_replaced(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (
        running(DATA_DIR=str(data_dir), METRICS=str(port)) as server,
        ExitStack() as stack,
    ):
        token = log_in(server)
        before = metrics_urls(server)
        clients = []
        while not all(map(sockets, before)):
            clients.append(stack.enter_context(subscriber(server, token)))
        shares = sorted(map(sockets, before))
        killed, other = workers(server)
        os.kill(killed, signal.SIGKILL)
        # Nobody is refused meanwhile.
        with subscriber(server, token):
            pass
        until(lambda: len(metrics_urls(server)) == 3, server)
        assert other in workers(server)
        assert killed not in workers(server)
        assert f"Worker {killed} has ended (SIGKILL)" in server.output
        # The new one has the old one's place, for whoever collects metrics.
        assert metrics_urls(server)[-1] in before
        assert server.stop() == 0
        codes = [ending(client) for client in clients]
        assert sorted((codes.count(None), codes.count(1012))) == shares


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_with_their_store(data_dir: Path, number: signal.Signals) -> None:
    with running(DATA_DIR=str(data_dir)) as server, ExitStack() as stack:
        token = log_in(server)
        clients = [stack.enter_context(subscriber(server, token)) for _ in range(8)]
        pids = workers(server)
        # A terminal tells all of a group.
        is_ctrl_c = number == signal.SIGINT
        (os.killpg if is_ctrl_c else os.kill)(server.process.pid, number)
        assert {ending(client) for client in clients} == {1012}
        assert server.wait() == 0
        assert not any(map(lives, pids))
        assert not is_store_there(data_dir)
        assert "Traceback" not in server.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_they_can_be_stopped_while_they_start(data_dir: Path, number: signal.Signals) -> None:
    server = launch({"DATA_DIR": str(data_dir), "WORKERS": "2"}, own_group=True)
    until(lambda: len(workers(server)) == 2, server)
    pids = workers(server)
    os.killpg(server.process.pid, number)
    assert server.wait() == 0
    assert not any(map(lives, pids))
    assert not is_store_there(data_dir)
    assert server.output == ""


def test_they_do_not_outlive_the_one_that_started_them(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        pids = workers(server)
        with subscriber(server, log_in(server)) as client:
            server.process.kill()
            assert ending(client) == 1012
        until(lambda: not any(map(lives, pids)), server)
        assert not is_store_there(data_dir)


def test_they_are_renewed_and_nobody_is_refused(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server, ExitStack() as stack:
        token = log_in(server)
        clients = [stack.enter_context(subscriber(server, token)) for _ in range(8)]
        before = workers(server)
        answers: list[int] = []
        is_over = threading.Event()

        def ask() -> None:
            # A connection for each.
            while not is_over.is_set():
                answers.append(httpx.get(f"{server.url}/readyz", timeout=_SECONDS).status_code)

        asking = threading.Thread(target=ask)
        asking.start()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers(server)) == 2 and not workers(server) & before, server)
        assert {ending(client) for client in clients} == {1012}
        is_over.set()
        asking.join()
        assert set(answers) == {200}
        assert server.stop() == 0
        assert server.output.count("Web page") == 1


def test_one_that_cannot_be_replaced_ends_no_other() -> None:
    store = StoreProcess()
    try:
        with running(REDIS_ENDPOINT_URL=store.url) as server:
            store.kill()
            killed, other = workers(server)
            os.kill(killed, signal.SIGKILL)
            until(lambda: server.output.count("Cannot use the Redis") > 1, server)
            assert other in workers(server)
            store.start()
            until(lambda: is_well(server) and len(workers(server)) == 2, server)
            assert server.stop() == 0
            assert "Traceback" not in server.output
    finally:
        store.close()


def is_well(server: Server) -> bool:
    return httpx.get(f"{server.url}/readyz", timeout=_SECONDS).status_code == 200


@pytest.mark.long
def test_one_that_does_not_stop_is_killed(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        pids = workers(server)
        os.kill(min(pids), signal.SIGSTOP)
        assert server.stop() == 0
        assert not any(map(lives, pids))
        assert f"Worker {min(pids)} does not stop" in server.output
        assert not is_store_there(data_dir)


@pytest.mark.long
def test_one_that_stands_still_is_replaced(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        still, other = workers(server)
        os.kill(still, signal.SIGSTOP)
        until(lambda: f"Worker {still} stands still, and is killed" in server.output, server)
        until(lambda: len(workers(server) - {still}) == 2, server)
        assert other in workers(server)
        assert server.stop() == 0


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_terminal_that_is_gone_ends_them(data_dir: Path, count: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "application"],
        cwd=ROOT.anchor,
        env=environment({"DATA_DIR": str(data_dir), "WORKERS": count}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C" not in said:
        said += os.read(ours, 4_096)
    assert is_store_there(data_dir)
    os.close(ours)
    assert process.wait(_SECONDS) == 0
    assert not is_store_there(data_dir)


def _take_terminal() -> None:
    """The terminal tells whose it is that it is gone."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
