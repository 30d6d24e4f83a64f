"""Two servers behind a proxy, as the examples configure it: what a browser needs gets through."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from websockets.asyncio.client import ClientConnection, connect

from tests.api.client import User
from tests.deploy.proxies import caddy, nginx
from tests.observability.scraping import Scrape, metrics_url
from tests.servers import Server, start_server

Proxy = Callable[[Path, list[Server]], AbstractContextManager[str]]

LIVE = "subscription { events { __typename } }"
LOG_IN = 'mutation { login(input: {username: "Pablo", password: "password123"}) { user { id } } }'
SEND = 'mutation { sendMessage(input: {roomId: "room:0", text: "hi"}) { message { id } } }'
SECONDS = 20


@pytest.fixture(scope="module")
def servers(embedded_url: str) -> Iterator[list[Server]]:
    """Two on one store, behind a proxy that they trust."""
    with redis.Redis.from_url(embedded_url) as client:
        client.flushdb()
    env = {
        "REDIS_ENDPOINT_URL": embedded_url,
        "TRUSTED_PROXIES": "127.0.0.1",
        "METRICS": "0",
        "RATE_LIMITS": "on",
    }
    servers = [start_server(env), start_server(env)]
    yield servers
    for server in servers:
        server.stop()


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy_url(
    request: pytest.FixtureRequest, servers: list[Server], tmp_path: Path
) -> Iterator[str]:
    run: Proxy = request.param
    with run(tmp_path, servers) as url:
        yield url


@pytest.fixture
async def pablo(proxy_url: str) -> AsyncIterator[User]:
    user = await User(proxy_url).log_in("Pablo")
    yield user
    await user.http.aclose()


def test_the_page_and_what_it_needs(proxy_url: str) -> None:
    page = httpx.get(proxy_url)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert len(page.headers["x-request-id"]) >= 32
    assert httpx.get(f"{proxy_url}/readyz").json() == {"status": "ok"}
    assert httpx.get(f"{proxy_url}/metrics").status_code == 404


def test_requests_reach_both_servers(proxy_url: str, servers: list[Server]) -> None:
    def counts() -> list[float]:
        return [
            Scrape(metrics_url(server))("parley_operations_total", name="Both")
            for server in servers
        ]

    before = counts()
    with httpx.Client(base_url=proxy_url) as client:
        for _ in range(20):
            client.post("/graphql", json={"query": "query Both { __typename }"})
    grown = [now - then for now, then in zip(counts(), before, strict=True)]
    assert sum(grown) == 20
    assert min(grown) > 0


async def test_a_browser_logs_in_and_hears_what_is_said_on_either_server(proxy_url: str) -> None:
    async with httpx.AsyncClient(base_url=proxy_url, timeout=SECONDS) as browser:
        await browser.post("/graphql", json={"query": LOG_IN})
        cookie = f"parley_session={browser.cookies['parley_session']}"
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(_browsers_socket(proxy_url, cookie))]
            sockets += [await stack.enter_async_context(_browsers_socket(proxy_url, cookie))]
            for socket in sockets:
                await _subscribe(socket)
            answer = await browser.post("/graphql", json={"query": SEND})
            assert "errors" not in answer.json()
            for socket in sockets:
                assert (await _next_event(socket))["__typename"] == "MessageAdded"


def _browsers_socket(url: str, cookie: str) -> connect:
    return connect(
        url.replace("http", "ws", 1) + "/graphql",
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        # Refused unless the proxy leaves the host as it is.
        origin=url,  # type: ignore[arg-type]
        additional_headers={"cookie": cookie},
    )


async def _subscribe(socket: ClientConnection) -> None:
    await socket.send('{"type":"connection_init"}')
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": LIVE}}))
    while (await _next_event(socket))["__typename"] != "CaughtUp":
        pass


async def _next_event(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == "next":
                event: dict[str, Any] = message["payload"]["data"]["events"]
                return event
            assert message["type"] == "ping"


async def test_an_event_stream_comes_as_it_is_sent(pablo: User) -> None:
    async with (
        asyncio.timeout(SECONDS),
        pablo.http.stream(
            "POST",
            "/graphql",
            json={"query": LIVE},
            headers={**pablo.headers, "accept": "text/event-stream"},
        ) as stream,
    ):
        lines = stream.aiter_lines()

        async def heard(name: str) -> None:
            async for line in lines:
                if f'"{name}"' in line:
                    return
            raise AssertionError("The stream has ended.")

        await heard("CaughtUp")
        await pablo.send("room:0", "now")
        # If the proxy kept it until there is more of it, this would wait for ever.
        await heard("MessageAdded")


def test_the_limit_of_a_body_is_the_servers(proxy_url: str) -> None:
    answer = httpx.post(f"{proxy_url}/graphql", json={"query": "#" * 300_000})
    assert answer.status_code == 413


async def test_the_servers_know_whom_the_proxy_forwards_for(proxy_url: str) -> None:
    """Whoever invents an address is known by the one that the proxy has seen."""
    invented = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    async with httpx.AsyncClient(base_url=proxy_url, timeout=SECONDS) as browser:
        answer = await browser.post("/graphql", json={"query": LOG_IN}, headers=invented)
        # Behind TLS the cookie would be Secure, with another name; this proxy has none.
        assert "parley_session=" in answer.headers["set-cookie"]
        assert "Secure" not in answer.headers["set-cookie"]
        assert "strict-transport-security" not in answer.headers


def test_one_server_is_enough(
    request: pytest.FixtureRequest, servers: list[Server], tmp_path: Path, embedded_url: str
) -> None:
    """While one is stopped, as in a rolling restart, every request is answered."""
    second = start_server({"REDIS_ENDPOINT_URL": embedded_url, "TRUSTED_PROXIES": "127.0.0.1"})
    with nginx(tmp_path, [servers[0], second]) as url, httpx.Client(base_url=url) as client:
        answers = [client.get("/healthz").status_code for _ in range(10)]
        second.stop()
        answers += [client.get("/healthz").status_code for _ in range(30)]
    assert set(answers) == {200}
