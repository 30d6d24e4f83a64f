"""Sharded channels: who hears what, from when on, and what happens where that is not so."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager
from functools import partial

import pytest

from services import keys
from services.chat import Chat
from services.fleet import Fleet
from services.hub import interest
from services.hub.bells import PRESENCE, Channels, bell
from services.hub.stream import EventStream
from services.models import CaughtUpEvent, Event, MessageEvent, PresenceEvent, Room, RoomEvent, User
from services.redis.conversation import Conversation
from services.redis.store import Store, StoreError

GENERAL = Room("0", "General")
KINDS = (MessageEvent, CaughtUpEvent)
PATIENCE_SECONDS = 10


@pytest.fixture(params=[Channels.BOTH, Channels.SHARDED])
def channels(request: pytest.FixtureRequest) -> Channels:
    return Channels(request.param)


@asynccontextmanager
async def live(
    chat: Chat, user_id: str, kinds: Collection[type[Event]] = KINDS, room_id: str | None = None
) -> AsyncIterator[EventStream]:
    """A stream that is past its replay."""
    async with aclosing(chat.hub.subscribe(user_id, kinds, room_id=room_id)) as stream:
        (caught_up,) = await take(stream, 1)
        assert isinstance(caught_up, CaughtUpEvent)
        yield stream


async def take(stream: EventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), PATIENCE_SECONDS) for _ in range(count)]


async def texts(stream: EventStream, count: int) -> list[str]:
    return [
        event.message.text for event in await take(stream, count) if isinstance(event, MessageEvent)
    ]


async def listeners(chat: Chat, *names: str) -> list[int]:
    """How many processes listen to the bells of these logs."""
    reply = await chat.store.call("PUBSUB", "SHARDNUMSUB", *map(bell, names))
    return [int(count) for count in reply[1::2]]


async def until_heard_by(chat: Chat, name: str, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await listeners(chat, name) != [count]:
            await asyncio.sleep(0.01)


async def test_a_process_hears_the_rooms_of_its_subscribers_only(
    chat: Chat, other: Chat, channels: Channels
) -> None:
    private = await chat.rooms.open_private("1", "3")
    async with live(chat, "1") as of_all, live(other, "3", room_id=private.id) as of_one:
        logs = ("room:0", f"room:{private.id}", "user:1", "user:3")
        assert await listeners(chat, *logs) == [1, 2, 1, 0]
        heard = other.hub.received
        for number in range(20):
            await other.messages.send("2", GENERAL, f"{number}")
        await other.messages.send("1", private, "hi")
        assert await texts(of_all, 21) == [*map(str, range(20)), "hi"]
        assert await texts(of_one, 1) == ["hi"]
        envelopes = 21 if channels.envelopes else 0
        rings = other.hub.received - heard - envelopes
        # Beside the one of the message perhaps an echo or two.
        assert 1 <= rings <= 3


async def test_a_bell_is_left_some_time_after_the_last_subscriber(
    chat: Chat, other: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live(chat, "1", room_id="0"):
        assert await listeners(chat, "room:0") == [1]
    assert await listeners(chat, "room:0") == [1]
    async with live(chat, "1", room_id="0") as stream:
        await other.messages.send("2", GENERAL, "still heard")
        assert await texts(stream, 1) == ["still heard"]
    monkeypatch.setattr(interest, "_LINGER_SECONDS", 0)
    await until_heard_by(chat, "room:0", 0)
    await other.messages.send("2", GENERAL, "nobody listens")
    async with live(chat, "1", room_id="0") as stream:
        await other.messages.send("2", GENERAL, "heard again")
        assert await texts(stream, 1) == ["heard again"]


async def test_subscribers_who_come_and_go_while_much_is_sent_miss_nothing(
    chat: Chat, other: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interest, "_LINGER_SECONDS", 0)
    has_ended = asyncio.Event()

    async def send() -> None:
        while not has_ended.is_set():
            await other.messages.send("2", GENERAL, "again")

    sending = asyncio.create_task(send())
    for _ in range(40):
        async with aclosing(chat.hub.subscribe("1", KINDS, room_id="0")) as stream:
            caught_up, *events = await take(stream, 11)
        assert isinstance(caught_up, CaughtUpEvent)
        news = await chat.log.news(["room:0"], caught_up.position, limit=10)
        assert events == [event for _, event in news.entries]
        chat.hub.register.sweep()
    has_ended.set()
    await sending


async def test_a_room_that_is_joined_is_followed_from_then_on(chat: Chat, other: Chat) -> None:
    await chat.store.call("SET", keys.room_name("7"), "Seven")
    room = Room("7", "Seven")
    for number in range(3):
        await other.messages.send("2", room, f"before {number}")
    async with live(chat, "1") as stream:
        # Idle for a while, it has nothing to go by but what the process has heard of itself.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while chat.hub.register.position < await chat.log.now():
                await asyncio.sleep(0.05)
        await other.store.call("SADD", keys.user_rooms("1"), "7")
        await until_heard_by(chat, "room:7", 1)
        await other.messages.send("2", room, "after")
        await other.messages.send("2", GENERAL, "and elsewhere")
        assert await texts(stream, 2) == ["after", "and elsewhere"]


async def test_what_is_said_in_a_new_room_before_it_is_heard_comes_in_order(
    chat: Chat, other: Chat
) -> None:
    users = [await chat.users.register(f"user-{number}", "password123") for number in range(10)]
    async with live(chat, "1", (MessageEvent, RoomEvent, CaughtUpEvent)) as stream:
        for user in users:
            room = await other.rooms.open_private("1", user.id)
            await asyncio.gather(
                other.messages.send(user.id, room, f"private {user.id}"),
                other.messages.send("2", GENERAL, f"general {user.id}"),
            )
        events = await take(stream, 30)
    positions = [event.position for event in events if isinstance(event, MessageEvent | RoomEvent)]
    assert positions == sorted(set(positions))
    said = {event.message.text for event in events if isinstance(event, MessageEvent)}
    assert said == {f"{where} {user.id}" for where in ("private", "general") for user in users}


async def test_a_connection_that_has_gone_deaf_is_noticed(chat: Chat, other: Chat) -> None:
    async with live(chat, "1", room_id="0") as stream:
        conversation = chat.hub._channels._conversation
        assert conversation is not None
        pipe = chat.store.pipeline()
        for channel in (bell("room:0"), str(chat.hub.ear.echo.channel)):
            pipe.add("SUNSUBSCRIBE", channel)
        conversation.say(pipe.packed()[0])
        await until_heard_by(chat, "room:0", 0)
        await other.messages.send("2", GENERAL, "unheard")
        assert await texts(stream, 1) == ["unheard"]


async def test_who_is_half_connected_does_not_take_a_ring_for_all(
    chat: Chat, other: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a bell rings which is heard already says nothing of those that are not yet."""
    private = await chat.rooms.open_private("1", "3")
    say, late = Conversation.say, list[Callable[[], None]]()

    def say_later(conversation: Conversation, request: bytes) -> None:
        if b"SSUBSCRIBE" in request and bell("room:0").encode() in request:
            late.append(partial(say, conversation, request))
        else:
            say(conversation, request)

    async with live(chat, "1") as stream:
        monkeypatch.setattr(Conversation, "say", say_later)
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not late:
                await asyncio.sleep(0.01)
        await until_heard_by(chat, f"room:{private.id}", 1)
        await other.messages.send("2", GENERAL, "unheard")
        await other.messages.send("3", private, "heard")
        await asyncio.sleep(0.1)  # In which it could be delivered.
        for each in late:
            each()
        assert await texts(stream, 2) == ["unheard", "heard"]


