"""Live delivery: who gets what, replay and live without a gap, two processes, other servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from redis.exceptions import ResponseError

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import CursorExpired, NotFound, Unavailable
from services.hub.bells import PRESENCE, Channels, bell
from services.hub.channel import Published
from services.hub.stream import EventStream
from services.log import News
from services.models import (
    CaughtUpEvent,
    Event,
    MessageEvent,
    PresenceEvent,
    Room,
    RoomEvent,
)
from services.redis.pipeline import Pipeline

GENERAL = Room("0", "General")
ALL = (MessageEvent, RoomEvent, PresenceEvent, CaughtUpEvent)


async def take(stream: EventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), 10) for _ in range(count)]


async def texts(stream: EventStream, count: int) -> list[str]:
    return [
        event.message.text for event in await take(stream, count) if isinstance(event, MessageEvent)
    ]


@asynccontextmanager
async def live(
    chat: Chat, user_id: str, *, room_id: str | None = None, after: Cursor | None = None
) -> AsyncIterator[EventStream]:
    """A stream of messages that is past its replay."""
    kinds = (MessageEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe(user_id, kinds, room_id=room_id, after=after)) as stream:
        (caught_up,) = await take(stream, 1)
        assert isinstance(caught_up, CaughtUpEvent)
        yield stream


@asynccontextmanager
async def deaf(chat: Chat) -> AsyncIterator[None]:
    """Its channel connection is gone, and comes again afterwards."""
    channels, count = chat.hub._channels, chat.hub.connections
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat.store, "lonely_connection", Mock(side_effect=ConnectionError("away")))
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        async with asyncio.timeout(10):
            while channels.connected.is_set():
                await asyncio.sleep(0.01)
        yield
    async with asyncio.timeout(10):
        while chat.hub.connections == count:
            await asyncio.sleep(0.01)


@pytest.fixture(params=Channels)
def channels(request: pytest.FixtureRequest) -> Channels:
    return Channels(request.param)


@pytest.fixture
def strangers(channels: Channels) -> None:
    """For what servers do that are not Parley."""
    if not channels.envelopes:
        pytest.skip("Parley is alone here")


async def test_live_messages_arrive_once_and_in_order(chat: Chat, other: Chat) -> None:
    async with live(chat, "1") as stream:
        senders = [chat, other, chat, other]
        await asyncio.gather(
            *(sender.messages.send("2", GENERAL, f"{n}") for n, sender in enumerate(senders * 25))
        )
        events = [e.message for e in await take(stream, 100) if isinstance(e, MessageEvent)]
    positions = [message.position for message in events]
    assert positions == sorted(set(positions))
    assert sorted(int(message.text) for message in events) == list(range(100))


async def test_replay_then_live_without_gap_or_repeat(chat: Chat, other: Chat) -> None:
    first = await chat.messages.send("1", GENERAL, "0")
    after = Cursor(first.score, first.position, chat.epoch)

    async def send_many() -> None:
        for number in range(1, 200):
            await other.messages.send("1", GENERAL, f"{number}")

    sending = asyncio.create_task(send_many())
    await asyncio.sleep(0.02)
    async with aclosing(chat.hub.subscribe("2", [MessageEvent], after=after)) as stream:
        got = await texts(stream, 199)
    await sending
    assert got == [f"{number}" for number in range(1, 200)]


async def test_replay_over_all_rooms_is_in_the_order_of_sending(chat: Chat) -> None:
    private = await chat.rooms.open_private("1", "2")
    start = await chat.log.now()
    for number in range(20):
        await chat.messages.send("1", [GENERAL, private][number % 2], f"{number}")
    after = Cursor(start / 1e6, start, chat.epoch)
    async with aclosing(chat.hub.subscribe("2", ALL, after=after)) as stream:
        events = await take(stream, 21)
    assert [e.message.text for e in events if isinstance(e, MessageEvent)] == [
        f"{number}" for number in range(20)
    ]
    caught_up = events[-1]
    assert isinstance(caught_up, CaughtUpEvent)
    assert caught_up.replayed == 20


async def test_private_messages_reach_their_members_only(chat: Chat, other: Chat) -> None:
    room = await chat.rooms.open_private("1", "3")
    async with live(chat, "3") as mary, live(chat, "2") as joe, live(other, "1") as pablo:
        await other.messages.send("1", room, "secret")
        await other.messages.send("1", GENERAL, "public")
        assert await texts(mary, 2) == ["secret", "public"]
        assert await texts(pablo, 2) == ["secret", "public"]
        assert await texts(joe, 1) == ["public"]
    with pytest.raises(NotFound):
        await anext(chat.hub.subscribe("2", [MessageEvent], room_id=room.id))


async def test_one_rooms_subscriber_gets_that_room_only(chat: Chat) -> None:
    room = await chat.rooms.open_private("1", "3")
    async with live(chat, "1", room_id=room.id) as stream:
        await chat.messages.send("1", GENERAL, "public")
        await chat.messages.send("3", room, "private")
        assert await texts(stream, 1) == ["private"]


async def test_a_removed_member_gets_nothing_more(chat: Chat) -> None:
    room = await chat.rooms.open_private("1", "3")
    async with live(chat, "3") as stream:
        await chat.store.redis.srem(keys.user_rooms("3"), room.id)
        await chat.messages.send("1", room, "too late")
        await chat.messages.send("1", GENERAL, "public")
        assert await texts(stream, 1) == ["public"]


async def test_a_new_room_is_announced_to_both_and_its_messages_follow(
    chat: Chat, other: Chat
) -> None:
    user = await chat.users.register("Zoé", "password123")
    async with (
        aclosing(chat.hub.subscribe(user.id, ALL)) as zoe,
        aclosing(other.hub.subscribe("1", ALL)) as pablo,
    ):
        await take(zoe, 1)
        await take(pablo, 1)
        room = await chat.rooms.open_private("1", user.id)
        await other.messages.send("1", room, "hi")
        for stream in (zoe, pablo):
            added, message = await take(stream, 2)
            assert isinstance(added, RoomEvent)
            assert added.room_id == room.id == f"1:{user.id}"
            assert isinstance(message, MessageEvent)
            assert message.message.text == "hi"
        await chat.rooms.open_private("1", user.id)
        await chat.messages.send("1", room, "again")
        (message,) = await take(zoe, 1)
        assert isinstance(message, MessageEvent)


def record(text: str, date: float, room_id: str = "0") -> str:
    return json.dumps({"roomId": room_id, "message": text, "from": "2", "date": date})


def envelope(data: str) -> str:
    return f'{{"serverId":"192.0.2.2:4102","type":"message","data":{data}}}'


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("date", [1, 1795401320, 1795401320.5, 99999999999])
async def test_messages_of_other_servers_arrive_once(chat: Chat, other: Chat, date: float) -> None:
    own = await chat.messages.send("1", GENERAL, "own")
    async with live(chat, "1") as here, live(other, "1") as there:
        redis = chat.store.redis
        data = record("from Node", date)
        await redis.zadd(keys.room("0"), {data: date})
        await redis.publish(keys.MESSAGES_CHANNEL, envelope(data))
        await chat.messages.send("1", GENERAL, "next")
        arrived = await texts(here, 2)
        assert sorted(arrived) == ["from Node", "next"]
        assert await texts(there, 2) == arrived
    after = Cursor(own.score, own.position, chat.epoch)
    async with aclosing(chat.hub.subscribe("3", [MessageEvent], after=after)) as late:
        assert await texts(late, 2) == arrived


@pytest.mark.usefixtures("strangers")
async def test_what_was_only_published_is_kept_by_us(chat: Chat, other: Chat) -> None:
    async with live(chat, "1") as here, live(other, "1") as there:
        await chat.store.redis.publish(
            keys.MESSAGES_CHANNEL, envelope(record("never stored", 1795401320))
        )
        assert await texts(here, 1) == ["never stored"]
        assert await texts(there, 1) == ["never stored"]
        await chat.messages.send("1", GENERAL, "next")
        assert await texts(here, 1) == ["next"]


@pytest.mark.usefixtures("strangers")
async def test_show_room_of_another_server_adds_both(chat: Chat, other: Chat) -> None:
    user = await chat.users.register("Zoé", "password123")
    room_id = f"1:{user.id}"
    async with aclosing(chat.hub.subscribe(user.id, ALL)) as stream:
        await take(stream, 1)
        data = {"id": room_id, "names": [["Pablo"], ["Zoé"]]}
        redis = chat.store.redis
        await redis.publish(
            keys.MESSAGES_CHANNEL, json.dumps({"serverId": 1.5, "type": "show.room", "data": data})
        )
        (added,) = await take(stream, 1)
        assert added == RoomEvent(added.position, room_id)  # type: ignore[union-attr]
        message = record("first", 1795401320, room_id)
        await redis.zadd(keys.room(room_id), {message: 1795401320})
        await redis.publish(keys.MESSAGES_CHANNEL, envelope(message))
        assert await texts(stream, 1) == ["first"]


HOSTILE = [
    b"hello",
    b"null",
    b"[]",
    b"7",
    b"\xff\xfe",
    b'{"serverId":"x","type":"message"}',
    b'{"serverId":"x","type":"message","data":{"roomId":"online_users","message":"x","from":"1","date":1}}',
    b'{"serverId":"x","type":"message","data":{"roomId":"0:name","message":"x","from":"1","date":1}}',
    b'{"serverId":"x","type":"message","data":{"roomId":"1:3","message":"x","from":"2","date":1}}',
    b'{"serverId":"x","type":"message","data":{"roomId":"0","message":"x","from":"99","date":NaN}}',
    b'{"serverId":"x","type":"show.room","data":{"id":"1:99"}}',
    b'{"serverId":"x","type":"show.room","data":{"id":"../../etc"}}',
    b'{"serverId":"x","type":"user.connected","data":null}',
    b'{"serverId":"x","type":"connect","data":{}}',
    b"[" * 100_000,
    b"x" * 1_000_000,
]


async def test_hostile_envelopes_change_nothing(chat: Chat) -> None:
    async with live(chat, "1") as stream:
        redis = chat.store.redis
        before = await redis.zcard(keys.room("0"))
        for payload in HOSTILE:
            for channel in (keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL, keys.SESSIONS_CHANNEL):
                await redis.publish(channel, payload)
            for channel in (bell("room:0"), bell("user:1"), bell(PRESENCE)):
                await chat.store.call("SPUBLISH", channel, payload)
        for ring in ("room:0 999999999999999999", "room:0 1"):
            await redis.publish(keys.LOG_CHANNEL, ring)
            await chat.store.call("SPUBLISH", bell("room:0"), ring)
        await chat.messages.send("1", GENERAL, "alive")
        assert await texts(stream, 1) == ["alive"]
        assert await redis.zcard(keys.room("0")) == before + 1
        assert not await redis.exists(keys.room("1:99"))


async def test_a_broken_channel_heals_and_nothing_is_missed(chat: Chat, other: Chat) -> None:
    async with live(chat, "1") as stream:
        await other.messages.send("1", GENERAL, "before")
        redis = chat.store.redis
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        await other.messages.send("1", GENERAL, "meanwhile")
        data = record("meanwhile, from Node", 5)
        await redis.zadd(keys.room("0"), {data: 5})
        await redis.publish(keys.MESSAGES_CHANNEL, envelope(data))
        assert await texts(stream, 3) == ["before", "meanwhile", "meanwhile, from Node"]
        await other.messages.send("1", GENERAL, "after")
        assert await texts(stream, 1) == ["after"]


async def test_a_room_opened_while_the_channel_was_down_is_not_missed(
    chat: Chat, other: Chat
) -> None:
    user = await chat.users.register("Zoé", "password123")
    async with aclosing(chat.hub.subscribe(user.id, ALL)) as stream:
        await take(stream, 1)
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        room = await other.rooms.open_private("1", user.id)
        await other.messages.send("1", room, "hi")
        added, message = await take(stream, 2)
        assert isinstance(added, RoomEvent)
        assert isinstance(message, MessageEvent)


async def test_a_room_opened_while_is_caught_up_is_not_missed(
    chat: Chat, other: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first message has come by the moment up to which the logs are read, but its log is none
    of those."""
    user = await chat.users.register("Zoé", "password123")
    read = chat.log.news

    async def read_later(logs: Collection[str], *args: Any, **options: Any) -> News:
        monkeypatch.setattr(chat.log, "news", read)
        room = await other.rooms.open_private("1", user.id)
        await other.messages.send("1", room, "hi")
        return await read(logs, *args, **options)

    async with aclosing(chat.hub.subscribe(user.id, ALL)) as stream:
        await take(stream, 1)
        monkeypatch.setattr(chat.log, "news", read_later)
        chat.hub.ear.miss()
        added, message = await take(stream, 2)
        assert isinstance(added, RoomEvent)
        assert isinstance(message, MessageEvent)
        assert chat.log.news == read


