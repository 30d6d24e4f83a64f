"""The WebSocket protocol byte by byte, beside uvicorn's own."""

import asyncio
import gc
import socket
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import connect
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.server import ServerProtocol

from application.transports import closing, protocols
from application.transports.frames import text_frame
from application.transports.protocols import WebSocketProtocol
from application.transports.websocket import WebSocketEndpoint
from tests.unit.transports.sockets import PROTOCOL, all_gone, hear, limited, subscribe, tell
from tests.unit.transports.toy import heard, serving

KEY = b"MDEyMzQ1Njc4OWFiY2RlZg=="
BIG = "query ($n: String!) { hello(name: $n) }"

REQUEST = {
    b"host": b"x",
    b"connection": b"keep-alive, Upgrade",
    b"upgrade": b"WebSocket",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": KEY,
    b"sec-websocket-protocol": b"x, graphql-transport-ws",
}


def handshake(method: bytes = b"GET", **changed: bytes | None) -> bytes:
    """The request, with headers changed or, where they are None, left out."""
    headers: dict[bytes, bytes | None] = {**REQUEST}
    headers |= {name.replace("_", "-").encode(): value for name, value in changed.items()}
    lines = [name + b": " + value for name, value in headers.items() if value is not None]
    return b"\r\n".join([method + b" /graphql?a=%20 HTTP/1.1", *lines, b"", b""])


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """A client's, with a mask that changes nothing."""
    size = len(payload)
    assert size < 1 << 16
    length = bytes([0x80 | size]) if size < 126 else bytes([0xFE, size >> 8, size & 0xFF])
    return bytes([first]) + length + bytes(4) + payload


def message(type_: str, **more: Any) -> bytes:
    return frame(orjson.dumps({"type": type_, **more}))


