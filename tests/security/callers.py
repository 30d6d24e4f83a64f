"""Callers over HTTP, WebSocket and bare TCP, for tests that are not polite."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from websockets import ConnectionClosed, Subprotocol
from websockets.sync.client import ClientConnection, connect

from tests.servers import Server

SECONDS = 30
SUBPROTOCOL = Subprotocol("graphql-transport-ws")
RESPONSE_JSON = "application/graphql-response+json"
LOG_IN = 'mutation { login(input: {username: "Pablo", password: "password123"}) { token } }'


def post(
    server: Server,
    query: str,
    variables: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    return httpx.post(
        f"{server.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"accept": RESPONSE_JSON, **(headers or {})},
        timeout=SECONDS,
    )


def bearer(server: Server) -> dict[str, str]:
    token = post(server, LOG_IN).json()["data"]["login"]["token"]
    return {"authorization": f"Bearer {token}"}


def errors(response: httpx.Response) -> list[tuple[str, str]]:
    """The code and message of each."""
    return [(error["extensions"]["code"], error["message"]) for error in response.json()["errors"]]


@contextmanager
def opened(
    server: Server,
    payload: object = None,
    *,
    init: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Iterator[ClientConnection]:
    """A socket, after its init unless that is not wanted."""
    with connect(
        server.url.replace("http", "ws", 1) + "/graphql",
        subprotocols=[SUBPROTOCOL],
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        close_timeout=1,
        max_size=None,
    ) as client:
        if init:
            tell(client, {"type": "connection_init", "payload": payload})
            assert hear(client) == {"type": "connection_ack"}
        yield client


def tell(client: ClientConnection, message: object) -> None:
    client.send(json.dumps(message))


def subscribe(client: ClientConnection, id_: str, query: str) -> None:
    tell(client, {"id": id_, "type": "subscribe", "payload": {"query": query}})


def hear(client: ClientConnection) -> Any:
    return json.loads(client.recv(SECONDS))


def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """How the server closes the socket, whatever it says before."""
    with suppress(ConnectionClosed):
        while True:
            client.recv(SECONDS)
    return client.close_code, client.close_reason


def connected(server: Server) -> socket.socket:
    url = httpx.URL(server.url)
    return socket.create_connection((url.host, url.port), SECONDS)


def answer(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection, or until it resets it."""
    received = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            received += piece
    return received
