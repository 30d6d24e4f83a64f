"""Clients that drop their connection at any moment: nobody has to read a traceback about it."""

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from application.transports import closing, protocols
from tests.unit.transports.sockets import all_gone, reset
from tests.unit.transports.toy import Toy, serving

# uvloop is what serves, and its transports complain of other things than asyncio's.
uvloop = pytest.importorskip("uvloop")

ROUNDS = 100
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
)
BODY = b'{"query": "{ late }"}'
POST = (
    b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY)
)
STREAM = b"GET /graphql?query=subscription{ticks} HTTP/1.1\r\naccept: text/event-stream\r\n\r\n"


def frame(message: bytes, opcode: int = 1) -> bytes:
    """A frame of a client, with a mask that changes nothing."""
    assert len(message) < 126
    return bytes([0x80 | opcode, 0x80 | len(message), 0, 0, 0, 0]) + message


def subscribe(number: int, query: str) -> bytes:
    message = {"id": str(number), "type": "subscribe", "payload": {"query": query}}
    return frame(orjson.dumps(message))


SOCKET = [
    frame(b'{"type":"connection_init"}'),
    subscribe(1, "subscription { flood }"),
    subscribe(2, "mutation { transfer }"),
    subscribe(3, "subscription { ticks }"),
    frame(b'{"type":"ping"}'),
    subscribe(4, "{ late }"),
    frame(b'{"id":"1","type":"complete"}'),
    frame(b"", opcode=9),
    frame(b"\x03\xe8", opcode=8),
]


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_no_traceback(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocols, "_HANDSHAKE_SECONDS", 0.1)
    monkeypatch.setattr(closing, "STALL_SECONDS", 0.1)

    async def drop_many() -> None:
        dice = random.Random(7)
        async with serving() as toy:
            for _ in range(ROUNDS // 20):
                await asyncio.gather(*(visit(toy, dice) for _ in range(20)))
            await all_gone(toy)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(drop_many())
    assert not tracebacks(caplog)


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.exc_info]


async def visit(toy: Toy, dice: random.Random) -> None:
    """Say something of what clients say, all of it or a part, and leave in one way or another."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setblocking(False)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, dice.choice([4 * 1024, 256 * 1024]))
    await loop.sock_connect(client, ("127.0.0.1", toy.port))
    try:
        kind = dice.choice([HANDSHAKE, HANDSHAKE, HANDSHAKE, POST, STREAM])
        await loop.sock_sendall(client, kind[: dice.choice([len(kind)] * 4 + [len(kind) - 5])])
        if kind is HANDSHAKE and dice.random() < 0.8:
            await converse(client, dice)
        await asyncio.sleep(dice.choice([0, 0, 0.01, 0.1]))
    except (OSError, TimeoutError):
        pass
    if dice.random() < 0.5:
        reset(client)
    else:
        client.close()


async def converse(client: socket.socket, dice: random.Random) -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(1):
        answer: Any = await loop.sock_recv(client, 1_000)
    assert not answer or answer.startswith(b"HTTP/1.1 101")
    said = b"".join(SOCKET[: dice.randint(1, len(SOCKET))])
    await loop.sock_sendall(client, said[: len(said) - dice.choice([0, 0, 3])])