async def conversation(port: int, *said: bytes) -> tuple[bytes, bytes]:
    """The head of the response, and all that follows until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            writer.write(said[0])
            head = await reader.readuntil(b"\r\n\r\n")
            for each in said[1:]:
                writer.write(each)
                await asyncio.sleep(0.02)
            return head, await reader.read()
    finally:
        writer.close()


# Opening


async def test_it_opens_as_the_library_would() -> None:
    headers = Headers((name.decode(), value.decode()) for name, value in REQUEST.items())
    expected = ServerProtocol().accept(Request("/graphql", headers)).headers
    async with serving() as toy:
        head, _ = await conversation(toy.port, handshake(), frame(b"", 0x88))
    status, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert status == b"HTTP/1.1 101 Switching Protocols"
    given = Headers(tuple(line.decode().split(": ")) for line in lines)  # type: ignore[misc]
    for name in ("Upgrade", "Connection", "Sec-WebSocket-Accept"):
        assert given[name] == expected[name]
    assert given["Sec-WebSocket-Protocol"] == "graphql-transport-ws"
    assert "Sec-WebSocket-Extensions" not in given


async def test_extensions_are_declined() -> None:
    async with serving() as toy, connect(toy.ws, subprotocols=PROTOCOL) as client:
        assert client.protocol.extensions == []
        await tell(client, {"type": "connection_init"})
        assert await hear(client) == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("request_", "status", "header"),
    [
        (handshake(sec_websocket_key=None), 400, None),
        (handshake(sec_websocket_key=b"short"), 400, None),
        (handshake(sec_websocket_key=b"MDEyMw=="), 400, None),
        (handshake(sec_websocket_key=KEY + b"\r\nsec-websocket-key: " + KEY), 400, None),
        (handshake(sec_websocket_version=None), 426, b"Sec-WebSocket-Version: 13"),
        (handshake(sec_websocket_version=b"8"), 426, b"Sec-WebSocket-Version: 13"),
        (handshake(b"PUT"), 405, b"Allow: GET"),
        (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400, None),
        (handshake(host=None), 400, None),
        (handshake(host=b"x\r\nhost: y"), 400, None),
        (handshake(content_length=b"6") + frame(b""), 400, None),
        (handshake(transfer_encoding=b"chunked") + b"0\r\n\r\n", 400, None),
        (handshake(origin=b"https://evil.example"), 403, None),
    ],
)
async def test_what_opens_nothing(request_: bytes, status: int, header: bytes | None) -> None:
    async with serving() as toy:
        head, body = await conversation(toy.port, request_)
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert header is None or header + b"\r\n" in head
        assert b"content-length: %d\r\n" % len(body) in head.lower()
        await all_gone(toy)


@pytest.mark.parametrize(
    "written",
    [
        {"connection": b"Upgrade\r\nconnection: keep-alive"},
        {"upgrade": b"h2c, websocket"},
        {"upgrade": b"websocket\r\nupgrade: h2c"},
        {"sec_websocket_key": KEY + b" \t"},
        {"sec_websocket_protocol": b"x\r\nsec-websocket-protocol: graphql-transport-ws"},
        {"content_length": b"0"},
    ],
)
async def test_headers_as_they_may_be_written(written: dict[str, bytes]) -> None:
    async with serving() as toy:
        head, _ = await conversation(toy.port, handshake(**written), frame(b"", 0x88))
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n" in head


INIT = message("connection_init")


@pytest.mark.parametrize("cut", [5, len(INIT)])
async def test_who_does_not_wait_for_the_answer(cut: int) -> None:
    """Frames come in one piece with the request, the last of them in part."""
    async with serving() as toy:
        said = handshake() + INIT[:cut], INIT[cut:], frame(b"", 0x88)
        _, body = await conversation(toy.port, *said)
        assert list(frames_of(body)) == [text_frame(b'{"type":"connection_ack"}'), b"\x88\x00"]


async def test_what_the_application_does_not_take_stays_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go_on = asyncio.Event()
    serve = WebSocketEndpoint.__call__

    async def serve_later(*arguments: Any) -> None:
        await may_go_on.wait()
        await serve(*arguments)

    monkeypatch.setattr(WebSocketEndpoint, "__call__", serve_later)
    async with serving() as toy:
        reader, writer = await asyncio.open_connection("127.0.0.1", toy.port)
        writer.write(handshake())
        await asyncio.sleep(0.05)
        said = INIT + frame(b"{}") * 200_000
        tracemalloc.start()
        try:
            writer.write(said)
            await asyncio.sleep(0.1)
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size < 1_000_000
        may_go_on.set()
        await reader.readuntil(b"The message has no type")
        writer.close()
        await all_gone(toy)


async def test_who_has_asked_waits_for_the_answer_first() -> None:
    """Else it would come between the frames."""
    body = b'{"query":"{ late }"}'
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    request = head + b"content-length: %d\r\n\r\n" % len(body) + body
    async with serving() as toy:
        head, body = await conversation(toy.port, request + handshake())
        assert head.startswith(b"HTTP/1.1 200 ")
        answered, *rest = body.split(b"HTTP/1.1 ")
        assert answered == b'{"data":{"late":"late"}}'
        assert [each[:4] for each in rest] == [b"400 "]
        await all_gone(toy)


# What passes


SAID = [
    message("connection_init"),
    message("ping", payload={"a": "ü"}),
    frame(b"are you there", 0x89),
    message("subscribe", id="1", payload={"query": "subscription { count(to: 50) }"}),
    message("subscribe", id="2", payload={"query": BIG, "variables": {"n": "ü" * 300}}),
    message("subscribe", id="3", payload={"query": BIG, "variables": {"n": "x" * 50_000}}),
    frame(b'{"type":', 0x01) + frame(b"", 0x89) + frame(b'"ping"}', 0x80),
]
ENDS = [
    frame(b"\x03\xe8", 0x88),
    frame(b"", 0x88),
    frame(b"\x0f\xa1so long", 0x88),
    frame(b"\x03", 0x88),
    frame(b"\x03\xe8\xff", 0x88),
    frame(b"nonsense"),
    frame(b"binary", 0x82),
    frame(b"\xff"),
    frame(b"fragment", 0x80),
    frame(b"reserved", 0xC1),
    b"\x81\x01x",
    b"\x81\xff" + bytes(4) + b"\x10" + bytes(3) + bytes(4),
    message("connection_init"),
]


@pytest.mark.parametrize("end", ENDS)
async def test_either_way_the_same_bytes_arrive(end: bytes) -> None:
    """By our protocol and ready frames, and by uvicorn's and ASGI alone."""
    ours, uvicorns = [
        await frames_of_conversation(protocol, end)
        for protocol in (WebSocketProtocol, WebSocketsSansIOProtocol)
    ]
    assert sorted(ours[:-1]) == sorted(uvicorns[:-1])
    # Why a socket fails is said in other words.
    assert ours[-1][0] == uvicorns[-1][0] == 0x88
    assert ours[-1][2:4] == uvicorns[-1][2:4]


