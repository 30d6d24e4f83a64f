"""Bots: what they hear of, and what is left of them."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import (
    BadUserInput,
    Conflict,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from services.hub.stream import EventStream
from services.models import Bot, CaughtUpEvent, Event, MessageEvent, Room, RoomEvent, Scope
from services.redis.pipeline import Pipeline
from services.redis.store import Store

# What depends on one clock for all logs is in test_cluster_bots.py besides.
pytestmark = pytest.mark.on_cluster

GENERAL = Room("0", "General")
LOBBY = Room("lobby", "Lobby")
KINDS = (MessageEvent, CaughtUpEvent)
BOTH = list(Scope)


@pytest.fixture
async def bot(chat: Chat) -> Bot:
    """Pablo's, in no room."""
    await chat.store.call("SET", keys.room_name(LOBBY.id), LOBBY.name or "")
    bot, _ = await chat.bots.create("1", "Echo", BOTH)
    return bot


@asynccontextmanager
async def following(
    chat: Chat, bot: Bot, *, room: Room | None = None, after: Cursor | None = None
) -> AsyncIterator[EventStream]:
    stream = chat.hub.subscribe(
        bot.user.id, KINDS, room_id=None if room is None else room.id, after=after
    )
    async with aclosing(stream):
        yield stream


async def take(stream: EventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), 10) for _ in range(count)]


async def texts(stream: EventStream, count: int) -> list[str]:
    events = await take(stream, count)
    return [event.message.text for event in events if isinstance(event, MessageEvent)]


async def present(chat: Chat) -> Cursor:
    now = await chat.log.now()
    return Cursor(now / 1e6, now, chat.epoch)


async def test_other_servers_find_an_account_in_no_room(chat: Chat, bot: Bot) -> None:
    record = await chat.store.call("HGETALL", keys.user(bot.user.id))
    assert record[b"username"] == b"Echo"
    assert record[b"password"].startswith(b"$2b$04$")
    assert set(record) == {b"username", b"password", b"owner"}
    assert await chat.store.call("GET", keys.username("Echo")) == b"user:5"
    assert await chat.rooms.ids_of_user(bot.user.id) == set()
    for password in ("", "password123", "Echo"):
        with pytest.raises(Unauthenticated):
            await chat.users.authenticate("Echo", password)
    with pytest.raises(BadUserInput):
        await chat.users.set_password(bot.user.id, "password123")


@pytest.mark.one_server
async def test_it_hears_of_rooms_that_it_was_added_to(chat: Chat, bot: Bot) -> None:
    async with following(chat, bot) as stream:
        await take(stream, 1)
        await chat.messages.send("1", GENERAL, "not for bots")
        await chat.bots.add_to_room("1", bot.user.id, "0")
        await chat.messages.send("1", GENERAL, "for bots")
        private = await chat.rooms.open_private("3", bot.user.id)
        await chat.messages.send("3", private, "for this one")
        assert await texts(stream, 2) == ["for bots", "for this one"]


async def test_no_message_after_it_was_added_is_missed(chat: Chat, bot: Bot) -> None:
    """Nobody else follows the rooms, so nothing has read what rings meanwhile."""
    rooms = [Room(f"room-{number}", f"Room {number}") for number in range(30)]
    for room in rooms:
        await chat.store.call("SET", keys.room_name(room.id), room.name or "")

    async def add_and_send(room: Room) -> None:
        await chat.bots.add_to_room("1", bot.user.id, room.id)
        await chat.messages.send("1", room, room.id)

    async with following(chat, bot) as stream:
        await take(stream, 1)
        await asyncio.gather(*map(add_and_send, rooms))
        assert sorted(await texts(stream, 30)) == sorted(room.id for room in rooms)


@pytest.mark.one_server
async def test_it_resumes_with_what_it_has_missed(chat: Chat, bot: Bot) -> None:
    await chat.bots.add_to_room("1", bot.user.id, "0")
    after = await present(chat)
    await chat.messages.send("1", GENERAL, "one")
    await chat.messages.send("1", LOBBY, "elsewhere")
    await chat.bots.add_to_room("1", bot.user.id, LOBBY.id)
    await chat.messages.send("1", LOBBY, "two")
    await chat.messages.send("1", GENERAL, "three")
    async with following(chat, bot, after=after) as stream:
        # Of the lobby from when it was added, as if it had listened all the time.
        assert await texts(stream, 3) == ["one", "two", "three"]
        assert await take(stream, 1) == [CaughtUpEvent(await chat.log.now(), 3)]


