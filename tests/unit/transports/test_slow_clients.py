"""Clients that read slowly or not at all, and those that vanish."""

import asyncio
import socket
import sys
from contextlib import suppress

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from application.transports import closing, protocols, streams
from tests.unit.transports.sockets import (
    all_gone,
    closed,
    hear,
    limited,
    logged,
    narrow_socket,
    subscribe,
    tell,
)
from tests.unit.transports.toy import DIARY, heard, serving

SLOW = (1013, "slow consumer, resume with after")
BIG = "query ($n: String!) { hello(name: $n) }"


async def test_a_source_waits_for_the_reader() -> None:
    async with limited() as (_, client):
        await subscribe(client, "1", "subscription { flood }")
        await heard("started")
        asked = await floods_at_rest()
        # What the outbox and the transport hold, and the kernel at both ends.
        assert asked * 10_000 < 1024 * 1024
        for _ in range(2 * asked):
            assert (await hear(client))["type"] == "next"
        assert DIARY.floods > asked
        assert "closed" not in DIARY.told


async def floods_at_rest() -> int:
    asked = -1
    while asked < DIARY.floods:
        asked = DIARY.floods
        await asyncio.sleep(0.1)
    return asked


@pytest.mark.parametrize("result_bytes", [1_000, 128 * 1024])
async def test_a_burst_does_not_close_the_socket(result_bytes: int) -> None:
    async with limited(result_bytes=result_bytes) as (_, client):
        await subscribe(client, "1", "subscription { count(to: 3000) }")
        await asyncio.sleep(0.2)
        for number in range(3_000):
            assert (await hear(client))["payload"] == {"data": {"count": number}}
        assert (await hear(client))["type"] == "complete"


async def test_a_reader_that_only_pauses_is_not_closed() -> None:
    async with limited(stall_seconds=0.5) as (_, client):
        await subscribe(client, "1", "subscription { flood }")
        await heard("started")
        for _ in range(4):
            await asyncio.sleep(0.3)
            for _ in range(60):
                assert (await hear(client))["type"] == "next"
        assert "closed" not in DIARY.told


async def test_a_single_result_may_be_larger_than_the_outbox() -> None:
    async with limited(result_bytes=1_000, other_bytes=1_000) as (_, client):
        await subscribe(client, "1", BIG, variables={"n": "x" * 100_000})
        await asyncio.sleep(0.1)
        for _ in range(3):
            await tell(client, {"type": "ping"})
        assert (await hear(client))["payload"] == {"data": {"hello": "Hello " + "x" * 100_000}}
        assert (await hear(client))["type"] == "complete"
        assert await hear(client) == {"type": "pong"}


async def test_who_reads_nothing_is_closed() -> None:
    async with limited(stall_seconds=0.2) as (toy, client):
        await subscribe(client, "1", "subscription { flood }")
        await heard("closed", 10)
        await all_gone(toy)
        assert toy.gateway.sessions[0].closed
        # However late it reads again, and though the server has nothing of it any more.
        assert await closed(client) == SLOW


async def test_a_query_fills_the_outbox_too() -> None:
    async with limited(stall_seconds=0.2, result_bytes=1_000) as (_, client):
        for number in range(5):
            await subscribe(client, str(number), BIG, variables={"n": "x" * 200_000})
        await asyncio.sleep(0.5)
        assert await closed(client) == SLOW


async def test_pongs_that_nobody_reads() -> None:
    """They have no back-pressure: only so many may wait."""
    async with limited(stall_seconds=60) as (toy, client):
        with suppress(ConnectionClosed):
            for _ in range(100):
                await tell(client, {"type": "ping", "payload": {"x": "x" * 20_000}})
        await all_gone(toy)
        assert await closed(client) == SLOW


async def test_refusals_that_nobody_reads() -> None:
    async with limited(stall_seconds=60, other_bytes=10_000) as (toy, client):
        with suppress(ConnectionClosed):
            for _ in range(20_000):
                await subscribe(client, "1", "{ nothing }")
        await all_gone(toy)
        assert await closed(client) == SLOW


async def test_a_silent_peer_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "_HANDSHAKE_SECONDS", 0.1)
    async with limited(ping_seconds=0.1) as (toy, client):
        await subscribe(client, "1", "subscription { silence }")
        await heard("closed", 10)
        await all_gone(toy)
        assert toy.gateway.sessions[0].closed
        assert await closed(client) == (1001, "No message in time")


async def test_a_peer_that_says_good_bye_and_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "STALL_SECONDS", 0.3)
    async with limited() as (toy, client):
        await subscribe(client, "1", "subscription { flood }")
        await floods_at_rest()
        (connection,) = toy.state.connections
        client.transport.write(b"\x88\x82\0\0\0\0\x03\xe8")
        await heard("closed")
        # As when the server stops: uvicorn's own would raise.
        connection.shutdown()
        await all_gone(toy)


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have other options")
async def test_the_kernel_holds_little_and_gives_up_who_vanishes() -> None:
    async with limited() as (toy, _):
        (connection,) = toy.state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 64 * 1024
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


# HTTP


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(closing, "STALL_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
async def test_an_event_stream_that_nobody_reads() -> None:
    async with serving() as toy:
        with await narrow_socket(toy) as client:
            await send(client, request("subscription{flood}", "text/event-stream"))
            await heard("closed", 10)
            await all_gone(toy)
            assert toy.gateway.sessions[0].closed


@pytest.mark.usefixtures("impatient")
async def test_an_event_stream_that_ends_and_nobody_reads() -> None:
    async with serving() as toy:
        with await narrow_socket(toy) as client:
            await send(client, request("subscription{flood}", "text/event-stream"))
            await floods_at_rest()
            toy.gateway.sessions[0].ended.set_result((1012, "server stopping"))
            await all_gone(toy)


@pytest.mark.usefixtures("impatient")
async def test_a_response_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as toy:
        with await narrow_socket(toy) as client:
            await send(client, big_request())
            await all_gone(toy)
            assert not logged(caplog)


@pytest.mark.usefixtures("impatient")
async def test_a_response_that_is_read_slowly_arrives() -> None:
    async with serving() as toy:
        with await narrow_socket(toy) as client:
            await send(client, big_request())
            response = b""
            while chunk := await asyncio.get_running_loop().sock_recv(client, 16 * 1024):
                response += chunk
                await asyncio.sleep(0.05)
            assert response.endswith(b'x"}}')
            assert len(response) > 200_000


def big_request() -> bytes:
    """One whose response is more than the buffers on the way take, and the last one."""
    body = orjson.dumps({"query": BIG, "variables": {"n": "x" * 200_000}})
    return (
        b"POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )


def request(query: str, accept: str) -> bytes:
    return f"GET /graphql?query={query} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n".encode()


async def send(client: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(client, data)
