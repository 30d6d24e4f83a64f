"""Subscribers that are slow, rings that are missed or lie, rooms that are taken away."""

import asyncio
from contextlib import aclosing
from unittest.mock import Mock

import pytest

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import NotFound
from services.hub.bells import Channels
from services.hub.stream import EventStream
from services.hub.subscription import MAX_WAITING_BYTES
from services.models import (
    CaughtUpEvent,
    Event,
    Message,
    MessageEvent,
    PresenceEvent,
    Room,
    RoomEvent,
    User,
)

GENERAL = Room("0", "General")


@pytest.fixture(params=[Channels.SHARED, Channels.SHARDED])
def channels(request: pytest.FixtureRequest) -> Channels:
    return Channels(request.param)


async def take(stream: EventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), 10) for _ in range(count)]


async def messages(stream: EventStream, count: int) -> list[Message]:
    events = await take(stream, count)
    return [event.message for event in events if isinstance(event, MessageEvent)]


async def texts(stream: EventStream, count: int) -> list[str]:
    return [message.text for message in await messages(stream, count)]


@pytest.mark.on_cluster
async def test_a_slow_subscriber_costs_little_and_loses_nothing(chat: Chat, other: Chat) -> None:
    private = await chat.rooms.open_private("1", "3")
    kinds = (MessageEvent, PresenceEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe("1", kinds)) as slow:
        await take(slow, 1)
        (subscription,) = chat.hub.subscriptions
        await other.presence.connect(User("3", "Mary"))
        long = "x" * 3_900
        for number in range(300):
            await chat.messages.send("2", GENERAL, f"{number} {long}")
            await chat.messages.send("3", private, f"{number}")
            assert subscription._bytes <= MAX_WAITING_BYTES
        assert subscription.is_behind
        events = await take(slow, 601)
        assert [event for event in events if isinstance(event, PresenceEvent)] == [
            PresenceEvent("3")
        ]
        got = [event.message for event in events if isinstance(event, MessageEvent)]
        assert [message.position for message in got] == sorted({m.position for m in got})
        assert len(got) == 600
        await chat.messages.send("2", GENERAL, "live again")
        assert await texts(slow, 1) == ["live again"]


async def test_a_long_replay_is_read_bit_by_bit_while_more_is_sent(chat: Chat) -> None:
    private = await chat.rooms.open_private("1", "3")
    moment = await chat.log.now()
    after = Cursor(moment / 1e6, moment, chat.epoch)

    async def send(count: int) -> None:
        for number in range(count):
            await chat.messages.send("3", [GENERAL, private][number % 2], f"{number}")

    await send(500)
    sending = asyncio.create_task(send(500))
    async with aclosing(
        chat.hub.subscribe("1", [MessageEvent, CaughtUpEvent], after=after)
    ) as stream:
        events = await take(stream, 1_001)
    await sending
    got = [event.message for event in events if isinstance(event, MessageEvent)]
    assert [int(message.text) for message in got] == [*range(500), *range(500)]
    (caught_up,) = [event for event in events if isinstance(event, CaughtUpEvent)]
    assert caught_up.replayed == events.index(caught_up) >= 500


async def test_a_room_opened_during_a_replay_is_in_it(chat: Chat) -> None:
    user = await chat.users.register("Zoé", "password123")
    moment = await chat.log.now()
    for number in range(300):
        await chat.messages.send("2", GENERAL, f"{number}")
    after = Cursor(moment / 1e6, moment, chat.epoch)
    kinds = (MessageEvent, RoomEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe(user.id, kinds, after=after)) as stream:
        assert await texts(stream, 50) == [f"{number}" for number in range(50)]
        room = await chat.rooms.open_private("1", user.id)
        await chat.messages.send("1", room, "hi")
        *rest, added, message, caught_up = await take(stream, 253)
    assert len(rest) == 250
    assert isinstance(added, RoomEvent)
    assert isinstance(message, MessageEvent)
    assert message.message.text == "hi"
    assert caught_up == CaughtUpEvent(message.position, 302)


