"""Starting and stopping, as an operator does it: real processes, real stores, real signals."""

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis
from websockets import ConnectionClosed, Subprotocol
from websockets.sync.client import connect

from tests.servers import Server, launch, start_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the embedded store needs POSIX")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def running(**env: str) -> Iterator[Server]:
    server = start_server(env)
    try:
        yield server
    finally:
        # Not killed: its Valkey would outlive it.
        if server.process.poll() is None:
            server.stop()


def graphql(server: Server, query: str, token: str = "") -> dict[str, object]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"{server.url}/graphql", json={"query": query}, headers=headers)
    body: dict[str, dict[str, object]] = answer.json()
    assert "errors" not in body, body
    return body["data"]


def log_in(server: Server) -> str:
    data = graphql(
        server,
        'mutation { login(input: {username: "Pablo", password: "password123"}) { token } }',
    )
    assert isinstance(data["login"], dict)
    return str(data["login"]["token"])


def is_valkey_there(data_dir: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(data_dir / "valkey.sock"))
        except OSError:
            return False
    return True


def valkey_pid(data_dir: Path) -> int:
    return int((data_dir / "valkey.pid").read_text().split()[0])


def only_line(server: Server) -> str:
    """What a server said that gave up at once."""
    (line,) = server.output.splitlines()
    return line


def test_it_says_where_to_go(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        assert f"{server.url}/graphql" in server.output
        for text in ("Pablo", "Joe", "Mary", "Alex", "password123"):
            assert text in server.output
        assert httpx.get(f"{server.url}/").status_code == 200
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}
        page = httpx.get(f"{server.url}/graphql", headers={"accept": "text/html"})
        assert page.status_code in (200, 503)
        assert page.headers["x-content-type-options"] == "nosniff"


