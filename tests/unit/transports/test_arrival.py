"""How a request may arrive, on a real server with little patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from application.transports import arrival
from tests.unit.transports.toy import Toy, heard

HEAD = (
    b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"content-length: 21\r\n\r\n"
)
BODY = b'{"query":"{ hello }"}'
PATIENCE = 0.3


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "ARRIVAL_SECONDS", PATIENCE)


@asynccontextmanager
async def connected(toy: Toy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", toy.port)
    yield reader, writer
    writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server closes."""
    async with asyncio.timeout(5):
        return await reader.read()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"\r\n\r\n", None),
        (b"GET /graphql HT", 408),
        (b"GET /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ", 408),
        (HEAD, 408),
        (HEAD + BODY[:-1], 408),
        (HEAD.replace(b"content-length: 21", b"transfer-encoding: chunked") + b"5\r\n", 408),
        (HEAD + BODY + HEAD, 408),
    ],
)
async def test_what_does_not_arrive(toy: Toy, sent: bytes, status: int | None) -> None:
    async with connected(toy) as (reader, writer):
        writer.write(sent)
        answered = await answer(reader)
        if sent.startswith(HEAD + BODY):
            first, _, answered = answered.partition(b"Hello world")
            assert first.startswith(b"HTTP/1.1 200")
            answered = answered[answered.find(b"HTTP/") :]
        if status is None:
            assert answered == b""
        else:
            assert answered.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert b'"code":"BAD_USER_INPUT"' in answered
    assert not toy.state.tasks


async def test_a_request_piece_by_piece(toy: Toy) -> None:
    async with connected(toy) as (reader, writer):
        for byte in HEAD + BODY:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_waiting_for_the_next_request_is_no_slowness(toy: Toy) -> None:
    async with connected(toy) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + BODY)
            async with asyncio.timeout(5):
                assert (await reader.readuntil(b"}}")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(2 * PATIENCE)


async def test_slow_answers_are_no_slowness(toy: Toy) -> None:
    async with connected(toy) as (reader, writer):
        body = b'{"query":"subscription { ticks }"}'
        head = HEAD.replace(b"21", str(len(body)).encode())
        writer.write(head.replace(b"host", b"accept: text/event-stream\r\nhost") + body)
        await asyncio.sleep(2 * PATIENCE)
        async with asyncio.timeout(5):
            assert await reader.readuntil(b'{"ticks":20}')


CHUNKED = HEAD.replace(b"content-length: 21", b"transfer-encoding: chunked")


@pytest.mark.parametrize(
    ("beginning", "endless"),
    [
        (b"GET /graphql HTTP/1.1\r\n", b"x: " + b"y" * 1_000 + b"\r\n"),
        (b"GET /graphql HTTP/1.1\r\nx: ", b"y" * 1_000),
        (b"GET /graphql?", b"y" * 1_000),
        (CHUNKED, b"1;" + b"x" * 1_000 + b"\r\n{\r\n"),
        (CHUNKED + b"0\r\n", b"x: " + b"y" * 1_000 + b"\r\n"),
    ],
)
async def test_endless_framing(toy: Toy, beginning: bytes, endless: bytes) -> None:
    async with connected(toy) as (reader, writer):
        # Not much more than it takes: the connection is reset when something is left unread.
        writer.write(beginning)
        for _ in range(65_536 // len(endless)):
            writer.write(endless)
        await writer.drain()
        await asyncio.sleep(PATIENCE / 3)
        writer.write(endless)
        answered = await answer(reader)
        assert answered.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert b'"message":"The headers are larger than 65536 bytes."' in answered


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /graphql HTTP/1.1\r\nx: ",
        b"GET /",
        CHUNKED + b"10000000\r\n",
        HEAD.replace(b"content-length: 21", b"content-length: 1000000000"),
    ],
)
async def test_what_is_endless_is_not_taken_for_long(toy: Toy, beginning: bytes) -> None:
    async with connected(toy) as (_, writer):
        writer.write(beginning)
        sent = 0
        with suppress(ConnectionError):
            async with asyncio.timeout(5):
                while True:
                    writer.write(b"y" * 65_536)
                    sent += 65_536
                    await writer.drain()
        assert sent < 50_000_000