async def test_a_ring_that_lies_hides_nothing(chat: Chat, channels: Channels) -> None:
    private = await chat.rooms.open_private("1", "3")
    async with aclosing(chat.hub.subscribe("1", [MessageEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        now = await chat.log.now()
        for position in (now + 3600 * 1_000_000, now + 1, now, 1, 10**18 - 1):
            for log in ("room:0", f"room:{private.id}", "room:77", "user:1"):
                await chat.store.call(*channels.bell(log), f"{log} {position}")
        for number in range(20):
            await chat.messages.send("3", [GENERAL, private][number % 2], f"{number}")
        assert await texts(stream, 20) == [f"{number}" for number in range(20)]


@pytest.mark.on_cluster
async def test_what_did_not_ring_is_found_all_the_same(chat: Chat, channels: Channels) -> None:
    if channels.is_sharded and not chat.store.is_cluster:
        pytest.skip("There rings are lost with their connection only, which is noticed.")
    async with aclosing(chat.hub.subscribe("1", [MessageEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        await chat.store.redis.zadd(keys.room("0"), {'{"from":"2","date":5,"message":"x"}': 5})
        clock = chat.store.clock("room:0")
        logs = [keys.room("0"), keys.room_log("0"), keys.room_foreign("0"), clock]
        await chat.store.run("ingest", logs, "0", "PUBLISH", "nowhere", "live")
        assert await texts(stream, 1) == ["x"]
        await chat.messages.send("3", GENERAL, "next")
        assert await texts(stream, 1) == ["next"]


async def test_what_did_not_ring_comes_before_what_this_process_sends(chat: Chat) -> None:
    async with aclosing(chat.hub.subscribe("1", [MessageEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        for number in range(20):
            await chat.messages.send("3", GENERAL, f"{number}")
            unheard = f'{{"from":"2","date":{number},"message":"unheard {number}"}}'
            await chat.store.redis.zadd(keys.room("0"), {unheard: number})
            logs = [keys.room("0"), keys.room_log("0"), keys.room_foreign("0"), keys.CLOCK]
            await chat.store.run("ingest", logs, "0", "PUBLISH", "nowhere", "live")
        await chat.messages.send("3", GENERAL, "last")
        got = await texts(stream, 41)
    assert got[::2] == [*map(str, range(20)), "last"]
    assert got[1::2] == [f"unheard {number}" for number in range(20)]


async def test_what_this_process_sends_is_not_read_again(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(chat.hub.subscribe("1", [MessageEvent, CaughtUpEvent])) as stream:
        await take(stream, 1)
        news = Mock(wraps=chat.log.news)
        monkeypatch.setattr(chat.log, "news", news)
        for number in range(50):
            sent = await chat.messages.send("3", GENERAL, f" {number} Größe\n", f"key {number}")
            (heard,) = await messages(stream, 1)
            assert heard == sent == await chat.log.get("0", sent.position)
    # A ring may be heard before the store's answer.
    assert news.call_count < 25


@pytest.mark.on_cluster
@pytest.mark.parametrize("server", ["this", "another"])
async def test_a_room_taken_away_ends_what_follows_it(chat: Chat, server: str) -> None:
    """Whoever takes it: the shared data model has no other word for it than the set."""
    private = await chat.rooms.open_private("1", "3")
    kinds = (MessageEvent, CaughtUpEvent)
    async with (
        aclosing(chat.hub.subscribe("1", kinds, room_id=private.id)) as of_room,
        aclosing(chat.hub.subscribe("3", kinds, room_id=private.id)) as of_other,
        aclosing(chat.hub.subscribe("1", kinds)) as of_all,
    ):
        for stream in (of_room, of_other, of_all):
            await take(stream, 1)
        ended = asyncio.ensure_future(anext(of_room))
        if server == "this":
            await chat.store.call("SREM", keys.user_rooms("1"), private.id)
        else:
            await chat.store.call(
                "EVAL", "redis.call('SREM', KEYS[1], ARGV[1])", 1, keys.user_rooms("1"), private.id
            )
        with pytest.raises(NotFound):
            await asyncio.wait_for(ended, 10)
        await chat.messages.send("3", private, "secret")
        await chat.messages.send("3", GENERAL, "general")
        assert await texts(of_all, 1) == ["general"]
        assert await texts(of_other, 1) == ["secret"]


async def test_nothing_leaks_where_the_store_does_not_tell_of_changes(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user of the store may not be allowed to ask for that."""
    monkeypatch.setattr(chat.hub.ear, "_note_changes", lambda changed: None)
    private = await chat.rooms.open_private("1", "3")
    kinds = (MessageEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe("1", kinds, room_id=private.id)) as stream:
        await take(stream, 1)
        await chat.store.call("SREM", keys.user_rooms("1"), private.id)
        await chat.messages.send("3", private, "secret")
        with pytest.raises(NotFound):
            await take(stream, 1)