def test_sigterm_ends_it_and_its_store(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        assert is_valkey_there(data_dir)
        assert server.stop() == 0
        assert not is_valkey_there(data_dir)
        assert "Traceback" not in server.output


def test_ctrl_c_ends_it_too(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 0
        assert not is_valkey_there(data_dir)
        assert "Traceback" not in server.output


def test_an_open_stream_does_not_hold_up_the_end(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        query = {"query": "subscription { events { __typename } }"}
        headers = {"authorization": f"Bearer {log_in(server)}", "accept": "text/event-stream"}
        with httpx.stream(
            "POST", f"{server.url}/graphql", json=query, headers=headers, timeout=20
        ) as stream:
            lines = stream.iter_lines()
            assert any("CaughtUp" in line for line in lines)
            server.process.send_signal(signal.SIGTERM)
            for _ in lines:
                pass
        assert server.wait() == 0
        assert "Traceback" not in server.output


def test_an_open_socket_is_told_to_come_again(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        protocol = Subprotocol("graphql-transport-ws")
        url = server.url.replace("http", "ws", 1)
        with connect(f"{url}/graphql", subprotocols=[protocol]) as socket:
            payload = {"authorization": f"Bearer {log_in(server)}"}
            socket.send(json.dumps({"type": "connection_init", "payload": payload}))
            assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as caught:
                socket.recv(10)
        assert caught.value.rcvd is not None
        assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1012, "server stopping")
        assert server.wait() == 0


def test_the_second_start_has_the_data_of_the_first(data_dir: Path) -> None:
    send = (
        'mutation { sendMessage(input: {roomId: "room:0", text: "still here"}) { message { id } } }'
    )
    last = '{ messages(roomId: "room:0", last: 1) { nodes { text } } }'
    with running(DATA_DIR=str(data_dir)) as server:
        token = log_in(server)
        graphql(server, send, token)
        server.stop()
    with running(DATA_DIR=str(data_dir)) as server:
        assert graphql(server, last, token) == {"messages": {"nodes": [{"text": "still here"}]}}


def test_a_killed_store_is_started_again(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as server:
        token = log_in(server)
        killed = valkey_pid(data_dir)
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while httpx.get(f"{server.url}/readyz", timeout=10).status_code != 200 or (
            valkey_pid(data_dir) == killed
        ):
            assert time.monotonic() < deadline, server.output
            time.sleep(0.05)
        assert graphql(server, "{ me { username } }", token) == {"me": {"username": "Pablo"}}
        assert server.stop() == 0


def test_no_demo_data_when_not_wanted(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir), DEMO_DATA="false") as server:
        assert "Pablo" not in server.output
        with redis.Redis(unix_socket_path=str(data_dir / "valkey.sock")) as store:
            assert store.exists("total_users") == 0


def test_ready_is_not_the_same_as_alive(tmp_path: Path) -> None:
    """A store that stands still: the process lives, but cannot serve, and says why."""
    with running(DATA_DIR=str(tmp_path / "store")) as owner:
        pid = valkey_pid(tmp_path / "store")
        url = f"unix://{tmp_path}/store/valkey.sock"
        with running(REDIS_ENDPOINT_URL=url) as server:
            os.kill(pid, signal.SIGSTOP)
            try:
                answer = httpx.get(f"{server.url}/readyz", timeout=10)
                assert answer.status_code == 503
                assert answer.json()["reasons"][0] == "The store does not answer."
                assert httpx.get(f"{server.url}/healthz").status_code == 200
            finally:
                os.kill(pid, signal.SIGCONT)
            assert server.stop() == 0
        assert owner.stop() == 0


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("address", ["127.0.0.1:1", "redis://127.0.0.1:1/0", "unix:///no/socket"])
def test_an_unreachable_store_is_one_line(address: str, workers: str) -> None:
    server = launch({"REDIS_ENDPOINT_URL": address, "WORKERS": workers})
    assert server.wait() == 1
    line = only_line(server)
    assert address.removeprefix("redis://").removeprefix("unix://").removesuffix("/0") in line
    assert "REDIS_ENDPOINT_URL" in line


def test_a_server_that_is_no_redis_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        server = launch({"REDIS_ENDPOINT_URL": address})
        while server.process.poll() is None:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                break
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            listener.settimeout(2)
        assert server.wait() == 1
        assert address in only_line(server)


def test_a_wrong_password_is_one_line_without_the_password(data_dir: Path) -> None:
    with running(DATA_DIR=str(data_dir)) as owner:
        with redis.Redis(unix_socket_path=str(data_dir / "valkey.sock")) as store:
            store.config_set("requirepass", "right")
            url = f"unix://{data_dir}/valkey.sock"
            server = launch({"REDIS_ENDPOINT_URL": url, "REDIS_PASSWORD": "wrong-guess"})
            assert server.wait() == 1
            line = only_line(server)
            assert "REDIS_PASSWORD" in line
            assert "wrong-guess" not in line
            store.config_set("requirepass", "")
        assert owner.stop() == 0


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_wrong_setting_is_one_line(workers: str) -> None:
    server = launch({"PORT": "http", "WORKERS": workers})
    assert server.wait() == 1
    assert only_line(server).startswith("parley: PORT: should be a valid integer")


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_taken_port_is_one_line(data_dir: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = launch({"DATA_DIR": str(data_dir), "PORT": port, "WORKERS": workers})
        assert server.wait() == 1
    assert port in only_line(server)
    assert "PORT" in only_line(server)


def test_uvicorn_serves_it_with_workers(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ("-m", "uvicorn", "app:app", "--workers", "2", "--port", str(port))
    server = launch({"DATA_DIR": str(data_dir)}, *command)
    server.url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while server.output.count("Application startup complete") < 2:
            assert time.monotonic() < deadline, server.output
            time.sleep(0.05)
        assert is_valkey_there(data_dir)
        token = log_in(server)
        # Fresh connections, so that both workers have their turn.
        for _ in range(20):
            assert graphql(server, "{ me { username } }", token) == {"me": {"username": "Pablo"}}
        assert server.stop() in (0, -signal.SIGTERM)
        assert not is_valkey_there(data_dir)
        assert "Traceback" not in server.output
    finally:
        if server.process.poll() is None:
            server.stop()


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"REDIS_ENDPOINT_URL": "127.0.0.1:1"}, "Cannot use the Redis at 127.0.0.1:1"),
        ({"REDIS_ENDPOINT_URL": "ftp://x"}, "REDIS_ENDPOINT_URL: should be host:port"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_uvicorn_gives_up_without_a_traceback(
    env: dict[str, str], reason: str, workers: int
) -> None:
    command = ("-m", "uvicorn", "app:app", "--port", "0", "--workers", str(workers))
    server = launch(env, *command)
    status = server.wait()
    # uvicorn's supervisor ends well whatever its workers did.
    assert status != 0 or workers == 2
    assert reason in server.output
    assert "Traceback" not in server.output
    assert len(re.findall(re.escape(reason), server.output)) <= workers