@pytest.mark.one_server
async def test_after_a_gap_it_hears_the_same(chat: Chat, bot: Bot) -> None:
    await chat.bots.add_to_room("1", bot.user.id, "0")
    async with following(chat, bot) as stream:
        await take(stream, 1)
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        await chat.messages.send("1", LOBBY, "elsewhere")
        await chat.bots.add_to_room("1", bot.user.id, LOBBY.id)
        await chat.messages.send("1", LOBBY, "one")
        await chat.messages.send("1", GENERAL, "two")
        assert await texts(stream, 2) == ["one", "two"]


@pytest.mark.parametrize("store_tells", [True, False], ids=["told", "untold"])
async def test_it_hears_nothing_of_a_room_that_it_was_taken_out_of(
    chat: Chat, bot: Bot, store_tells: bool
) -> None:
    for room in (GENERAL, LOBBY):
        await chat.bots.add_to_room("1", bot.user.id, room.id)
    if not store_tells:
        chat.hub.ear._note_changes = lambda changed: None  # type: ignore[method-assign]
    async with (
        following(chat, bot) as of_all,
        following(chat, bot, room=LOBBY) as of_lobby,
        aclosing(chat.hub.subscribe("3", KINDS)) as of_mary,
    ):
        for stream in (of_all, of_lobby, of_mary):
            await take(stream, 1)
        await chat.bots.remove_from_room("1", bot.user.id, LOBBY.id)
        await chat.messages.send("1", LOBBY, "secret")
        await chat.messages.send("1", GENERAL, "public")
        with pytest.raises(NotFound):
            await take(of_lobby, 1)
        assert await texts(of_all, 1) == ["public"]
        assert await texts(of_mary, 1) == ["public"]
    with pytest.raises(NotFound):
        await chat.rooms.visible(bot.user.id, LOBBY.id)


async def test_nothing_of_such_a_room_is_replayed(chat: Chat, bot: Bot) -> None:
    after = await present(chat)
    await chat.bots.add_to_room("1", bot.user.id, "0")
    await chat.messages.send("1", GENERAL, "secret")
    await chat.bots.remove_from_room("1", bot.user.id, "0")
    kinds = (MessageEvent, RoomEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe(bot.user.id, kinds, after=after)) as stream:
        (caught_up,) = await take(stream, 1)
        assert isinstance(caught_up, CaughtUpEvent)
    async with following(chat, bot, room=GENERAL, after=after) as stream:
        with pytest.raises(NotFound):
            await take(stream, 1)


async def test_so_many_of_a_user_even_at_once(store_url: str, chat: Chat) -> None:
    results = await asyncio.gather(
        *(chat.bots.create("1", f"Bot number {number}", BOTH) for number in range(15)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Forbidden) for result in results) == 5
    listed = await chat.bots.of_user("1")
    assert len(listed) == 10
    assert all(bot.token is not None for bot in listed)
    await chat.bots.delete("1", listed[0].user.id)
    await chat.bots.create("1", "One more", BOTH)
    # Others have their own.
    await chat.bots.create("2", "Of Joe", BOTH)


class _Lost(Store):
    """A store that is lost after so many calls."""

    left = math.inf

    async def execute(self, pipe: Pipeline) -> list[Any]:
        if self.left == 0:
            raise Unavailable("It is gone.")
        self.left -= 1
        return await super().execute(pipe)


@pytest.fixture
async def dying(store_url: str) -> AsyncIterator[Chat]:
    """A second process, without the tasks in the background."""
    chat = Chat(_Lost.from_url(store_url), bcrypt_cost=4)
    await chat.store.open()
    yield chat
    chat.passwords.close()
    await chat.store.close()