async def frames_of_conversation(protocol: type[asyncio.Protocol], end: bytes) -> list[bytes]:
    """What is heard, up to the close frame."""
    async with serving(sockets_by=protocol) as toy:
        reader, writer = await asyncio.open_connection("127.0.0.1", toy.port)
        writer.write(handshake())
        await reader.readuntil(b"\r\n\r\n")
        for each in (*SAID, end):
            writer.write(each)
            await asyncio.sleep(0.02)
        body = b""
        async with asyncio.timeout(5):
            while not (frames := list(frames_of(body))) or frames[-1][0] != 0x88:
                body += await reader.read(64 * 1024)
        writer.close()
        await all_gone(toy)
    return frames


def frames_of(body: bytes) -> Iterator[bytes]:
    while body:
        size, head = body[1], 2
        if size > 125:
            head += 2 if size == 126 else 8
            size = int.from_bytes(body[2:head])
        yield body[: head + size]
        body = body[head + size :]


@pytest.mark.parametrize(
    ("piece", "least"), [(frame(b"", 0x89) * 5_000, 50), (message("pong") * 500, 500)]
)
async def test_between_what_comes_at_once_others_have_their_turn(piece: bytes, least: int) -> None:
    async with limited() as (toy, _):
        (connection,) = toy.state.connections
        connection.data_received(piece)
        turns = 0
        while not connection.transport.is_reading():
            turns += 1
            await asyncio.sleep(0)
        assert turns >= least - 1


async def test_a_good_bye_is_answered_with_its_own_code() -> None:
    async with serving() as toy:
        _, body = await conversation(toy.port, handshake(), frame(b"\x0f\xa1so long", 0x88))
        assert body == b"\x88\x09\x0f\xa1so long"


async def test_nothing_counts_behind_a_good_bye() -> None:
    async with serving() as toy:
        init, end = message("connection_init"), frame(b"", 0x88)
        _, body = await conversation(toy.port, handshake(), end + init + b"\xff\xff")
        assert body == b"\x88\x00"


async def test_who_does_not_answer_a_good_bye_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "_HANDSHAKE_SECONDS", 0.1)
    async with serving() as toy:
        said = frame(b"nonsense"), frame(b"more", 0x82), frame(b"", 0x89)
        _, body = await conversation(toy.port, handshake(), *said)
        assert [each[:4] for each in frames_of(body)] == [b"\x88" + body[1:2] + b"\x11\x30"]
        await all_gone(toy)


async def test_why_it_fails_is_heard_by_who_still_speaks() -> None:
    """What is closed with something unread, is reset: the close frame might get lost."""
    async with serving() as toy:
        with socket.create_connection(("127.0.0.1", toy.port)) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, handshake())
            assert b" 101 " in await loop.sock_recv(client, 1_000)
            await loop.sock_sendall(client, b"\x83\x80" + b"x" * 200_000)
            await asyncio.sleep(0.05)
            await loop.sock_sendall(client, b"x" * 200_000)
            await asyncio.sleep(0.05)
            assert (await loop.sock_recv(client, 1_000))[2:4] == b"\x03\xea"
            assert await loop.sock_recv(client, 1_000) == b""
        await all_gone(toy)


async def test_who_goes_on_speaking_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "_HANDSHAKE_SECONDS", 0.1)
    async with serving() as toy:
        _, writer = await asyncio.open_connection("127.0.0.1", toy.port)
        writer.write(handshake() + b"\x83\x80")
        await all_gone(toy)
        writer.close()


async def test_half_a_connection_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who will say nothing more has gone, even if it does not read what is still to be written."""
    monkeypatch.setattr(closing, "STALL_SECONDS", 0.3)
    async with limited() as (toy, client):
        await subscribe(client, "1", "subscription { flood }")
        await heard("started")
        await asyncio.sleep(0.2)
        client.transport.write_eof()
        await heard("closed")
        await all_gone(toy)


def test_a_loop_that_has_ended_is_not_kept() -> None:
    async def converse() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with serving() as toy:
            await conversation(toy.port, handshake(), INIT + frame(b"", 0x88))
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(converse())
    gc.collect()
    assert ended() is None


async def test_an_application_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as toy:
        toy.endpoint._connections = None  # type: ignore[assignment]
        _, body = await conversation(toy.port, handshake())
        assert body == b""
        await all_gone(toy)
    assert "Exception in ASGI application" in caplog.text
