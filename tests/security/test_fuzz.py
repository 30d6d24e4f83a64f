"""Thousands of inputs that nobody foresaw: no 5xx, no dead process, no traceback in the log.

`make fuzz` sends more of them: FUZZ is how many times as many.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from websockets import ConnectionClosed
from websockets.frames import CloseCode

from tests.security import strategies
from tests.security.callers import SECONDS, bearer, connected, hear, opened, post, tell
from tests.security.test_pages import INTERNAL
from tests.servers import ROOT, Server

TIMES = int(os.environ.get("FUZZ", "1"))
BATCH = 20
ABNORMAL = {CloseCode.ABNORMAL_CLOSURE, CloseCode.INTERNAL_ERROR, 4500}

SCHEMA = schemathesis.graphql.from_file((ROOT / "schema.graphql").read_text())
HASHING = {"Mutation.register", "Mutation.login"}
"""Each takes a twentieth of a second, so there are few of them."""


def inputs(count: int) -> settings:
    return settings(
        max_examples=count * TIMES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


pytestmark = pytest.mark.timeout(120 + 600 * TIMES)


# GraphQL


def operations(*, hashing: bool) -> st.SearchStrategy[Any]:
    found = [result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok)]
    wanted = [
        operation.as_strategy()
        for operation in found
        if (operation.label in HASHING) == hashing and operation.label != "Mutation.logout"
    ]
    assert wanted
    return st.one_of(wanted)


@pytest.fixture(scope="module")
def client(victim: Server) -> Iterator[httpx.Client]:
    headers = {"accept": "application/json", **bearer(victim)}
    with httpx.Client(base_url=victim.url, headers=headers, timeout=SECONDS) as client:
        yield client


def ask(client: httpx.Client, query: str) -> None:
    answer = client.post("/graphql", json={"query": query})
    assert answer.status_code == 200, answer.text
    assert "INTERNAL_SERVER_ERROR" not in answer.text
    assert not INTERNAL.search(
        "".join(error["message"] for error in answer.json().get("errors", ()))
    )


@inputs(500)
@given(case=operations(hashing=False))
def test_operations(client: httpx.Client, case: Any) -> None:
    ask(client, case.body)


@inputs(20)
@given(case=operations(hashing=True))
def test_operations_that_hash(client: httpx.Client, case: Any) -> None:
    ask(client, case.body)
    client.cookies.clear()


# HTTP


@inputs(100)
@given(requests=st.lists(strategies.http_requests(), min_size=BATCH, max_size=BATCH))
def test_http_requests(victim: Server, requests: list[bytes]) -> None:
    for request in requests:
        with connected(victim) as connection:
            connection.sendall(request)
            received = b""
            while (piece := connection.recv(65_536)) and b"text/event-stream" not in received:
                received += piece
        check(received)


@inputs(60)
@given(requests=st.lists(strategies.broken_http, min_size=BATCH, max_size=BATCH))
def test_broken_http(victim: Server, requests: list[bytes]) -> None:
    """Whether there is an answer at all cannot be told."""
    with all_connected(victim, BATCH) as connections:
        for connection, request in zip(connections, requests, strict=True):
            connection.sendall(request)
        for received in answers(connections):
            check(received)


def check(received: bytes) -> None:
    head, _, body = received.partition(b"\r\n\r\n")
    if received and not received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 503")):
        assert head.startswith((b"HTTP/1.1 101", b"HTTP/1.1 2", b"HTTP/1.1 3")), received
    if b"INTERNAL_SERVER_ERROR" in body:
        raise AssertionError(received)


# WebSocket


@inputs(120)
@given(
    texts=st.lists(strategies.socket_texts, min_size=10, max_size=10),
    is_open=st.sampled_from([True, True, True, False]),
)
def test_socket_messages(victim: Server, texts: list[bytes], is_open: bool) -> None:
    """Out of order, of wrong types, or noise: one that breaks the protocol is closed for it."""
    sent = 0
    while sent < len(texts):
        with opened(victim, init=is_open) as client, suppress(ConnectionClosed):
            for text in texts[sent:]:
                sent += 1
                client.send(text, text=True)
                # The answer to this one follows those to the text.
                tell(client, {"type": "ping", "payload": {"after": sent}})
                while hear(client) != {"type": "pong", "payload": {"after": sent}}:
                    pass
        assert client.close_code not in ABNORMAL, (texts[sent - 1], client.close_reason)


@inputs(80)
@given(frames=st.lists(st.lists(strategies.frames(), max_size=4), min_size=BATCH, max_size=BATCH))
def test_frames(victim: Server, frames: list[list[bytes]]) -> None:
    with all_connected(victim, BATCH) as connections:
        for connection in connections:
            connection.sendall(HANDSHAKE)
        for connection, sent in zip(connections, frames, strict=True):
            while not connection.recv(65_536).endswith(b"\r\n\r\n"):
                pass
            connection.sendall(b"".join(sent))
        for received in answers(connections):
            assert not received.startswith(b"\x88\x02\x03\xf3"), received  # 1011


HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


# The channel of the other servers


@inputs(40)
@given(envelopes=st.lists(strategies.envelopes, min_size=50, max_size=50))
def test_envelopes(victim: Server, embedded_url: str, envelopes: list[bytes]) -> None:
    with redis.Redis.from_url(embedded_url) as client, client.pipeline(transaction=False) as batch:
        for envelope in envelopes:
            batch.publish("MESSAGES", envelope)
        assert all(batch.execute()), "The server does not listen any more."


def test_what_comes_after_is_delivered(victim: Server, embedded_url: str) -> None:
    """The channel still works after all that."""
    headers = bearer(victim)
    query = 'subscription { messageAdded(roomId: "room:0") { node { text } } }'
    send = (
        'mutation { sendMessage(input: {roomId: "room:0", text: "still here"}) { message { id } } }'
    )
    with opened(victim, headers) as client, redis.Redis.from_url(embedded_url) as store:
        store.publish("MESSAGES", b"\xff")
        tell(client, {"id": "1", "type": "subscribe", "payload": {"query": query}})
        tell(client, {"type": "ping"})
        assert hear(client) == {"type": "pong"}
        post(victim, send, headers=headers)
        while hear(client)["payload"]["data"]["messageAdded"]["node"]["text"] != "still here":
            pass


@contextmanager
def all_connected(server: Server, count: int) -> Iterator[list[socket.socket]]:
    connections = [connected(server) for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def answers(connections: list[socket.socket]) -> Iterator[bytes]:
    """What has come after a moment, if anything has."""
    time.sleep(0.02)
    for connection in connections:
        connection.setblocking(False)
        received = b""
        with suppress(BlockingIOError, ConnectionError):
            while piece := connection.recv(65_536):
                received += piece
        yield received
