"""SIGTERM while there is work: it is finished and answered, then all are told to come again."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx
import pytest
import redis
from websockets import ConnectionClosed, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from tests.api.client import Failed, User
from tests.servers import Server, launch, start_server
from tests.store_process import StoreProcess

STOPPING = (1012, "server stopping")
STOP_SECONDS = 10
SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { text } } }"
EVENTS = "subscription { events { __typename } }"
ME = "{ me { username } }"


@pytest.fixture
def store_process() -> Iterator[StoreProcess]:
    """A store that can be made to hang."""
    process = StoreProcess()
    yield process
    process.close()


@contextmanager
def serving(store_url: str, workers: int = 1) -> Iterator[Server]:
    server = start_server({"REDIS_ENDPOINT_URL": store_url, "WORKERS": str(workers)})
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


@asynccontextmanager
async def logged_in(server: Server) -> AsyncIterator[User]:
    user = await User(server.url).log_in("Pablo")
    yield user
    await user.http.aclose()


@asynccontextmanager
async def socket_of(user: User, **options: Any) -> AsyncIterator[ClientConnection]:
    url = user.url.replace("http", "ws", 1) + "/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(url, subprotocols=protocols, close_timeout=1, **options) as client:
        await tell(
            client, type="connection_init", payload={"authorization": f"Bearer {user.token}"}
        )
        assert await hear(client) == {"type": "connection_ack"}
        yield client


async def tell(client: ClientConnection, **message: Any) -> None:
    await client.send(json.dumps(message))


async def hear(client: ClientConnection) -> Any:
    async with asyncio.timeout(STOP_SECONDS):
        return json.loads(await client.recv())


async def ask(client: ClientConnection, id_: str, query: str, **variables: Any) -> None:
    payload = {"query": query, "variables": variables}
    await tell(client, id=id_, type="subscribe", payload=payload)


async def rest(client: ClientConnection) -> tuple[list[Any], tuple[int, str]]:
    """What is still said, and how the socket is closed."""
    heard = []
    with suppress(ConnectionClosed):
        while True:
            heard.append(await hear(client))
    return heard, (client.close_code or 0, client.close_reason or "")


async def ended(server: Server) -> None:
    """See that the process ends, well and in time."""
    assert await asyncio.to_thread(server.process.wait, STOP_SECONDS) == 0
    server.wait()
    assert "Traceback" not in server.output, server.output


def texts(store_url: str) -> list[str]:
    """All that was sent to the room General."""
    with redis.Redis.from_url(store_url) as client:
        records = [json.loads(record) for record in client.zrange("room:0", 0, -1)]
    return [record["message"] for record in records]


def message(text: str) -> dict[str, str]:
    return {"roomId": "room:0", "text": text, "clientMessageId": text}


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_runs_is_answered(store_process: StoreProcess, workers: int) -> None:
    with serving(store_process.url, workers) as server:
        async with logged_in(server) as user, socket_of(user) as client, socket_of(user) as idle:
            await ask(client, "live", EVENTS)
            await hear(client)
            store_process.pause()
            for number in range(5):
                await ask(client, f"send {number}", SEND, input=message(f"socket {number}"))
            await ask(client, "me", ME)
            sending = [
                asyncio.create_task(user.send("room:0", f"http {number}")) for number in range(3)
            ]
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            await nobody_listens(server)
            await ask(client, "late", SEND, input=message("late"))
            store_process.resume()
            await asyncio.gather(*sending)
            said, closed = await rest(client)
            assert await rest(idle) == ([], STOPPING)
        await ended(server)
        assert closed == STOPPING
        answers = {answer["id"]: answer for answer in said if answer["type"] == "next"}
        sent = [f"socket {number}" for number in range(5)]
        for number, text in enumerate(sent):
            data = answers[f"send {number}"]["payload"]["data"]
            assert data == {"sendMessage": {"message": {"text": text}}}
        assert answers["me"]["payload"]["data"] == {"me": {"username": "Pablo"}}
        (refused,) = [answer for answer in said if answer["type"] == "error"]
        assert refused["id"] == "late"
        assert refused["payload"][0]["extensions"]["code"] == "UNAVAILABLE"
        stored = texts(store_process.url)
        for text in [*sent, *(f"http {number}" for number in range(3))]:
            assert stored.count(text) == 1
        assert "late" not in stored


async def nobody_listens(server: Server) -> None:
    """Wait until new connections are refused."""
    url = httpx.URL(server.url)
    async with asyncio.timeout(STOP_SECONDS):
        with suppress(ConnectionRefusedError):
            while True:
                _, writer = await asyncio.open_connection(url.host, url.port)
                writer.close()
                await asyncio.sleep(0.02)


async def test_under_load_nothing_that_was_confirmed_is_lost(store_url: str) -> None:
    with serving(store_url) as server:
        confirmed: list[str] = []
        async with logged_in(server) as user, socket_of(user) as client:
            senders = [asyncio.create_task(send_on(user, confirmed, name)) for name in "abcd"]
            listening = asyncio.create_task(send_over(client, confirmed))
            while len(confirmed) < 50:
                await asyncio.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.gather(*senders)
            assert await listening == STOPPING
        await ended(server)
    stored = texts(store_url)
    assert all(stored.count(text) == 1 for text in confirmed)
    assert len(stored) == len(set(stored))


async def send_on(user: User, confirmed: list[str], name: str) -> None:
    """Send by HTTP until that fails."""
    number = 0
    with suppress(httpx.TransportError, Failed):
        while True:
            number += 1
            text = f"{name} {number}"
            await user.send("room:0", text, clientMessageId=text)
            confirmed.append(text)


async def send_over(client: ClientConnection, confirmed: list[str]) -> tuple[int, str]:
    """Send over a socket until that is closed."""
    number = 0
    with suppress(ConnectionClosed):
        while True:
            number += 1
            await ask(client, str(number), SEND, input=message(f"socket {number}"))
            answer = await hear(client)
            if answer["type"] == "next":
                confirmed.append(answer["payload"]["data"]["sendMessage"]["message"]["text"])
                await hear(client)
    return (client.close_code or 0, client.close_reason or "")


async def test_it_ends_although_the_store_hangs(store_process: StoreProcess) -> None:
    with serving(store_process.url) as server:
        async with logged_in(server) as user, socket_of(user) as client:
            await ask(client, "live", EVENTS)
            await hear(client)
            store_process.pause()
            await ask(client, "send", SEND, input=message("socket"))
            sending = asyncio.create_task(user.send("room:0", "http"))
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            _, closed = await rest(client)
            with suppress(Failed, httpx.TransportError):
                await sending
        await ended(server)
        assert closed[0] == 1012
        store_process.resume()
        assert texts(store_process.url).count("socket") <= 1


async def test_it_ends_although_nobody_reads(store_url: str) -> None:
    with serving(store_url) as server:
        async with logged_in(server) as user:
            clients = [await deaf(user, accept) for accept in (b"socket", b"text/event-stream")]
            for number in range(150):
                await user.send("room:0", f"{number} " + "x" * 3_900)
            server.process.send_signal(signal.SIGTERM)
            await ended(server)
            for client in clients:
                client.close()


async def deaf(user: User, accept: bytes) -> socket.socket:
    """A subscriber that never reads what is told."""
    url = httpx.URL(user.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024)
    client.connect((url.host, url.port))
    head = b"GET /graphql%s HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n%s\r\n\r\n"
    token = (user.token or "").encode()
    document = b"subscription{messageAdded(roomId:%22room:0%22){node{text}}}"
    if accept != b"socket":
        client.sendall(head % (b"?query=" + document, token, b"accept: " + accept))
        assert client.recv(12) == b"HTTP/1.1 200"
        return client
    upgrade = (
        b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        b"sec-websocket-protocol: graphql-transport-ws"
    )
    client.sendall(head % (b"", token, upgrade))
    assert client.recv(12) == b"HTTP/1.1 101"
    query = document.replace(b"%22", b'\\"')
    subscribe = b'{"type":"subscribe","id":"1","payload":{"query":"%s"}}' % query
    for frame in (b'{"type":"connection_init"}', subscribe):
        assert len(frame) < 126
        client.sendall(bytes([0x81, 0x80 | len(frame), 0, 0, 0, 0]) + frame)
    return client


async def test_with_plain_uvicorn_mutations_are_done_too(store_process: StoreProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {"REDIS_ENDPOINT_URL": store_process.url}
    server = launch(env, "-m", "uvicorn", "app:app", "--port", str(port))
    server.url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30):
            while "Application startup complete" not in server.output:
                await asyncio.sleep(0.05)
        async with logged_in(server) as user, socket_of(user) as client:
            store_process.pause()
            await ask(client, "send", SEND, input=message("socket"))
            sending = asyncio.create_task(user.send("room:0", "http"))
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            store_process.resume()
            await sending
            _, closed = await rest(client)
            assert closed[0] == 1012
        assert server.wait() in (0, -signal.SIGTERM)
        assert "Traceback" not in server.output, server.output
        stored = texts(store_process.url)
        assert stored.count("socket") == stored.count("http") == 1
    finally:
        if server.process.poll() is None:
            server.kill()
