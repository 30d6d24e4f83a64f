"""The chat as its users see it: a real server, HTTP, WebSocket and SSE, clients not our own."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from gql.transport.exceptions import TransportError

from tests.api.client import ACCEPT, Failed, User, subscription
from tests.api.conftest import Visitor

pytestmark = pytest.mark.on_cluster

EVENTS = """
subscription($after: String) {
  events(after: $after) {
    __typename cursor
    ... on MessageAdded { edge { cursor node { id text sender { username } room { id } } } }
    ... on RoomAdded { room { id kind members { nodes { username } } } }
    ... on PresenceChanged { user { username online } }
    ... on CaughtUp { replayed }
  }
}
"""
MESSAGES = "subscription($room: ID) { messageAdded(roomId: $room) { cursor node { text } } }"


async def following(stream: AsyncGenerator[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The next event of a kind."""
    while True:
        event: dict[str, Any] = (await asyncio.wait_for(anext(stream), 10))["events"]
        if event["__typename"] == kind:
            return event


async def test_log_in_page_send_subscribe(visitor: Visitor) -> None:
    pablo = await visitor().log_in("Pablo")
    mary = await visitor().log_in("Mary")
    data = await pablo(
        '{ me { username } eventCursor messages(roomId: "room:0", last: 3) {'
        " nodes { text sender { username online } sentAt } edges { cursor }"
        " pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } }"
    )
    assert data["me"] == {"username": "Pablo"}
    assert len(data["messages"]["nodes"]) == 3
    assert data["messages"]["pageInfo"]["hasPreviousPage"] is True
    assert data["messages"]["pageInfo"]["hasNextPage"] is False
    async with mary.socket() as socket:
        stream = socket.subscribe(subscription(EVENTS, after=data["eventCursor"]))
        caught_up = await following(stream, "CaughtUp")
        assert caught_up["replayed"] == 0
        sent = await pablo.send("room:0", "Hello, Mary", clientMessageId="n-1")
        event = await following(stream, "MessageAdded")
        assert event["edge"]["node"]["text"] == "Hello, Mary"
        assert event["edge"]["node"]["id"] == sent["message"]["id"]
        assert event["edge"]["cursor"] == sent["edge"]["cursor"]
        # On a Redis Cluster it says more: what may not have been told yet.
        assert event["cursor"].startswith(sent["edge"]["cursor"])
        await stream.aclose()
        again = await pablo.send("room:0", "Hello, Mary", clientMessageId="n-1")
        assert again == sent
        await pablo.send("room:0", "while you were away")
        stream = socket.subscribe(subscription(EVENTS, after=event["cursor"]))
        missed = await following(stream, "MessageAdded")
        assert missed["edge"]["node"]["text"] == "while you were away"
        assert (await following(stream, "CaughtUp"))["replayed"] == 1
        await stream.aclose()


async def test_a_private_room_is_for_two(visitor: Visitor) -> None:
    pablo = await visitor().log_in("Pablo")
    mary = await visitor().log_in("Mary")
    joe = await visitor().log_in("Joe")
    room_id = await pablo.open_room(mary.id)
    assert room_id == "room:1:3"
    sent = await pablo.send(room_id, "only for Mary")
    page = "query($room: ID!) { messages(roomId: $room, last: 1) { nodes { text } } }"
    assert (await mary(page, room=room_id))["messages"]["nodes"] == [{"text": "only for Mary"}]
    with pytest.raises(Failed) as caught:
        await joe(page, room=room_id)
    with pytest.raises(Failed) as unknown:
        await joe(page, room="room:1:99")
    assert caught.value.codes == unknown.value.codes == ["NOT_FOUND"]
    with pytest.raises(Failed) as caught:
        await joe.send(room_id, "let me in")
    assert caught.value.codes == ["NOT_FOUND"]
    data = await joe(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        ids=[room_id, sent["message"]["id"], "room:0", "user:1", "nonsense"],
    )
    assert data["nodes"] == [None, None, {"id": "room:0"}, {"id": "user:1"}, None]
    async with joe.socket() as socket:
        stream = socket.subscribe(subscription(MESSAGES, room=room_id))
        with pytest.raises(TransportError, match="NOT_FOUND"):
            await anext(stream)


