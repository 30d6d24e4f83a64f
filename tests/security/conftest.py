"""Servers to attack, which have to be as they were afterwards."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import redis

from tests.servers import Server, start_server

Started = Callable[..., Server]


@pytest.fixture
def started(embedded_url: str) -> Iterator[Started]:
    """Starts a server with these settings; at the end it must be well and its log clean."""
    with redis.Redis.from_url(embedded_url) as client:
        client.flushdb()
    servers: list[Server] = []

    def start(**env: object) -> Server:
        settings = {name: str(value) for name, value in env.items()}
        servers.append(start_server({"REDIS_ENDPOINT_URL": embedded_url, **settings}))
        return servers[-1]

    yield start
    for server in servers:
        is_well = server.process.poll() is None and is_answering(server)
        server.stop()
        assert is_well, server.output[-5_000:]
        assert "Traceback" not in server.output, server.output[-5_000:]


def is_answering(server: Server) -> bool:
    answer = httpx.post(f"{server.url}/graphql", json={"query": "{ __typename }"}, timeout=30)
    return bool(answer.json() == {"data": {"__typename": "Query"}})