async def test_a_creation_that_was_cut_off_leaves_no_bot_but_the_owners(
    chat: Chat, dying: Chat
) -> None:
    assert isinstance(dying.store, _Lost)
    made = 0
    for calls in range(100):
        name = f"Bot number {calls}"
        dying.store.left = calls
        with suppress(Unavailable):
            await dying.bots.create("1", name, BOTH)
            break
        found = await chat.users.by_username(name)
        listed = await chat.bots.of_user("1")
        assert [bot.user for bot in listed] == ([found] if found else [])
        if found is None:
            # The name is free once the turn of the dead is over, and what is left takes no place.
            await chat.store.call("DEL", keys.REGISTERING)
            bot, _ = await chat.bots.create("1", name, BOTH)
            await chat.bots.delete("1", bot.user.id)
        else:
            made += 1
            _, token = await chat.bots.rotate_token("1", found.id, BOTH)
            assert await chat.sessions.resolve(token) is not None
            await chat.bots.delete("1", found.id)
    else:
        pytest.fail("It was never created.")
    assert made > 0


@pytest.mark.parametrize("record", [{}, {"username": "Zoe"}, {"username": "Zoe", "owner": "2"}])
async def test_what_is_listed_and_not_the_owners_is_none_of_theirs(
    chat: Chat, record: dict[str, str]
) -> None:
    """An account of somebody else's now, or of nobody."""
    for number in range(10):
        await chat.store.call("ZADD", keys.bots("1"), 1, f"{100 + number}")
        for field, value in record.items():
            await chat.store.call("HSET", keys.user(f"{100 + number}"), field, value)
    assert await chat.bots.of_user("1") == []
    for attempt in (chat.bots.rotate_token("1", "100", BOTH), chat.bots.delete("1", "100")):
        with pytest.raises(NotFound):
            await attempt


async def test_its_last_use_is_kept_and_it_never_expires(chat: Chat) -> None:
    bot, token = await chat.bots.create("1", "Echo", [Scope.READ])
    claimed = chat.sessions.claimed(token)
    assert claimed is not None
    key = keys.session(bot.user.id, claimed.token_hash)
    assert await chat.store.call("PTTL", key) == -1
    old = b'{"created":1,"used":2,"scopes":["READ"]}'
    await chat.store.call("SET", key, old)
    session = await chat.sessions.resolve(token, ["operation"])
    assert session is not None
    assert session.scopes == frozenset({Scope.READ})
    assert await chat.store.call("PTTL", key) == -1
    (listed,) = await chat.bots.of_user("1")
    assert listed.token is not None
    assert listed.token.created_at == 1
    assert listed.token.used_at > 2


async def test_a_deleted_one_stays_the_sender_of_its_messages(chat: Chat, bot: Bot) -> None:
    await chat.bots.add_to_room("1", bot.user.id, "0")
    await chat.messages.send(bot.user.id, GENERAL, "hello")
    await chat.bots.delete("1", bot.user.id)
    (user,) = await chat.users.read_many([bot.user.id])
    assert user is not None
    assert user.is_bot
    assert user.username == "Echo"
    assert await chat.rooms.ids_of_user(bot.user.id) == set()
    assert await chat.bots.of_user("1") == []
    page, _ = await chat.users.page(0, 50, None)
    assert bot.user.id not in {each.id for each in page}
    with pytest.raises(NotFound):
        await chat.rooms.open_private("1", bot.user.id)
    with pytest.raises(NotFound):
        await chat.bots.rotate_token("1", bot.user.id, BOTH)
    for name in ("Echo", "ECHO"):
        with pytest.raises(Conflict):
            await chat.users.register(name, "password123")


async def test_a_deletion_that_was_cut_off_is_repeated(chat: Chat, bot: Bot) -> None:
    await chat.bots.add_to_room("1", bot.user.id, "0")
    await chat.users.mark_deleted(bot.user.id)
    # Half deleted, it gets no token.
    with pytest.raises(NotFound):
        await chat.bots.rotate_token("1", bot.user.id, BOTH)
    await chat.bots.delete("1", bot.user.id)
    assert await chat.bots.of_user("1") == []
    assert await chat.rooms.ids_of_user(bot.user.id) == set()
    assert await chat.sessions.of_user(bot.user.id) == []
