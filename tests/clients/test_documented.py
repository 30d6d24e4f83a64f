"""The programs of docs/clients.md do what is said there."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from tests.api.client import User
from tests.clients.conftest import Chat
from tests.clients.workshop import CLIENTS, SCHEMA, documented, furnish, run_node
from tests.faults.proxy import Proxy
from tests.programs import Output, running

_SECONDS = 30


@pytest.fixture
async def mary(chat: Chat) -> AsyncIterator[User]:
    mary = await User(chat.url).log_in("Mary")
    yield mary
    await mary.http.aclose()


def write_programs(folder: Path, network: Proxy) -> None:
    for name, program in documented(network.url).items():
        (folder / name).write_text(program)


async def check_resuming(output: Output, who: str, mary: User, network: Proxy, chat: Chat) -> None:
    """It has sent its greeting, and hears everything once and in order, whatever breaks."""

    async def say(text: str) -> None:
        await mary.send("room:0", text)

    await output.wait_for(f"Pablo: Hello from {who}")
    await say("connected")
    await output.wait_for("Mary: connected")
    network.refuse()
    network.cut()
    await say("away")
    await network.open()
    await output.wait_for("Mary: away")
    await asyncio.to_thread(chat.restart)
    await say("restarted")
    await output.wait_for("Mary: restarted")
    said = [line for line in output.lines if line.startswith(("Pablo: ", "Mary: "))]
    heard = ["connected", "away", "restarted"]
    assert said == [f"Pablo: Hello from {who}", *(f"Mary: {text}" for text in heard)]


@pytest.mark.parametrize(
    ("program", "who"),
    [
        ("apollo.mjs", "Apollo"),
        ("urql.mjs", "urql"),
        ("graphql-ws.mjs", "graphql-ws"),
        ("graphql-sse.mjs", "graphql-sse"),
        ("eventsource.mjs", "EventSource"),
        ("gql_client.py", "gql"),
    ],
)
async def test_it_chats_and_resumes(
    tmp_path: Path, network: Proxy, mary: User, chat: Chat, program: str, who: str
) -> None:
    furnish(tmp_path)
    write_programs(tmp_path, network)
    command = sys.executable if program.endswith(".py") else "node"
    async with running(tmp_path, command, program) as output:
        await check_resuming(output, who, mary, network, chat)


async def test_relay(tmp_path: Path, network: Proxy, mary: User, chat: Chat) -> None:
    furnish(tmp_path, SCHEMA, *(CLIENTS / "relay").iterdir())
    write_programs(tmp_path, network)
    assert "Compilation completed." in await asyncio.to_thread(
        run_node, "node_modules/relay-compiler/cli.js", cwd=tmp_path
    )
    async with running(tmp_path, "node", "main.mjs") as output:
        await check_resuming(output, "Relay", mary, network, chat)
        # Those of the page, and the one that the mutation has appended.
        assert any(line.startswith("The connection has ") for line in output.lines)


async def test_curl(tmp_path: Path, network: Proxy, mary: User) -> None:
    write_programs(tmp_path, network)
    async with running(tmp_path, "bash", "curl.sh") as output:
        speaking = asyncio.create_task(speak(mary))
        try:
            node = '{"node":{"text":"Hello","sender":{"username":"Mary"}}}'
            await output.wait_for(f'data: {{"data":{{"messageAdded":{node}}}}}')
        finally:
            speaking.cancel()
    assert any(line.startswith("id: ") for line in output.lines)
    sent = orjson.loads((tmp_path / "sent.json").read_bytes())
    assert sent["data"]["sendMessage"]["edge"]["cursor"]


async def speak(user: User) -> None:
    """Nothing tells when the server is ready for a subscriber: say it again and again."""
    while True:
        await user.send("room:0", "Hello")
        await asyncio.sleep(0.1)


async def test_websocat(network: Proxy, mary: User) -> None:
    protocols: Any = ["graphql-transport-ws"]
    url = network.url.replace("http", "ws", 1) + "/graphql"
    init, subscribe, send, complete = documented(network.url)["websocat"].splitlines()
    async with asyncio.timeout(_SECONDS), connect(url, subprotocols=protocols) as socket:

        async def hear(what: str) -> str:
            while what not in (frame := str(await socket.recv())):
                pass
            return frame

        await socket.send(init.replace("TOKEN", str(mary.token)))
        await hear('"connection_ack"')
        await socket.send(subscribe)
        await hear('"cursor":"')  # It has caught up.
        await socket.send(send)
        assert orjson.loads(await hear("Hello from websocat"))["id"] == "1"
        await socket.send(complete)
        await socket.send('{"type": "ping"}')
        await hear('"pong"')
