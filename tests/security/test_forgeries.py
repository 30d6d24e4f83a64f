"""Ids and cursors that nobody was given: refused, and never part of a key or pattern."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.api.client import User
from tests.security.accounts import answer
from tests.security.conftest import Serve, Visit
from tests.servers import Server

MARK = "f0r9ed"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


FORGED_CURSORS = [
    "",
    "x",
    MARK,
    "*",
    "0" * 39,
    "0" * 40,
    "f" * 40,
    "F" * 40,
    "0" * 41,
    "٠" * 40,
    "fff0000000000000" + "0" * 24,
    encoded("*"),
    encoded(f"{MARK}*"),
    encoded("1:2:3"),
    encoded("0") + "=",
    encoded("-1"),
    "\u202e",
    "A" * 10_000,
]
CURSOR_FIELDS = {
    "after": [
        'messages(roomId: "room:0", first: 1, after: $cursor) { nodes { id } }',
        'room(id: "room:0") { messages(first: 1, after: $cursor) { nodes { id } } }',
        'room(id: "room:0") { members(after: $cursor) { nodes { id } } }',
        "rooms(after: $cursor) { nodes { id } }",
        "users(after: $cursor) { nodes { id } }",
    ],
    "before": ['messages(roomId: "room:0", last: 1, before: $cursor) { nodes { id } }'],
}
FORGED_IDS = [
    "",
    MARK,
    f"room:{MARK}*",
    f"room:{MARK}:name",
    f"room:{{{MARK}}}",
    f"user:{MARK}",
    f"user:1:{MARK}",
    f"message:0:{MARK}",
    f"message:{MARK}?:1",
    "room:*",
    "room:[01]",
    "room:0:name",
    "room:0\n",
    "room:00",
    "room:2:1",
    "room:1:1",
    "user:0",
    "user:-1",
    "user:1 ",
    "user:٤",
    "user:" + "9" * 30,
    "message:0:0",
    "message:0:" + "9" * 30,
    "parley:clock",
    "total_users",
    "x" * 10_000,
]


@pytest.mark.parametrize("cursor", FORGED_CURSORS, ids=lambda cursor: ascii(cursor)[:30])
async def test_cursors(server_without_limits: Server, visit: Visit, cursor: str) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    for name, fields in CURSOR_FIELDS.items():
        for field in fields:
            body = await answer(mary, f"query($cursor: String) {{ {field} }}", cursor=cursor)
            (error,) = body["errors"]
            assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": name}, field
    for field in (
        "events(after: $cursor) { __typename }",
        "messageAdded(after: $cursor) { cursor }",
    ):
        response = await mary.http.post(
            "/graphql",
            json={
                "query": f"subscription($cursor: String) {{ {field} }}",
                "variables": {"cursor": cursor},
            },
            headers={"accept": "text/event-stream", **mary.headers},
        )
        assert '"code":"BAD_USER_INPUT"' in response.text


@pytest.mark.parametrize("node_id", FORGED_IDS, ids=lambda node_id: ascii(node_id)[:30])
async def test_ids(server_without_limits: Server, visit: Visit, node_id: str) -> None:
    await try_id(await visit(server_without_limits).log_in("Mary"), node_id)


async def try_id(mary: User, node_id: str) -> None:
    found = await mary(
        "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id }"
        " room(id: $id) { id } user(id: $id) { id } }",
        id=node_id,
    )
    assert found == {"node": None, "nodes": [None], "room": None, "user": None}
    for document in (
        "query($id: ID!) { messages(roomId: $id) { nodes { id } } }",
        "query($id: ID!) { messages(roomId: $id, first: 1) { nodes { id } } }",
        'mutation($id: ID!) { sendMessage(input: {roomId: $id, text: "x"}) { message { id } } }',
        "mutation($id: ID!) { openPrivateRoom(input: {userId: $id}) { room { id } } }",
        "mutation($id: ID!) { endSession(input: {sessionId: $id}) { session { id } } }",
    ):
        (error,) = (await answer(mary, document, id=node_id))["errors"]
        assert error["extensions"]["code"] == "NOT_FOUND", document


@contextmanager
def watched(url: str) -> Iterator[list[str]]:
    """Every command that the store gets meanwhile."""
    commands: list[str] = []
    with redis.Redis.from_url(url) as client, client.monitor() as monitor:

        def read() -> None:
            for command in monitor.listen():
                commands.append(command["command"])
                if "the end of the watch" in command["command"]:
                    return

        reader = threading.Thread(target=read)
        reader.start()
        yield commands
        with redis.Redis.from_url(url) as other:
            other.echo("the end of the watch")
        reader.join(10)


async def test_the_store_hears_nothing_of_them(serve: Serve, visit: Visit, store_url: str) -> None:
    mary = await visit(serve(RATE_LIMITS="off")).log_in("Mary")
    with watched(store_url) as commands:
        for node_id in (node_id for node_id in FORGED_IDS if MARK in node_id):
            await try_id(mary, node_id)
        for cursor in (MARK, encoded(f"{MARK}*")):
            for fields in CURSOR_FIELDS.values():
                for field in fields:
                    await answer(mary, f"query($cursor: String) {{ {field} }}", cursor=cursor)
    assert len(commands) > 10
    heard = [command for command in commands if MARK in command]
    assert heard == []
