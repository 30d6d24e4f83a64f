"""The log: one line of JSON for each record, found again by the request's id."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime

import httpx
import pytest
import redis
from gql.transport.exceptions import TransportQueryError
from websockets.asyncio.client import connect

from services import keys
from tests.api.client import Failed, subscription
from tests.observability.conftest import BROKEN_USER, Serve, Visit, logged
from tests.servers import ROOT, environment, start_server


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_server({"DATA_DIR": str(tmp_path_factory.mktemp("server"))})
    yield server.url
    server.stop()


async def test_an_unexpected_error_is_found_by_the_id_that_the_caller_has(
    serve: Serve, visit: Visit, break_a_user: Callable[[], None]
) -> None:
    server = serve()
    pablo = await visit(server).log_in("Pablo")
    break_a_user()
    pablo.http.headers["x-request-id"] = "reported-by-pablo"
    with pytest.raises(Failed) as caught:
        await pablo(BROKEN_USER)
    [error] = caught.value.errors
    server.stop()
    [line] = [line for line in logged(server) if error["extensions"]["id"] in line["message"]]
    assert line["request_id"] == "reported-by-pablo"
    assert line["level"] == "error"
    assert line["logger"] == "schema.errors"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() is not None


async def test_an_error_on_a_socket_is_found_by_the_id_of_the_handshake(
    serve: Serve, visit: Visit, break_a_user: Callable[[], None]
) -> None:
    server = serve()
    pablo = await visit(server).log_in("Pablo")
    break_a_user()
    async with pablo.socket() as session:
        headers = session.transport.response_headers
        with pytest.raises(TransportQueryError) as caught:
            await session.execute(subscription(BROKEN_USER))
    [error] = caught.value.errors or []
    server.stop()
    [line] = [line for line in logged(server) if error["extensions"]["id"] in line["message"]]
    assert line["request_id"] == headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", line["request_id"])


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/nowhere", "/graphql"])
def test_every_answer_bears_the_id(server_url: str, path: str) -> None:
    given = "1-5759e988-bd862e3fe1be46a994272793.a_b:c+d/e=@f"
    headers = {"x-request-id": given}
    assert httpx.get(server_url + path, headers=headers).headers["x-request-id"] == given
    first, second = (httpx.get(server_url + path).headers["x-request-id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("given", ["", "a b", "a" * 65, '"}{', "é", "a\tb"])
def test_an_id_that_is_none_is_replaced(server_url: str, given: str) -> None:
    headers = {"x-request-id": given.encode()}
    answer = httpx.get(f"{server_url}/healthz", headers=headers)  # type: ignore[arg-type]
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


async def test_a_socket_takes_the_id_as_well(server_url: str) -> None:
    async with connect(
        server_url.replace("http", "ws", 1) + "/graphql",
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers={"x-request-id": "from-the-proxy"},
    ) as socket:
        assert socket.response is not None
        assert socket.response.headers["x-request-id"] == "from-the-proxy"


def test_what_others_wrote_stays_in_its_line(serve: Serve, embedded_url: str) -> None:
    server = serve()
    with redis.Redis.from_url(embedded_url) as client:
        client.publish(keys.LOG_CHANNEL, 'rubbish\n{"level": "error"}')
        client.publish(keys.MESSAGES_CHANNEL, "\n{}\n")
    server.stop()
    lines = logged(server)
    assert {line["level"] for line in lines} == {"warning"}
    assert any("malformed ring" in line["message"] for line in lines)
    assert all("request_id" not in line for line in lines)


def test_all_that_uvicorn_says_has_the_same_form(tmp_path: os.PathLike[str]) -> None:
    """Where it is uvicorn that is started, and has a format of its own."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0", "--app-dir", str(ROOT)]
    lines = []
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment({}), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(json.loads(line))
            found = re.search(r"running on (http://[0-9.:]+)", lines[-1]["message"])
            if found:
                httpx.get(f"{found[1]}/healthz?token=a.secret", headers={"x-request-id": "looked"})
                process.terminate()
    [access] = [line for line in lines if line["logger"] == "uvicorn.access"]
    assert access["request_id"] == "looked"
    assert access["message"].endswith('"GET /healthz HTTP/1.1" 200')


_SAYING = """
import logging
from application.logs import set_up_logs
set_up_logs("info")
try:
    password = "a-secret"
    1 / 0
except ZeroDivisionError:
    logging.getLogger("some.place").exception("It failed.")
"""


@pytest.mark.parametrize("plain", [{}, {"NO_COLOR": "1"}])
def test_on_a_terminal_it_is_for_people(plain: dict[str, str]) -> None:
    ours, its = pty.openpty()
    subprocess.run([sys.executable, "-c", _SAYING], stderr=its, env=environment(plain), check=True)
    os.close(its)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    assert "It failed." in said
    assert "ZeroDivisionError" in said
    assert "a-secret" not in said.replace('password = "a-secret"', "")
    assert not said.startswith("{")
    assert ("\x1b[" in said) is not bool(plain)
