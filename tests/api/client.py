"""A small user of the API for tests: HTTP by httpx, subscriptions by gql over a real socket."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from gql import Client, GraphQLRequest
from gql.client import AsyncClientSession
from gql.transport.websockets import WebsocketsTransport

ACCEPT = "application/graphql-response+json, application/json"


class Failed(Exception):
    """The response had errors; `codes` are theirs."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors
        self.codes = [error["extensions"]["code"] for error in errors]


class User:
    """Somebody who may be logged in, on the server at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token: str | None = None
        self.id = ""
        self.cursor: str | None = None
        """Where its subscriptions begin, if a test says so."""
        self.http = httpx.AsyncClient(base_url=url, timeout=30)

    async def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        response = await self.http.post(
            "/graphql",
            json={"query": document, "variables": variables},
            headers={"accept": ACCEPT, **self.headers},
        )
        body = response.json()
        if body.get("errors"):
            raise Failed(body["errors"])
        data: dict[str, Any] = body["data"]
        return data

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    async def log_in(self, username: str, password: str = "password123") -> "User":
        data = await self(
            "mutation($input: LoginInput!) { login(input: $input) { token user { id } } }",
            input={"username": username, "password": password},
        )
        self.token = data["login"]["token"]
        self.id = data["login"]["user"]["id"]
        # The token is the credential here, not the cookie that came with it.
        self.http.cookies.clear()
        return self

    async def send(self, room_id: str, text: str, **more: Any) -> dict[str, Any]:
        data = await self(
            "mutation($input: SendMessageInput!) { sendMessage(input: $input) {"
            " message { id text clientMessageId sentAt } edge { cursor } } }",
            input={"roomId": room_id, "text": text, **more},
        )
        sent: dict[str, Any] = data["sendMessage"]
        return sent

    async def open_room(self, other: str) -> str:
        data = await self(
            "mutation($input: OpenPrivateRoomInput!)"
            " { openPrivateRoom(input: $input) { room { id } } }",
            input={"userId": other},
        )
        room_id: str = data["openPrivateRoom"]["room"]["id"]
        return room_id

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[AsyncClientSession]:
        """A gql session over graphql-transport-ws."""
        transport = WebsocketsTransport(
            url=self.url.replace("http", "ws", 1) + "/graphql",
            init_payload={"authorization": f"Bearer {self.token}"} if self.token else {},
            subprotocols=["graphql-transport-ws"],
        )
        async with Client(transport=transport) as session:
            yield session


@asynccontextmanager
async def visitors() -> AsyncIterator[Callable[[str], User]]:
    """Makes users, not logged in, of the servers at URLs; they leave when the block ends."""
    users: list[User] = []

    def visit(server_url: str) -> User:
        users.append(User(server_url))
        return users[-1]

    yield visit
    for user in users:
        await user.http.aclose()


def subscription(text: str, **variables: Any) -> GraphQLRequest:
    return GraphQLRequest(text, variable_values=variables)
