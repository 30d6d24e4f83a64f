"""What callers may cost before any operation, on running servers."""

import base64
import gzip
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
from websockets import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from application.settings import Settings
from tests.security.callers import (
    SUBPROTOCOL,
    answer,
    bearer,
    closed,
    connected,
    errors,
    hear,
    opened,
    post,
    subscribe,
    tell,
)
from tests.security.conftest import Started
from tests.servers import Server

STREAM = {"accept": "text/event-stream"}
LIVE = "subscription { events { __typename } }"
JSON_POST = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def test_bodies(started: Started) -> None:
    server = started(MAX_BODY_BYTES=1_000)
    response = post(server, "{ __typename }" + " " * 1_000)
    assert response.status_code == 413
    assert errors(response) == [("BAD_USER_INPUT", "The body is larger than 1000 bytes.")]
    assert post(server, "{ __typename }" + " " * 500).status_code == 200


def test_endless_bodies(started: Started) -> None:
    server = started()
    for head in (
        b"content-length: 1000000000\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n3b9aca00\r\n",
    ):
        sent = 0
        with connected(server) as connection, suppress(ConnectionError):
            connection.sendall(JSON_POST + head)
            while sent < 1_000_000_000:
                sent += connection.send(b" " * 65_536)
        assert sent < 50_000_000


def test_compressed_bombs(started: Started) -> None:
    server = started()
    bomb = gzip.compress(b" " * 100_000_000)
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        response = httpx.post(
            f"{server.url}/graphql",
            content=bomb,
            headers={"content-type": "application/json", "content-encoding": encoding},
        )
        assert response.status_code == 415
        assert errors(response) == [("BAD_USER_INPUT", "The body must not be compressed.")]


def test_sockets_do_not_compress(started: Started) -> None:
    server = started()
    url = server.url.replace("http", "ws", 1) + "/graphql"
    with connect(url, subprotocols=[SUBPROTOCOL], compression="deflate") as client:
        assert "sec-websocket-extensions" not in client.response.headers  # type: ignore[union-attr]


def test_frames(started: Started) -> None:
    server = started(MAX_FRAME_BYTES=1_000)
    with opened(server) as client:
        client.send('{"type": "ping"}' + " " * 900)
        assert hear(client) == {"type": "pong"}
        client.send('{"type": "ping"}' + " " * 1_000)
        assert closed(client)[0] == 1009
    with opened(server) as client:
        with suppress(ConnectionClosed):  # It may be closed before the last is sent.
            client.send(" " * 300 for _ in range(5))
        assert closed(client)[0] == 1009


def test_init_is_awaited_for_ten_seconds_at_most(started: Started) -> None:
    assert Settings.model_fields["connection_init_seconds"].default == 10
    server = started(CONNECTION_INIT_SECONDS=0.2)
    with opened(server, init=False) as client:
        assert closed(client) == (4408, "Connection initialisation timeout")


