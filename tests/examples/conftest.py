"""A server that is killed and started again, and bots on it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.client import Failed, User
from tests.ports import free_port
from tests.programs import Output, running
from tests.servers import ROOT, start_server

BOTS = ROOT / "examples/bots"
CREATE = "mutation($input: CreateBotInput!) { createBot(input: $input) { token bot { id } } }"
ADD = "mutation($input: AddBotToRoomInput!) { addBotToRoom(input: $input) { room { id } } }"
REVOKE = "mutation($input: RevokeBotTokenInput!) { revokeBotToken(input: $input) { bot { id } } }"
MESSAGES = """query { messages(roomId: "room:0", last: 100) {
    nodes { id text sender { username } } } }"""
NEWEST = '{ messages(roomId: "room:0", last: 1) { edges { cursor } } }'
_SECONDS = 30


class Chat:
    """A server at one address, with the demo data."""

    def __init__(self, store_url: str) -> None:
        self._settings = {"REDIS_ENDPOINT_URL": store_url, "PORT": str(free_port())}
        self._server = start_server(self._settings)
        self.url = self._server.url

    def kill(self) -> None:
        self._server.kill()

    def start(self) -> None:
        self._server = start_server(self._settings)

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def chat(store_url: str) -> Iterator[Chat]:
    chat = Chat(store_url)
    yield chat
    chat.stop()


class Owner(User):
    """Pablo, who says things until they are said, and reads what others answer."""

    async def say(self, text: str) -> None:
        async with asyncio.timeout(_SECONDS):
            while True:
                try:
                    await self.send("room:0", text, clientMessageId=text)
                    return
                except (httpx.TransportError, Failed):
                    await asyncio.sleep(0.05)

    async def revoke_token(self, bot_id: str) -> None:
        await self(REVOKE, input={"botId": bot_id})

    async def said(self, name: str) -> list[str]:
        """What this user has said in General, the last hundred messages of all."""
        nodes: list[dict[str, Any]] = (await self(MESSAGES))["messages"]["nodes"]
        return [node["text"] for node in nodes if node["sender"]["username"] == name]

    async def newest_cursor(self) -> str:
        """Of the newest message in General."""
        (edge,) = (await self(NEWEST))["messages"]["edges"]
        return str(edge["cursor"])

    async def wait_for(self, name: str, text: str) -> None:
        async with asyncio.timeout(_SECONDS):
            while not await self._has_said(name, text):
                await asyncio.sleep(0.05)

    async def _has_said(self, name: str, text: str) -> bool:
        try:
            return text in await self.said(name)
        except httpx.TransportError:
            return False  # The server is away, or this was its last connection.


@pytest.fixture
async def pablo(chat: Chat) -> AsyncIterator[Owner]:
    pablo = Owner(chat.url)
    await pablo.log_in("Pablo")
    yield pablo
    await pablo.http.aclose()


@dataclass(frozen=True)
class Bot:
    """A bot of Pablo's in General, and the file in which its program keeps what it needs."""

    url: str
    id: str
    token: str
    state: Path

    def running(self, folder: Path, *command: str) -> AbstractAsyncContextManager[Output]:
        env = {
            "PARLEY_URL": f"{self.url.replace('http', 'ws', 1)}/graphql",
            "PARLEY_TOKEN": self.token,
            "PARLEY_STATE": str(self.state),
        }
        return running(folder, *command, env=env)

    async def wait_until_it_listens(self) -> None:
        """Whatever is said from here on concerns it."""
        await self.wait_until_it_has_come_to("")

    async def wait_until_it_has_come_to(self, cursor: str) -> None:
        async with asyncio.timeout(_SECONDS):
            while not (self.state.exists() and cursor in self.state.read_text()):
                await asyncio.sleep(0.05)


@pytest.fixture
async def bot(pablo: Owner, tmp_path: Path) -> Bot:
    data = await pablo(CREATE, input={"username": "Bot", "scopes": ["READ", "SEND"]})
    created = data["createBot"]
    await pablo(ADD, input={"botId": created["bot"]["id"], "roomId": "room:0"})
    return Bot(pablo.url, created["bot"]["id"], created["token"], tmp_path / "state")