async def test_a_room_gained_during_a_replay_that_fails_hides_nothing(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room has its subscriber go on from where the hub is; the replay has not come so far."""
    start = await chat.log.now()
    read = chat.log.news

    async def fail(*args: Any, **options: Any) -> News:
        monkeypatch.setattr(chat.log, "news", read)
        register = chat.hub.register
        (subscription,) = register.by_user["1"]
        monkeypatch.setattr(register, "is_catching_up", True)
        register.gain(subscription, {"1:2"})
        raise Unavailable("The store is away.")

    async with live(chat, "2") as witness:
        await chat.messages.send("2", GENERAL, "before")
        assert await texts(witness, 1) == ["before"]
        monkeypatch.setattr(chat.log, "news", fail)
        after = Cursor(start / 1e6, start, chat.epoch)
        async with aclosing(chat.hub.subscribe("1", [MessageEvent], after=after)) as stream:
            assert await texts(stream, 1) == ["before"]


async def test_a_cursor_of_another_store_has_expired(chat: Chat) -> None:
    with pytest.raises(CursorExpired):
        await anext(chat.hub.subscribe("1", [MessageEvent], after=Cursor(1.0, 1, "ffffffff")))


async def test_an_emptied_store_ends_what_hangs_on_it(chat: Chat) -> None:
    async with live(chat, "1") as stream:
        await chat.store.redis.flushdb()
        await chat.store.call("CLIENT", "KILL", "TYPE", "pubsub")
        with pytest.raises(CursorExpired):
            await take(stream, 1)
    assert chat.epoch == (await chat.store.call("GET", keys.EPOCH)).decode()


async def test_presence_reaches_everyone(chat: Chat, other: Chat) -> None:
    async with aclosing(other.hub.subscribe("2", [PresenceEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        user = (await chat.users.get_many(["3"]))[0]
        assert user is not None
        await chat.presence.connect(user)
        assert await take(stream, 1) == [PresenceEvent("3")]
        await chat.presence.disconnect(user)
        assert await take(stream, 1) == [PresenceEvent("3")]


async def test_presence_while_the_channel_was_down_is_told(chat: Chat, other: Chat) -> None:
    alex, mary = [user for user in await chat.users.get_many(["4", "3"]) if user is not None]
    await other.presence.connect(alex)
    async with aclosing(chat.hub.subscribe("2", [PresenceEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        await other.presence.connect(mary)
        while await take(stream, 1) != [PresenceEvent(mary.id)]:
            pass  # That Alex came may still have been under way.
        async with deaf(chat):
            await other.presence.disconnect(alex)
            await other.presence.disconnect(mary)
        told = await take(stream, 2)
        assert sorted(event.user_id for event in told if isinstance(event, PresenceEvent)) == [
            mary.id,
            alex.id,
        ]


@pytest.mark.usefixtures("strangers")
async def test_presence_at_other_servers_reaches_everyone(chat: Chat) -> None:
    async with aclosing(chat.hub.subscribe("2", [PresenceEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        await chat.store.redis.publish(
            keys.MESSAGES_CHANNEL,
            '{"Type":"user.connected","Data":"\\"Alex\\"","ServerId":"123"}',
        )
        assert await take(stream, 1) == [PresenceEvent("4")]


@pytest.mark.usefixtures("strangers")
async def test_presence_that_came_with_what_could_not_be_taken_is_told_later(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No log has it: what is lost of it is not found again."""
    execute = chat.store.execute
    is_away = asyncio.Event()

    async def fail_once(pipe: Pipeline) -> list[object]:
        looks_up = ("GET", keys.username("Alex")) in pipe.commands
        if is_away.is_set() or not looks_up:
            return await execute(pipe)
        is_away.set()
        raise Unavailable("The store is away.")

    async with aclosing(chat.hub.subscribe("2", [PresenceEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        monkeypatch.setattr(chat.store, "execute", fail_once)
        for data in ('"Data":"{\\"id\\":3}"', '"Data":"\\"Alex\\""'):
            envelope = f'{{"Type":"user.connected",{data},"ServerId":"123"}}'.encode()
            chat.hub.ear.note(Published("", keys.MESSAGES_CHANNEL, envelope))
        await is_away.wait()
        told = await take(stream, 2)
        assert told == [PresenceEvent("3"), PresenceEvent("4")]


async def test_a_stream_that_ends_leaves_nothing_behind(chat: Chat) -> None:
    for _ in range(3):
        async with live(chat, "1"), live(chat, "2", room_id="0"):
            pass
    assert not chat.hub.subscriptions
    assert not chat.hub.register.by_room
    assert not chat.hub.register.by_user


async def test_a_subscription_that_cannot_begin_leaves_nothing_behind(chat: Chat) -> None:
    await chat.store.call("SET", keys.user_rooms("1"), "not a set")
    with pytest.raises(ResponseError):
        await anext(chat.hub.subscribe("1", [MessageEvent]))
    assert not chat.hub.subscriptions
    assert not chat.hub.register.by_user


async def test_an_old_snapshot_plus_the_events_is_a_fresh_snapshot(chat: Chat, other: Chat) -> None:
    async def snapshot() -> set[tuple[str, int, str]]:
        rooms = await chat.rooms.ids_of_user("1")
        pages = [await chat.messages.page("1", room_id, last=100) for room_id in rooms]
        return {(m.room_id, m.position, m.text) for page in pages for m in page.messages}

    position = await chat.log.now()
    old = await snapshot()
    after = Cursor(position / 1e6, position, chat.epoch)
    user = await other.users.register("Zoé", "password123")
    room = await other.rooms.open_private(user.id, "1")
    await other.messages.send(user.id, room, "new room")
    await chat.store.redis.zadd(keys.room("0"), {record("node, long ago", 7): 7})
    await chat.log.ingest(["0"])
    await chat.messages.send("2", GENERAL, "general")
    async with aclosing(chat.hub.subscribe("1", ALL, after=after)) as stream:
        events = await take(stream, 5)
    news = {
        (e.message.room_id, e.message.position, e.message.text)
        for e in events
        if isinstance(e, MessageEvent)
    }
    assert len(news) == 3
    assert old | news == await snapshot()