async def test_presence_is_heard_where_somebody_asks_for_it(
    chat: Chat, other: Chat, channels: Channels
) -> None:
    async with live(chat, "1"):
        assert await listeners(chat, PRESENCE) == [0]
    async with live(chat, "1", (PresenceEvent, CaughtUpEvent)) as stream:
        assert await listeners(chat, PRESENCE) == [0 if channels.envelopes else 1]
        await other.presence.connect(User("3", "Mary"))
        assert await take(stream, 1) == [PresenceEvent("3")]


async def test_other_servers_are_told_only_if_there_are_any(chat: Chat, channels: Channels) -> None:
    async with chat.store.redis.pubsub() as strangers:
        await strangers.subscribe(keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL, "end")
        for _ in range(3):  # It counts from when it is confirmed.
            await strangers.get_message(timeout=10)
        await chat.presence.connect(User("1", "Pablo"))
        user = await chat.users.register("Zoé", "password123")
        await chat.messages.send("1", await chat.rooms.open_private("1", user.id), "hi")
        await chat.store.call("PUBLISH", "end", "")
        told = []
        async for message in strangers.listen():
            if message["channel"] == b"end" and message["type"] == "message":
                break
            told.append(message)
    published = [message["channel"] for message in told if message["type"] == "message"]
    assert published == [b"MESSAGES"] * (3 if channels.envelopes else 0)


async def test_a_process_that_rings_in_another_way_is_refused(
    store_url: str, channels: Channels
) -> None:
    def process(channels: Channels) -> Chat:
        return Chat(Store.from_url(store_url), bcrypt_cost=4, channels=channels)

    first, second = process(channels), process(channels)
    await first.open()
    await second.open()
    odd = process(Channels.SHARED)
    with pytest.raises(StoreError, match=f"CHANNELS is shared here and {channels} in a server"):
        await odd.open()
    await odd.store.close()
    await first.close()
    await second.close()
    changed = process(Channels.SHARED)
    await changed.open()
    await changed.close()


async def test_a_killed_process_is_of_the_fleet_until_its_lease_ends(store: Store) -> None:
    await Fleet(store, "killed", Channels.SHARED).join()
    odd = Fleet(store, "odd", Channels.SHARDED)
    with pytest.raises(StoreError):
        await odd.join()
    await store.call("ZADD", keys.FLEET, 1, "shared killed")
    await odd.join()
