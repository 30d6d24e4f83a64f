"""A user of the store with the rights of docs/stores.md: enough, and none to spare."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from services.redis.rights import CLUSTER_RULE, RULE, SHARDED_RULE, missing_rights
from tests.api import test_chat
from tests.api.client import subscription, visitors
from tests.api.conftest import Visitor
from tests.servers import ROOT, start_server
from tests.store_process import BINARIES
from tests.topologies.node import HOST, Node, name_of, until

SETTINGS = {"RATE_LIMITS": "on", "WAIT_REPLICAS": "1", "SESSIONS_PER_USER": "3"}
SCENARIOS = [scenario for name, scenario in vars(test_chat).items() if name.startswith("test_")]
COMMANDS = {right[1:] for right in RULE if right.startswith("+")}
END = "mutation($input: EndSessionInput!) { endSession(input: $input) { session { id } } }"


@pytest.fixture(params=BINARIES, ids=name_of)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    """A server with the user `parley`, and a replica."""
    node, replica = (Node(request.param, tmp_path / name, {}) for name in ("primary", "replica"))
    node.start()
    replica.start()
    replica.operator.replicaof(HOST, str(node.port))
    until(lambda: node.replicas == 1)
    grant(node, *RULE)
    yield node
    replica.close()
    node.close()


def grant(node: Node, *rights: str) -> None:
    node.operator.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "parley", "reset", "on", ">secret", *rights
    )


def url(node: Node, database: int) -> str:
    return f"redis://parley:secret@{node.place}/{database}"


def refusals(node: Node) -> list[Any]:
    """What the store has refused to anybody."""
    return list(node.operator.acl_log())


async def test_the_chat_needs_all_of_them_and_no_more(node: Node) -> None:
    # Another database than the first takes one command more.
    env = {"REDIS_ENDPOINT_URL": url(node, 1), **SETTINGS}
    server = await asyncio.to_thread(start_server, env)
    try:
        for scenario in SCENARIOS:
            async with visitors() as visit:
                visitor = partial(visit, server.url)
                await scenario(visitor if "visitor" in scenario.__annotations__ else server.url)
        async with visitors() as visit:
            visitor = partial(visit, server.url)
            await end_sessions(visitor)
            await read_pages(visitor)
            await hear_another_server(visitor, node)
    finally:
        status = await asyncio.to_thread(server.stop)
    assert status == 0
    assert refusals(node) == []
    statistics: Any = node.operator.info("commandstats")
    used = {name.removeprefix("cmdstat_").partition("|")[0] for name in statistics}
    # What takes a heartbeat or longer to be used is named in the sources at least.
    assert {name.partition("|")[0] for name in COMMANDS} <= used | named_in_sources()


async def test_sharded_channels_need_three_more(node: Node) -> None:
    grant(node, *RULE, *SHARDED_RULE)
    env = {"REDIS_ENDPOINT_URL": url(node, 0), "CHANNELS": "sharded"}
    server = await asyncio.to_thread(start_server, env)
    try:
        for scenario in SCENARIOS:
            async with visitors() as visit:
                visitor = partial(visit, server.url)
                await scenario(visitor if "visitor" in scenario.__annotations__ else server.url)
    finally:
        await asyncio.to_thread(server.stop)
    assert refusals(node) == []
    text = (ROOT / "docs" / "stores.md").read_text()
    assert " ".join(SHARDED_RULE) in text


async def end_sessions(visitor: Visitor) -> None:
    # With the fourth the first ends.
    *_, alex = [await visitor().log_in("Alex") for _ in range(4)]
    listed = (await alex("{ sessions { id isCurrent } }"))["sessions"]
    other, _ = [session["id"] for session in listed if not session["isCurrent"]]
    assert (await alex(END, input={"sessionId": other}))["endSession"]["session"]["id"] == other
    ended = await alex("mutation { endOtherSessions { sessions { id } } }")
    assert len(ended["endOtherSessions"]["sessions"]) == 1


async def read_pages(visitor: Visitor) -> None:
    mary = await visitor().log_in("Mary")
    page = (
        'query($after: String) { messages(roomId: "room:0", first: 2, after: $after)'
        " { pageInfo { endCursor } } }"
    )
    first = (await mary(page))["messages"]["pageInfo"]["endCursor"]
    second = (await mary(page, after=first))["messages"]["pageInfo"]["endCursor"]
    assert second != first
    users = "query { users(first: 2) { nodes { lastSeenAt } } rooms(first: 5) { nodes { name } } }"
    assert len((await mary(users))["users"]["nodes"]) == 2


async def hear_another_server(visitor: Visitor, node: Node) -> None:
    """One that stores and publishes a message as docs/data-model.md has it."""
    joe = await visitor().log_in("Joe")
    now = int(time.time())
    message = {"from": "1", "date": now, "message": "from afar", "roomId": "0"}
    envelope = {"serverId": "stranger", "type": "message", "data": message}
    async with joe.socket() as socket:
        stream = socket.subscribe(subscription(test_chat.EVENTS))
        await test_chat.following(stream, "CaughtUp")
        with node.operator.pipeline() as pipe:
            pipe.select(1)
            pipe.zadd("room:0", {json.dumps(message): now})
            pipe.publish("MESSAGES", json.dumps(envelope))
            pipe.execute()
        event = await test_chat.following(stream, "MessageAdded")
        assert event["edge"]["node"]["text"] == "from afar"
        await stream.aclose()


def test_none_is_for_administrators(node: Node) -> None:
    for category in ("admin", "dangerous"):
        listed: Any = node.operator.acl_cat(category)
        names = set(listed)
        found = {name for name in COMMANDS if {name, name.split("|")[0]} & names}
        assert found == ({"info|server"} if category == "dangerous" else set())


async def test_what_is_missing_is_told(node: Node) -> None:
    async with Redis.from_url(url(node, 0)) as redis:
        assert await missing_rights(redis.connection_pool) == []
        for right in (*RULE, *SHARDED_RULE):
            grant(node, *(each for each in (*RULE, *SHARDED_RULE) if each != right))
            await redis.connection_pool.disconnect()
            assert right in await missing_rights(redis.connection_pool, is_sharded=True)
        grant(node, *RULE)
        await redis.connection_pool.disconnect()
        assert await missing_rights(redis.connection_pool) == []


def test_the_rule_is_written_down() -> None:
    text = (ROOT / "docs" / "stores.md").read_text()
    assert " ".join(RULE) in " ".join(text.split())
    assert " ".join(CLUSTER_RULE) in text


def test_no_other_command_is_named() -> None:
    known = {*COMMANDS, *(right[1:] for right in (*SHARDED_RULE, *CLUSTER_RULE)), "waitaof"}
    assert named_in_sources() <= {name.partition("|")[0] for name in known}


def named_in_sources() -> set[str]:
    found: set[str] = set()
    for source in (ROOT / "services").rglob("*.lua"):
        found |= set(re.findall(r"redis\.p?call\('([A-Z]+)'", source.read_text()))
    for source in (ROOT / "services").rglob("*.py"):
        if source.parent.name == "checkup":
            continue  # It asks for what it may see besides.
        found |= set(re.findall(r"\.(?:add|call)\(\s*\"([A-Z]+)\"", source.read_text()))
    return {name.lower() for name in found}
