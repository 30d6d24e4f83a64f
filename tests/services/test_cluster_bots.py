"""Bots on a Redis Cluster, where the positions of different logs may be out of step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.hub.stream import EventStream
from services.models import Bot, CaughtUpEvent, MessageEvent, Room, Scope
from services.redis.store import Store
from tests.topologies.cluster import Cluster

GENERAL = Room("0", "General")
LOBBY = Room("lobby", "Lobby")
KINDS = (MessageEvent, CaughtUpEvent)
MARGIN = 2_000_000


@pytest.fixture
async def chat(empty_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    """One that has not checked for long that everything was handed out."""
    monkeypatch.setattr("services.hub.cluster_checks.CHECK_SECONDS", 3600)
    chat = Chat(Store.from_url(empty_cluster.url), bcrypt_cost=4)
    await chat.open()
    yield chat
    await chat.close()


@pytest.fixture
async def bot(chat: Chat) -> Bot:
    """Pablo's, in no room."""
    await chat.store.call("SET", keys.room_name(LOBBY.id), LOBBY.name or "")
    bot, _ = await chat.bots.create("1", "Echo", [Scope.READ, Scope.SEND])
    return bot


async def texts(stream: EventStream, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        event = await asyncio.wait_for(anext(stream), 10)
        if isinstance(event, MessageEvent):
            found.append(event.message.text)
    return found


async def pass_margin(chat: Chat) -> None:
    """Let so much time go by that what is said from now on counts as later by any clock."""
    moment = await chat.log.now() + MARGIN
    async with asyncio.timeout(10):
        while await chat.log.now() <= moment:
            await asyncio.sleep(0.05)


async def present(chat: Chat) -> Cursor:
    now = await chat.log.now()
    return Cursor(now / 1e6, now, chat.epoch)


async def test_it_hears_of_a_room_what_is_said_after_it_was_added(chat: Chat, bot: Bot) -> None:
    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS)) as stream:
        assert isinstance(await anext(stream), CaughtUpEvent)
        await chat.messages.send("1", GENERAL, "not for bots")
        await pass_margin(chat)
        await chat.bots.add_to_room("1", bot.user.id, "0")
        await chat.messages.send("1", GENERAL, "for bots")
        assert await texts(stream, 1) == ["for bots"]
        private = await chat.rooms.open_private("3", bot.user.id)
        await chat.messages.send("3", private, "for this one")
        assert await texts(stream, 1) == ["for this one"]


async def test_a_room_that_comes_while_its_rooms_are_looked_up_stays(
    chat: Chat, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = chat.rooms.ids_of_user
    has_looked, may_answer, looks_again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer_late(user_id: str) -> set[str]:
        if has_looked.is_set():
            looks_again.set()
        found = await look_up(user_id)
        has_looked.set()
        await may_answer.wait()
        return found

    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS)) as stream:
        assert isinstance(await anext(stream), CaughtUpEvent)
        monkeypatch.setattr(chat.rooms, "ids_of_user", answer_late)
        await chat.bots.add_to_room("1", bot.user.id, LOBBY.id)
        await asyncio.wait_for(has_looked.wait(), 10)
        await chat.bots.add_to_room("1", bot.user.id, "0")
        await chat.messages.send("1", GENERAL, "before the answer")
        assert await texts(stream, 1) == ["before the answer"]
        may_answer.set()
        await asyncio.wait_for(looks_again.wait(), 10)
        await chat.messages.send("1", GENERAL, "after it")
        assert await texts(stream, 1) == ["after it"]


async def test_it_resumes_with_what_it_has_missed(chat: Chat, bot: Bot) -> None:
    await chat.bots.add_to_room("1", bot.user.id, "0")
    after = await present(chat)
    await chat.messages.send("1", GENERAL, "one")
    await chat.messages.send("1", LOBBY, "elsewhere")
    await pass_margin(chat)
    await chat.bots.add_to_room("1", bot.user.id, LOBBY.id)
    await chat.messages.send("1", LOBBY, "two")
    await chat.messages.send("1", GENERAL, "three")
    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS, after=after)) as stream:
        heard = [await asyncio.wait_for(anext(stream), 10) for _ in range(4)]
    # Of the lobby from when it was added, as if it had listened all the time.
    said = [event.message.text for event in heard[:3] if isinstance(event, MessageEvent)]
    assert said == ["one", "two", "three"]
    assert isinstance(heard[3], CaughtUpEvent)


@pytest.mark.parametrize("ahead", [1_500_000, -1_500_000])
async def test_clocks_that_differ_cost_it_nothing(chat: Chat, bot: Bot, ahead: int) -> None:
    after = await present(chat)
    # As if the server that notes what it is added to were ahead of the room's, or behind.
    log = f"user:{bot.user.id}" if ahead > 0 else "room:0"
    clock = keys.log_clock(log)
    await chat.store.call("SET", clock, await chat.log.now() + abs(ahead))
    await chat.bots.add_to_room("1", bot.user.id, "0")
    await chat.messages.send("1", GENERAL, "hello")
    for _ in range(2):
        async with aclosing(chat.hub.subscribe(bot.user.id, KINDS, after=after)) as stream:
            assert await texts(stream, 1) == ["hello"]
        await pass_margin(chat)


async def test_clocks_that_differ_tell_it_nothing_old(chat: Chat, bot: Bot) -> None:
    after = await present(chat)
    await chat.messages.send("1", GENERAL, "not for bots")
    await pass_margin(chat)
    # As if the server that notes what it is added to were a little ahead.
    clock = keys.log_clock(f"user:{bot.user.id}")
    await chat.store.call("SET", clock, await chat.log.now() + 1_500_000)
    await chat.bots.add_to_room("1", bot.user.id, "0")
    await chat.messages.send("1", GENERAL, "hello")
    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS, after=after)) as stream:
        assert await texts(stream, 1) == ["hello"]


async def test_a_cursor_of_one_room_leaves_nothing_out_in_others(chat: Chat, bot: Bot) -> None:
    rooms = [Room(f"room-{number}", f"Room {number}") for number in range(12)]
    for room in rooms:
        await chat.store.call("SET", keys.room_name(room.id), room.name or "")
        await chat.bots.add_to_room("1", bot.user.id, room.id)
    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS)) as stream:
        await anext(stream)
        await chat.messages.send("1", rooms[0], "heard")
        event = await asyncio.wait_for(anext(stream), 10)
    assert isinstance(event, MessageEvent)
    cursor = Cursor(event.message.score, event.message.position, chat.epoch, event.doubt)
    sent = [await chat.messages.send("1", room, room.id) for room in rooms]
    async with aclosing(chat.hub.subscribe(bot.user.id, KINDS, after=cursor)) as stream:
        heard = [await asyncio.wait_for(anext(stream), 10) for _ in range(12)]
    assert {each.message for each in heard if isinstance(each, MessageEvent)} == set(sent)
