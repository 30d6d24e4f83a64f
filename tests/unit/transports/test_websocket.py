"""graphql-transport-ws on a real server."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from application.transports.limits import Limits
from execution.operation import Operation
from execution.request import GraphQLRequest
from tests.unit.transports.sockets import (
    PROTOCOL,
    all_gone,
    closed,
    hear,
    limited,
    logged,
    narrow_socket,
    subscribe,
    tell,
)
from tests.unit.transports.test_http import by_hash
from tests.unit.transports.toy import DIARY, Toy, heard, serving


@pytest.fixture
async def socket(toy: Toy) -> AsyncIterator[ClientConnection]:
    """A socket before the init."""
    async with connect(toy.ws, subprotocols=PROTOCOL) as socket:
        yield socket


@pytest.fixture
async def ready(socket: ClientConnection) -> ClientConnection:
    """A socket after the init."""
    await tell(socket, {"type": "connection_init"})
    assert await hear(socket) == {"type": "connection_ack"}
    return socket


# Handshake


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["x", "graphql-ws"]])
async def test_other_subprotocols(toy: Toy, protocols: Any) -> None:
    async with connect(toy.ws, subprotocols=protocols) as socket:
        assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_subprotocol_is_picked(toy: Toy) -> None:
    offers: Any = ["graphql-ws", "graphql-transport-ws"]
    async with connect(toy.ws, subprotocols=offers) as socket:
        assert socket.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:{port}", True),
        ("HTTP://127.0.0.1:{port}", True),
        ("https://chat.example", True),
        ("https://evil.example", False),
        ("http://127.0.0.1", False),
        ("https://chat.example.evil.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
async def test_origin(toy: Toy, origin: str, allowed: bool) -> None:
    headers = {"origin": origin.format(port=toy.port)}
    connecting = connect(toy.ws, subprotocols=PROTOCOL, additional_headers=headers)
    if allowed:
        async with connecting:
            return
    with pytest.raises(InvalidStatus) as refused:
        async with connecting:
            pass
    assert refused.value.response.status_code == 403


# The connection


@pytest.mark.parametrize("payload", [{}, {"payload": None}, {"payload": {"token": "x"}}])
async def test_init(toy: Toy, socket: ClientConnection, payload: dict[str, Any]) -> None:
    await tell(socket, {"type": "connection_init", **payload})
    assert await hear(socket) == {"type": "connection_ack"}
    assert toy.gateway.payloads == [payload.get("payload")]


async def test_second_init(ready: ClientConnection) -> None:
    await tell(ready, {"type": "connection_init"})
    assert await closed(ready) == (4429, "Too many initialisation requests")


async def test_no_init() -> None:
    async with (
        serving(Limits(init_seconds=0.1)) as toy,
        connect(toy.ws, subprotocols=PROTOCOL) as socket,
    ):
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_subscribe_before_init(socket: ClientConnection) -> None:
    await subscribe(socket, "1", "{ hello }")
    assert await closed(socket) == (4401, "Unauthorized")


async def test_refused(socket: ClientConnection) -> None:
    await tell(socket, {"type": "connection_init", "payload": {"token": "bad"}})
    assert await closed(socket) == (4403, "Forbidden")


async def test_gateway_that_fails(
    toy: Toy, socket: ClientConnection, caplog: pytest.LogCaptureFixture
) -> None:
    toy.gateway.failure = ValueError("secret")
    await tell(socket, {"type": "connection_init"})
    code, reason = await closed(socket)
    assert code == 4500
    assert reason is not None
    # The id stands in the log, beside the exception.
    assert re.fullmatch("Internal server error [0-9a-f]{16}", reason)
    assert reason.split()[-1] in caplog.text
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"x"',
        b'{"type":"ping"}',
        "[" * 5_000,
        "{}",
        '{"type":7}',
        '{"type":"connection_ack"}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"' + "ü" * 500 + '"}',
        '{"type":"connection_init","payload":7}',
        '{"type":"connection_init","payload":[]}',
        '{"type":"ping","payload":"x"}',
        '{"type":"ping","payload":[]}',
        '{"type":"pong","payload":7}',
        '{"type":"complete"}',
        '{"type":"complete","id":7}',
        '{"type":"complete","id":""}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"type":"subscribe","id":7,"payload":{"query":"{ hello }"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}',
        '{"type":"subscribe","id":"' + "x" * 129 + '","payload":{"query":"{ hello }"}}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":null}',
        '{"type":"subscribe","id":"1","payload":[]}',
        '{"type":"subscribe","id":"1","payload":{}}',
        '{"type":"subscribe","id":"1","payload":{"query":7}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":[]}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":"x"}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ hello }","operationName":7}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ hello }","extensions":7}}',
        '{"type":"subscribe","id":"1","payload":[{"query":"{ hello }"}]}',
    ],
)
async def test_malformed_frames(socket: ClientConnection, frame: str | bytes) -> None:
    await socket.send(frame)
    code, reason = await closed(socket)
    assert code == 4400
    assert reason
    assert len(reason.encode()) <= 123


async def test_ping(socket: ClientConnection) -> None:
    await tell(socket, {"type": "ping"})
    assert await hear(socket) == {"type": "pong"}
    await tell(socket, {"type": "ping", "payload": {"a": [1]}})
    assert await hear(socket) == {"type": "pong", "payload": {"a": [1]}}
    await tell(socket, {"type": "pong", "payload": None})
    await tell(socket, {"type": "ping", "payload": None})
    assert await hear(socket) == {"type": "pong"}


async def test_what_was_answered_arrives_before_the_close(socket: ClientConnection) -> None:
    await tell(socket, {"type": "ping"})
    await socket.send("nonsense")
    assert await hear(socket) == {"type": "pong"}
    assert (await closed(socket))[0] == 4400


async def test_keep_alive() -> None:
    async with limited(ping_seconds=0.2) as (_, socket):
        for _ in range(6):
            assert await hear(socket) == {"type": "ping"}
            await tell(socket, {"type": "pong"})
        assert await closed(socket) == (1001, "No message in time")


@pytest.mark.parametrize("code", [4401, 4403, 1012])
async def test_session_that_ends(toy: Toy, ready: ClientConnection, code: int) -> None:
    await subscribe(ready, "1", "subscription { silence }")
    await heard("started")
    [session] = toy.gateway.sessions
    session.ended.set_result((code, "Over"))
    assert await closed(ready) == (code, "Over")
    await heard("closed")
    assert session.closed


# Operations


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ hello }", {"hello": "Hello world"}),
        ("mutation { login }", {"login": True}),
    ],
)
async def test_single_result(ready: ClientConnection, query: str, data: Any) -> None:
    await subscribe(ready, "1", query)
    assert await hear(ready) == {"id": "1", "type": "next", "payload": {"data": data}}
    assert await hear(ready) == {"id": "1", "type": "complete"}


async def test_subscription(ready: ClientConnection) -> None:
    query = "subscription A($to: Int!) { count(to: $to) } subscription B { ticks }"
    await subscribe(ready, "a", query, operationName="A", variables={"to": 2})
    for number in range(2):
        payload = {"data": {"count": number}}
        assert await hear(ready) == {"id": "a", "type": "next", "payload": payload}
    assert await hear(ready) == {"id": "a", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String!) { hello(name: $n) }", {"n": 7}, "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { count(to: $n) }", {}, "BAD_USER_INPUT"),
    ],
)
async def test_request_errors(
    ready: ClientConnection, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    for _ in range(2):  # The id is free again.
        await subscribe(ready, "1", query, variables=variables)
        message = await hear(ready)
        assert (message["id"], message["type"]) == ("1", "error")
        assert [error["extensions"]["code"] for error in message["payload"]] == [code]


async def test_persisted_queries(ready: ClientConnection) -> None:
    extensions = by_hash("{ hello }")
    named = {"id": "1", "type": "subscribe", "payload": {"extensions": extensions}}
    await tell(ready, named)
    message = await hear(ready)
    assert (message["id"], message["type"]) == ("1", "error")
    assert message["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    await subscribe(ready, "2", "{ hello }", extensions=extensions)
    await tell(ready, named)
    answers = [await hear(ready) for _ in range(4)]
    assert [answer["payload"] for answer in answers if answer["type"] == "next"] == [
        {"data": {"hello": "Hello world"}}
    ] * 2


async def test_errors_of_fields(ready: ClientConnection) -> None:
    await subscribe(ready, "1", "{ broken }")
    message = await hear(ready)
    assert message["type"] == "next"
    assert message["payload"]["data"] is None
    assert message["payload"]["errors"][0]["message"] == "Masked."
    assert (await hear(ready))["type"] == "complete"


async def test_stream_that_fails(ready: ClientConnection) -> None:
    await subscribe(ready, "1", "subscription { failing }")
    assert (await hear(ready))["payload"] == {"data": {"failing": 1}}
    [error] = (await hear(ready))["payload"]["errors"]
    assert (error["message"], error["path"]) == ("Masked.", ["failing"])
    assert (await hear(ready))["type"] == "complete"


async def test_unknown_exception(
    toy: Toy,
    ready: ClientConnection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("secret")

    monkeypatch.setattr(toy.gateway.engine, "prepare", fail)
    await subscribe(ready, "1", "{ hello }")
    message = await hear(ready)
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" in caplog.text


async def test_duplicate_id(ready: ClientConnection) -> None:
    await subscribe(ready, "ü" * 128, "subscription { silence }")
    await subscribe(ready, "ü" * 128, "{ hello }")
    code, reason = await closed(ready)
    assert code == 4409
    assert reason
    assert reason.startswith("Subscriber for ü")
    await heard("closed")


async def test_complete_frees_the_id_at_once(ready: ClientConnection) -> None:
    await subscribe(ready, "1", "subscription { silence }")
    await heard("started")
    await tell(ready, {"id": "1", "type": "complete"})
    await subscribe(ready, "1", "{ hello }")
    assert (await hear(ready))["payload"] == {"data": {"hello": "Hello world"}}
    assert await hear(ready) == {"id": "1", "type": "complete"}
    await heard("closed")


async def test_nothing_follows_a_complete(ready: ClientConnection) -> None:
    await subscribe(ready, "1", "subscription { ticks }")
    await hear(ready)
    await tell(ready, {"id": "1", "type": "complete"})
    await heard("closed")
    await tell(ready, {"type": "ping"})
    while (message := await hear(ready))["type"] == "next":
        pass
    assert message == {"type": "pong"}
    await tell(ready, {"id": "1", "type": "complete"})  # Over already: to be ignored.
    await tell(ready, {"type": "ping"})
    assert await hear(ready) == {"type": "pong"}


async def test_operations_are_concurrent(ready: ClientConnection) -> None:
    await subscribe(ready, "1", "{ slow }")
    await subscribe(ready, "2", "subscription { silence }")
    await subscribe(ready, "3", "{ hello }")
    assert (await hear(ready))["id"] == "3"


async def test_too_many_operations() -> None:
    async with limited(max_operations=2) as (_, socket):
        await subscribe(socket, "1", "subscription { silence }")
        await subscribe(socket, "2", "subscription { silence }")
        await subscribe(socket, "3", "{ hello }")
        message = await hear(socket)
        assert (message["id"], message["type"]) == ("3", "error")
        assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await tell(socket, {"id": "1", "type": "complete"})
        await heard("closed")
        await subscribe(socket, "3", "{ hello }")
        assert (await hear(socket))["type"] == "next"


async def test_running_operations_have_a_size_together() -> None:
    async with limited(operations_size=1_000) as (_, socket):
        silence = "subscription { silence }"
        await subscribe(socket, "1", silence, variables={"x": "x" * 2_000})  # Alone it may.
        await heard("started")
        await subscribe(socket, "2", "{ hello }")
        refused = await hear(socket)
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"] == [
            {
                "message": "At most 1000 characters of running operations are allowed on one"
                " connection.",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
        await tell(socket, {"id": "1", "type": "complete"})
        await heard("closed")
        for id_ in ("2", "3"):
            await subscribe(socket, id_, silence, variables={"x": "x" * 400})
        await subscribe(socket, "4", silence, variables={"x": "x" * 400})
        assert (await hear(socket))["id"] == "4"


async def test_running_operations_have_a_weight_together() -> None:
    async with limited(operations_weight=20) as (_, socket):
        await subscribe(socket, "1", f"subscription {{ {'silence ' * 30} }}")  # Alone it may.
        await heard("started")
        await subscribe(socket, "2", "{ hello }")
        refused = await hear(socket)
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"] == [
            {
                "message": "At most 20 tokens and fields of running operations are allowed on one"
                " connection.",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
        await tell(socket, {"id": "1", "type": "complete"})
        await heard("closed")
        silence, other = (f"subscription {name} {{ {'silence ' * 10} }}" for name in ("A", "B"))
        for id_ in ("2", "3"):
            await subscribe(socket, id_, silence)  # Is in memory once.
        await subscribe(socket, "4", other)
        assert (await hear(socket))["id"] == "4"


async def test_a_burst_of_operations_lets_others_have_their_turn(
    toy: Toy, ready: ClientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = toy.gateway.engine.prepare
    turns = 0
    prepared: list[int] = []

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def prepare_in_turn(request: GraphQLRequest) -> Operation:
        prepared.append(turns)
        return prepare(request)

    monkeypatch.setattr(toy.gateway.engine, "prepare", prepare_in_turn)
    messages = [
        {"id": str(number), "type": "subscribe", "payload": {"query": "{ nothing }"}}
        for number in range(50)
    ]
    frames = [Frame(Opcode.TEXT, orjson.dumps(each)).serialize(mask=True) for each in messages]
    others = asyncio.create_task(take_turns())
    ready.transport.write(b"".join(frames))
    for number in range(50):
        assert (await hear(ready))["id"] == str(number)
    others.cancel()
    assert len(set(prepared)) == 50


# Clients that leave


@pytest.mark.parametrize("abrupt", [False, True])
@pytest.mark.parametrize("subscription", ["ticks", "silence", "flood"])
async def test_client_that_leaves(
    toy: Toy,
    ready: ClientConnection,
    subscription: str,
    abrupt: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await subscribe(ready, "1", f"subscription {{ {subscription} }}")
    await heard("started")
    if abrupt:
        ready.transport.abort()
    else:
        await ready.close()
    await heard("closed")
    await all_gone(toy)
    assert toy.gateway.sessions[0].closed
    assert not logged(caplog)


async def test_server_that_stops(caplog: pytest.LogCaptureFixture) -> None:
    async with limited() as (_, socket):
        await subscribe(socket, "1", "subscription { ticks }")
        await heard("started")
    await heard("closed")
    assert DIARY.told == ["started", "closed"]
    assert not logged(caplog)


# A client of others


async def test_gql(toy: Toy) -> None:
    transport = WebsocketsTransport(
        toy.ws,
        init_payload={"token": "x"},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    async with Client(transport=transport) as session:
        assert await session.execute(gql("{ hello }")) == {"hello": "Hello world"}
        counted = [result async for result in session.subscribe(gql("subscription { count }"))]
        assert counted == [{"count": 0}, {"count": 1}, {"count": 2}]
        with pytest.raises(TransportQueryError, match="nothing"):
            await session.execute(gql("{ nothing }"))


async def test_subscriptions_have_a_limit_of_their_own() -> None:
    async with limited(max_operations=3, max_subscriptions=1) as (_, client):
        await subscribe(client, "1", "subscription { silence }")
        await subscribe(client, "2", "subscription { silence }")
        refused = await hear(client)
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"] == [
            {
                "message": "At most 1 subscriptions are allowed on one connection.",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
        await subscribe(client, "2", "{ hello }")
        assert (await hear(client))["type"] == "next"


async def test_pongs_do_not_heap_up_for_who_does_not_read(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as toy:
        narrow = await narrow_socket(toy)
        async with connect(
            toy.ws, subprotocols=PROTOCOL, sock=narrow, compression=None, ping_interval=None
        ) as client:
            client.transport.pause_reading()
            [connection] = toy.state.connections
            frame = b"\x89\xfd\0\0\0\0" + b"x" * 125
            for _ in range(200):
                client.transport.write(frame * 100)
                await asyncio.sleep(0)
            await asyncio.sleep(0.1)
            assert connection.transport.get_write_buffer_size() < 500_000
            client.transport.abort()
    assert not logged(caplog)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ((b"\x81\x82\0\0\0\0\xff\xfe",), 1007),
        ((b"\x01\x81\0\0\0\0\xc3", b"\x80\x81\0\0\0\0("), 1007),
        ((b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0" * 2_000), 1009),
        ((b"\x81\xff\0\0\0\0\x10\0\0\0\0\0\0\0",), 1009),
        ((b"\xf1\x80\0\0\0\0",), 1002),
        ((b"\x83\x80\0\0\0\0",), 1002),
        ((b"\x80\x80\0\0\0\0",), 1002),
        ((b"\x81\x02{}",), 1002),
        ((b"\x88\x81\0\0\0\0\x03",), 1002),
    ],
)
async def test_broken_frames(
    toy: Toy, frames: tuple[bytes, ...], code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(toy.ws, subprotocols=PROTOCOL, compression=None) as client:
        for frame in frames:
            client.transport.write(frame)
        assert (await closed(client))[0] == code
    await all_gone(toy)
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]