async def test_registration_opens_a_room_that_the_other_sees(visitor: Visitor) -> None:
    pablo = await visitor().log_in("Pablo")
    zoe = visitor()
    data = await zoe(
        "mutation($input: RegisterInput!) { register(input: $input) { user { id username }"
        " token expiresAt } }",
        input={"username": "Zoé", "password": "correct horse"},
    )
    zoe.token = data["register"]["token"]
    zoe.http.cookies.clear()
    async with pablo.socket() as socket:
        stream = socket.subscribe(subscription(EVENTS))
        await following(stream, "CaughtUp")
        await zoe.open_room(pablo.id)
        event = await following(stream, "RoomAdded")
        names = [user["username"] for user in event["room"]["members"]["nodes"]]
        assert names == ["Pablo", "Zoé"]
        assert event["room"]["kind"] == "PRIVATE"
        async with zoe.socket():
            change = await following(stream, "PresenceChanged")
            assert change["user"] == {"username": "Zoé", "online": True}
            assert change["cursor"] is None
        change = await following(stream, "PresenceChanged")
        assert change["user"] == {"username": "Zoé", "online": False}
        await stream.aclose()


async def test_log_out_ends_the_session_everywhere(visitor: Visitor) -> None:
    pablo = await visitor().log_in("Pablo")
    async with pablo.socket() as socket:
        stream = socket.subscribe(subscription(EVENTS))
        await following(stream, "CaughtUp")
        await pablo("mutation { logout { user { username } } }")
        with pytest.raises((TransportError, StopAsyncIteration)):
            await following(stream, "MessageAdded")
    assert (await pablo("{ me { id } }"))["me"] is None
    with pytest.raises(Failed) as caught:
        await pablo("{ rooms { nodes { id } } }")
    assert caught.value.codes == ["UNAUTHENTICATED"]


async def test_anonymous_callers(visitor: Visitor) -> None:
    nobody = visitor()
    assert (await nobody("{ me { id } __schema { queryType { name } } }"))["me"] is None
    for document in (
        "{ rooms { nodes { id } } }",
        "{ eventCursor }",
        "{ users { nodes { id } } }",
        '{ node(id: "user:1") { id } }',
        '{ messages(roomId: "nonsense") { nodes { id } } }',
        'mutation { sendMessage(input: {roomId: "room:0", text: "x"}) { message { id } } }',
        'mutation { sendMessage(input: {roomId: "nonsense", text: ""}) { message { id } } }',
    ):
        with pytest.raises(Failed) as caught:
            await nobody(document)
        assert caught.value.codes == ["UNAUTHENTICATED"]
    async with nobody.socket() as socket:
        with pytest.raises(TransportError, match="UNAUTHENTICATED"):
            await anext(socket.subscribe(subscription(MESSAGES)))


async def test_wrong_passwords_and_taken_names(visitor: Visitor) -> None:
    user = visitor()
    for username, password in (("Pablo", "wrong"), ("Nobody", "password123"), ("Pablo", "x" * 99)):
        with pytest.raises(Failed) as caught:
            await user.log_in(username, password)
        assert caught.value.codes == ["UNAUTHENTICATED"]
    register = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }"
    for username, password, code in (
        ("Pablo", "password123", "CONFLICT"),
        ("Newcomer", "x" * 73, "BAD_USER_INPUT"),
        ("", "password123", "BAD_USER_INPUT"),
    ):
        with pytest.raises(Failed) as caught:
            await user(register, input={"username": username, "password": password})
        assert caught.value.codes == [code]
        if code == "BAD_USER_INPUT":
            assert caught.value.errors[0]["extensions"]["field"].startswith("input.")


async def test_browsers_live_on_the_cookie(server_url: str) -> None:
    async with httpx.AsyncClient(base_url=server_url, headers={"accept": ACCEPT}) as browser:
        answer = await browser.post(
            "/graphql",
            json={
                "query": 'mutation { login(input: {username: "Mary", password: "password123"})'
                " { user { id } } }"
            },
        )
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        me = await browser.post("/graphql", json={"query": "{ me { username } }"})
        assert me.json()["data"]["me"] == {"username": "Mary"}
        await browser.post("/graphql", json={"query": "mutation { logout { user { id } } }"})
        me = await browser.post("/graphql", json={"query": "{ me { username } }"})
        assert me.json()["data"]["me"] is None


async def test_server_sent_events(visitor: Visitor) -> None:
    pablo = await visitor().log_in("Pablo")
    async with pablo.http.stream(
        "POST",
        "/graphql",
        json={"query": 'subscription { messageAdded(roomId: "room:0") { node { text } } }'},
        headers={**pablo.headers, "accept": "text/event-stream"},
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        # The stream is open once the sender appears online in it; send until it is heard.
        sending = asyncio.create_task(_send_until_cancelled(pablo))
        try:
            async with asyncio.timeout(20):
                async for line in lines:
                    if line.startswith("data: {"):
                        payload = json.loads(line.removeprefix("data: "))
                        break
        finally:
            sending.cancel()
        assert payload["data"]["messageAdded"]["node"]["text"].startswith("tick")


async def _send_until_cancelled(user: User) -> None:
    number = 0
    while True:
        await user.send("room:0", f"tick {number}")
        number += 1
        await asyncio.sleep(0.2)