UPGRADE = (
    b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
    b"http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
)
"""What Java's client asks for with each of its requests."""
OTHER = HEAD.replace(b"\r\n\r\n", b"\r\n" + UPGRADE + b"\r\n")
OTHER_CHUNKED = OTHER.replace(b"content-length: 21", b"transfer-encoding: chunked")
CHUNKS = b"5\r\n" + BODY[:5] + b"\r\n10\r\n" + BODY[5:] + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("request_", [OTHER + BODY, OTHER_CHUNKED + CHUNKS])
async def test_another_protocol_is_not_spoken(toy: Toy, request_: bytes) -> None:
    """Wherever the request is cut in two, and whatever came before on the connection."""
    async with connected(toy) as (reader, writer):
        for end in range(1, len(request_) + 1):
            writer.write(request_[:end])
            await asyncio.sleep(0)
            writer.write(request_[end:])
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 OK\r\n"), end
                assert await reader.readexactly(32) == b'{"data":{"hello":"Hello world"}}'


async def test_another_protocol_is_not_spoken_in_a_row(toy: Toy) -> None:
    get = b"GET /graphql?query={hello} HTTP/1.1\r\nhost: x\r\n"
    async with connected(toy) as (reader, writer):
        for request in (OTHER + BODY, get + UPGRADE + b"\r\n", HEAD + BODY, OTHER + BODY):
            writer.write(request)
        writer.write(get + b"connection: close\r\n\r\n")
        answered = await answer(reader)
    assert answered.count(b"HTTP/1.1 200 OK\r\n") == answered.count(b"Hello world") == 5


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (OTHER + BODY[:-1], 408),
        (OTHER_CHUNKED + CHUNKS[:-1], 408),
        (OTHER_CHUNKED + b"no number\r\n", 400),
        (OTHER_CHUNKED.replace(b"chunked", b"gzip") + BODY, 400),
    ],
)
async def test_a_body_of_another_protocol_that_does_not_arrive(
    toy: Toy, sent: bytes, status: int
) -> None:
    async with connected(toy) as (reader, writer):
        writer.write(sent)
        assert (await answer(reader)).startswith(b"HTTP/1.1 %d " % status)
    assert not toy.state.tasks


# Requests behind others

LATE = HEAD.replace(b"21", b"20") + b'{"query":"{ late }"}'
TICKS = b'{"query":"subscription { ticks }"}'
STREAM = (
    HEAD.replace(b"21", str(len(TICKS)).encode()).replace(
        b"host", b"accept: text/event-stream\r\nhost"
    )
    + TICKS
)


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (HEAD, 408),
        (HEAD + BODY + HEAD + BODY + HEAD, 408),
        (b"GET /graphql HT", 408),
        (b"GET /graphql HTTP/1.1\r\nx: " + b"y" * 65_536, 431),
        (b"no request\r\n\r\n", 400),
        (CHUNKED + b"no number\r\n", 400),
    ],
)
async def test_a_refusal_waits_for_the_answers_to_others(
    toy: Toy, refused: bytes, status: int
) -> None:
    async with connected(toy) as (reader, writer):
        writer.write(LATE)
        await heard("begun")
        writer.write(refused)
        answered = await answer(reader)
    late, *others, refusal = answered.split(b"HTTP/1.1 ")[1:]
    assert late.startswith(b"200 ")
    assert b'"late"' in late
    assert all(b'"hello"' in other for other in others)
    assert len(others) == refused.count(BODY)
    assert refusal.startswith(b"%d " % status)
    assert b'"code":"BAD_USER_INPUT"' in refusal
    assert not toy.state.tasks


async def test_a_stream_with_a_request_behind_it_ends_when_the_client_leaves(toy: Toy) -> None:
    async with connected(toy) as (reader, writer):
        writer.write(STREAM + HEAD + BODY)
        async with asyncio.timeout(5):
            await reader.readuntil(b'{"ticks":1}')
    async with asyncio.timeout(5):
        while toy.state.tasks:
            await asyncio.sleep(0.01)