def test_operations_of_a_connection(started: Started) -> None:
    server = started(MAX_OPERATIONS_PER_CONNECTION=3, MAX_SUBSCRIPTIONS_PER_CONNECTION=2)
    headers = bearer(server)
    with opened(server, headers=headers) as client:
        for number in range(3):
            subscribe(client, str(number), "subscription { presenceChanged { id } }")
        told = hear(client)
        assert (told["id"], told["type"]) == ("2", "error")
        assert told["payload"] == [
            {
                "message": "At most 2 subscriptions are allowed on one connection.",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
        subscribe(client, "3", "{ __typename }")
        assert hear(client)["type"] == "next"


@contextmanager
def stream(server: Server, **headers: str) -> Iterator[httpx.Response]:
    with httpx.stream(
        "POST", f"{server.url}/graphql", json={"query": LIVE}, headers={**STREAM, **headers}
    ) as response:
        yield response


def test_connections_of_an_address(started: Started) -> None:
    server = started(MAX_CONNECTIONS_PER_ADDRESS=3)
    headers = bearer(server)
    refusal = "At most 3 connections are allowed from one address."
    with ExitStack() as stack:
        stack.enter_context(opened(server))
        stack.enter_context(opened(server, init=False))
        assert stack.enter_context(stream(server, **headers)).status_code == 200
        with opened(server, init=False) as client:
            assert closed(client) == (4429, refusal)
        with stream(server, **headers) as response:
            response.read()
            assert response.status_code == 429
            assert errors(response) == [("RATE_LIMITED", refusal)]
        assert post(server, "{ me { id } }", headers=headers).status_code == 200


def test_connections_of_a_user(started: Started) -> None:
    server = started(MAX_CONNECTIONS_PER_USER=2)
    headers = bearer(server)
    refusal = "At most 2 connections are allowed for one user."
    with opened(server, headers), opened(server), stream(server, **headers) as response:
        assert response.status_code == 200
        with opened(server, init=False) as client:
            tell(client, {"type": "connection_init", "payload": headers})
            assert closed(client) == (4429, refusal)
        with stream(server, **headers) as refused:
            refused.read()
            assert refused.status_code == 429
            assert errors(refused) == [("RATE_LIMITED", refusal)]


def test_load_tests_may_open_any_number(started: Started) -> None:
    server = started(RATE_LIMITS="off", MAX_CONNECTIONS_PER_ADDRESS=1, MAX_CONNECTIONS_PER_USER=1)
    headers = bearer(server)
    with opened(server, headers), opened(server, headers), stream(server, **headers) as response:
        assert response.status_code == 200


def test_forwarded_addresses_of_trusted_proxies_only(started: Started) -> None:
    for trusted, is_believed in (
        ("", False),
        ("10.0.0.0/8", False),
        ("10.0.0.1, 127.0.0.0/8", True),
    ):
        server = started(MAX_CONNECTIONS_PER_ADDRESS=1, TRUSTED_PROXIES=trusted)
        forwarded = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
        with opened(server, headers=forwarded):
            for other, is_another in (
                ({"x-forwarded-for": "192.0.2.8"}, is_believed),
                ({"x-forwarded-for": "192.0.2.8, 192.0.2.7"}, False),
                ({"x-forwarded-for": "192.0.2.7, 192.0.2.9"}, is_believed),
                ({"x-forwarded-for": "nonsense"}, is_believed),
                ({}, is_believed),
            ):
                with opened(server, init=False, headers=other) as client:
                    if is_another:
                        tell(client, {"type": "connection_init"})
                        assert hear(client) == {"type": "connection_ack"}
                    else:
                        assert closed(client)[0] == 4429
        answered = httpx.get(f"{server.url}/healthz", headers=forwarded)
        assert ("strict-transport-security" in answered.headers) == is_believed


def test_origins_of_sockets(started: Started) -> None:
    server = started(ALLOWED_ORIGINS="https://chat.example", TRUSTED_PROXIES="127.0.0.1")
    own = server.url
    secure = {"x-forwarded-proto": "https"}
    for headers, is_allowed in (
        ({}, True),
        ({"origin": own}, True),
        ({"origin": "https://chat.example"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": own.replace("http", "https"), **secure}, True),
        # Somebody on the way may make pages of our own host, but not with TLS.
        ({"origin": own, **secure}, False),
    ):
        if is_allowed:
            with opened(server, headers={"cookie": "parley_session=x", **headers}):
                pass
        else:
            with pytest.raises(InvalidStatus) as refused, opened(server, headers=headers):
                pass
            assert refused.value.response.status_code == 403


HALF_SENT = [
    b"",
    b"GET /graphql HT",
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nx: ",
    JSON_POST + b"content-length: 100\r\n\r\n{",
    JSON_POST + b"transfer-encoding: chunked\r\n\r\n5\r\n{",
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n",
]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_half_sent_requests_block_nobody_and_end(started: Started) -> None:
    server = started()
    files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    with ExitStack() as stack:
        slow = [
            (sent, stack.enter_context(connected(server))) for sent in HALF_SENT for _ in range(30)
        ]
        for sent, connection in slow:
            connection.sendall(sent)
        assert post(server, "{ __typename }").status_code == 200
        for sent, connection in slow:
            status = b"HTTP/1.1 408 Request Timeout" if sent else b""
            assert answer(connection).partition(b"\r\n")[0] == status
        assert post(server, "{ __typename }").status_code == 200
    while len(os.listdir(f"/proc/{server.process.pid}/fd")) > files:
        time.sleep(0.05)


def test_slow_requests_end_too(started: Started) -> None:
    """A byte now and then does not keep a connection open."""
    server = started()
    with connected(server) as connection:
        connection.settimeout(0.5)
        received = b""
        connection.sendall(b"GET /graphql HTTP/1.1\r\nhost: x\r\nx: ")
        while not received:
            try:
                received = connection.recv(65_536)
            except TimeoutError:
                connection.sendall(b"y")
        assert received.startswith(b"HTTP/1.1 408 ")


def test_a_handshake_and_then_nothing(started: Started) -> None:
    server = started(CONNECTION_INIT_SECONDS=0.2)
    key = base64.b64encode(bytes(16))
    with connected(server) as connection:
        connection.sendall(
            b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n"
            b"sec-websocket-key: " + key + b"\r\n\r\n"
        )
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection)
