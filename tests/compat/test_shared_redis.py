"""Parley and the other servers on one Redis: each shows what the other wrote, and nobody dies."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import get_args

import pytest
import redis

from services.chat import Chat
from services.models import Event, MessageEvent, PresenceEvent, Room, RoomEvent
from services.redis.store import Store
from tests.compat.original import Flavour, OriginalServer

GENERAL = Room("0", "General")
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)
KINDS = (MessageEvent, RoomEvent, PresenceEvent)


@pytest.fixture
def client(store_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(store_url) as client:
        yield client


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_the_originals_show_what_parley_writes(
    chat: Chat, client: "redis.Redis", flavour: Flavour
) -> None:
    original = OriginalServer(client, flavour)
    heard = client.pubsub(  # type: ignore[no-untyped-call]
        ignore_subscribe_messages=True
    )
    heard.subscribe("MESSAGES")
    heard.get_message(timeout=5)
    zoe = await chat.users.register("Zoé", "correct horse")
    await chat.presence.connect(zoe)
    room = await chat.rooms.open_private(zoe.id, "1")
    text = "<b>&\"'é=\u2028 😀"
    await chat.messages.send(zoe.id, room, text, "n-1")
    await chat.messages.send("3", GENERAL, "zeta first")
    await chat.messages.send("3", GENERAL, "alpha second")
    await chat.presence.disconnect(zoe)

    if flavour in ("node", "python"):
        assert original.login("Zoé", "correct horse") is not None
        assert original.login("Zoé", "wrong") is None
    assert zoe.id not in original.users_online()
    assert {found["id"] for found in original.rooms(zoe.id)} == {"0", room.id}
    newest, older = original.history("0")[:2]
    assert (newest["message"], older["message"]) == ("alpha second", "zeta first")
    assert [message["message"] for message in original.history(room.id)] == [text]

    events = []
    while frame := heard.get_message(timeout=1):
        events.append(original.receive(frame["data"]))
    heard.close()
    shown = [(event.type, event.data) for event in events if event is not None]
    if flavour == "dotnet":
        assert not shown  # It drops every envelope whose data is an object.
        return
    assert [kind for kind, _ in shown] == [
        "user.connected",
        "show.room",
        "message",
        "message",
        "message",
        "user.disconnected",
    ]
    assert shown[0][1] == {"id": zoe.id, "username": "Zoé", "online": True}
    assert shown[1][1] == {"id": room.id, "names": [["Pablo"], ["Zoé"]]}


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_parley_shows_what_the_originals_write(
    chat: Chat, client: "redis.Redis", flavour: Flavour
) -> None:
    original = OriginalServer(client, flavour)
    pablo = {"id": "1", "username": "Pablo", "online": True}
    async with aclosing(chat.hub.subscribe("2", KINDS)) as stream:
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        original.connect(pablo)
        assert await asyncio.wait_for(first, 10) == PresenceEvent("1")
        assert (await chat.presence.many(["1"]))[0].online
        original.send("1", "0", "to all")
        original.send("1", "1:2", "to Joe")
        original.send("1", "1:3", "to Mary")
        original.send("1", "0", "to all again")
        got: list[Event] = [await asyncio.wait_for(anext(stream), 10) for _ in range(3)]
        texts = [event.message.text for event in got if isinstance(event, MessageEvent)]
        assert sorted(texts) == ["to Joe", "to all", "to all again"]
        original.disconnect(pablo)
        assert await asyncio.wait_for(anext(stream), 10) == PresenceEvent("1")
        assert not (await chat.presence.many(["1"]))[0].online
    page = await chat.messages.page("3", "1:3", last=1)
    assert [message.text for message in page.messages] == ["to Mary"]


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_parley_starts_on_a_redis_that_an_original_filled(
    store_url: str, client: "redis.Redis", flavour: Flavour
) -> None:
    original = OriginalServer(client, flavour)
    original.seed()
    chat = Chat(Store.from_url(store_url), bcrypt_cost=4)
    await chat.open()
    try:
        assert (await chat.users.authenticate("Mary", "password123")).id == "3"
        page = await chat.messages.page("1", "0", last=50)
        assert len(page.messages) == client.zcard("room:0")
        rooms, more = await chat.rooms.page_of_user("1", None, 10)
        assert [room.id for room in rooms] == ["0", "1:2", "1:3", "1:4"]
        assert not more
        # What was there before Parley is history and not news.
        assert max(message.position for message in page.messages) < 100
    finally:
        await chat.close()


async def test_a_room_that_only_python_knew_is_its_users_own(
    chat: Chat, client: "redis.Redis"
) -> None:
    original = OriginalServer(client, "python")
    zoe = original.register("Zoé", "password123")
    room_id = f"1:{zoe['id']}"
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        original.send(zoe["id"], room_id, "hello from Python")
        events = [await asyncio.wait_for(first, 10)]
        while not any(isinstance(event, MessageEvent) for event in events):
            events.append(await asyncio.wait_for(anext(stream), 10))
    assert any(isinstance(event, RoomEvent) and event.room_id == room_id for event in events)
    assert (await chat.rooms.visible("1", room_id)).is_private


async def test_an_original_that_removes_a_connected_user_is_corrected(
    chat: Chat, client: "redis.Redis"
) -> None:
    original = OriginalServer(client, "node")
    (pablo,) = await chat.users.get_many(["1"])
    assert pablo is not None
    await chat.presence.connect(pablo)
    original.disconnect({"id": "1", "username": "Pablo"})
    async with asyncio.timeout(10):
        while "1" not in original.users_online():
            await asyncio.sleep(0.05)
