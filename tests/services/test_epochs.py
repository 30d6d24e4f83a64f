"""A store that comes back with less than it had, and one that comes back whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import CursorExpired
from services.hub.stream import EventStream
from services.models import CaughtUpEvent, Message, MessageEvent, Room
from services.redis.store import Store

GENERAL = Room("0", "General")


@pytest.fixture
async def late(store_url: str) -> AsyncIterator[Chat]:
    """A server process that is started when a test needs it."""
    chat = Chat(Store.from_url(store_url), bcrypt_cost=4)
    yield chat
    await chat.close()


def cursor(chat: Chat, message: Message) -> Cursor:
    return Cursor(message.score, message.position, chat.epoch)


async def text(stream: EventStream) -> str:
    event = await asyncio.wait_for(anext(stream), 10)
    assert isinstance(event, MessageEvent)
    return event.message.text


async def restart(chat: Chat) -> None:
    """What a restarted store looks like: other server, no connections."""
    await chat.store.call("SET", keys.RUN, "the server before")


async def forget(chat: Chat, message: Message) -> None:
    """Put the store back to before its newest message."""
    redis = chat.store.redis
    await redis.xdel(keys.room_log(message.room_id), f"{message.position}-0")
    await redis.zremrangebyscore(keys.room(message.room_id), message.score, message.score)
    await redis.set(keys.CLOCK, message.position - 1)


async def test_a_restarted_store_that_kept_everything_keeps_cursors(chat: Chat, late: Chat) -> None:
    first = await chat.messages.send("1", GENERAL, "first")
    after = cursor(chat, first)
    async with aclosing(chat.hub.subscribe("2", [MessageEvent], after=after)) as stream:
        await chat.messages.send("1", GENERAL, "second")
        assert await text(stream) == "second"
        await restart(chat)
        await late.open()
        assert late.epoch != after.epoch
        await late.messages.send("1", GENERAL, "third")
        assert await text(stream) == "third"
        await asyncio.sleep(3)
        assert chat.epoch == late.epoch
        await chat.messages.send("1", GENERAL, "fourth")
        assert await text(stream) == "fourth"
    async with aclosing(late.hub.subscribe("2", [MessageEvent], after=after)) as resumed:
        assert [await text(resumed) for _ in range(3)] == ["second", "third", "fourth"]


async def test_cursors_of_what_was_lost_have_expired(chat: Chat, late: Chat) -> None:
    kept = cursor(chat, await chat.messages.send("1", GENERAL, "kept"))
    message = await chat.messages.send("1", GENERAL, "lost")
    lost = cursor(chat, message)
    await forget(chat, message)
    await restart(chat)
    await late.open()
    # It is newer than the lost one, which does not make that good again.
    await late.messages.send("1", GENERAL, "new")
    with pytest.raises(CursorExpired):
        await anext(late.hub.subscribe("2", [MessageEvent], after=lost))
    async with aclosing(late.hub.subscribe("2", [MessageEvent], after=kept)) as resumed:
        assert await text(resumed) == "new"


async def test_subscriptions_end_that_have_seen_what_is_lost(chat: Chat) -> None:
    async with (
        aclosing(chat.hub.subscribe("2", [MessageEvent])) as first,
        aclosing(chat.hub.subscribe("3", [MessageEvent], room_id="0")) as second,
    ):
        pending = asyncio.ensure_future(anext(first)), asyncio.ensure_future(anext(second))
        await asyncio.sleep(0.1)
        message = await chat.messages.send("1", GENERAL, "lost")
        await asyncio.gather(*pending)
        epoch = chat.epoch
        await forget(chat, message)
        for stream in (first, second):
            with pytest.raises(CursorExpired):
                await text(stream)
    assert chat.epoch != epoch
    after = Cursor(message.score, message.position, epoch)
    with pytest.raises(CursorExpired):
        await anext(chat.hub.subscribe("2", [MessageEvent], after=after))


async def test_what_is_lost_and_waits_is_not_told(chat: Chat, late: Chat) -> None:
    """Its cursor would hide what the store has instead of it."""
    async with aclosing(chat.hub.subscribe("2", [MessageEvent, CaughtUpEvent])) as stream:
        assert isinstance(await asyncio.wait_for(anext(stream), 10), CaughtUpEvent)
        await chat.messages.send("1", GENERAL, "kept")
        assert await text(stream) == "kept"
        lost = await chat.messages.send("1", GENERAL, "lost")
        async with asyncio.timeout(10):
            while not stream.subscription.waiting_bytes:
                await asyncio.sleep(0.01)
        await forget(chat, lost)
        await restart(chat)
        await late.open()
        chat.hub.ear.miss()
        async with asyncio.timeout(10):
            while chat.hub.register.epoch != late.epoch:
                await asyncio.sleep(0.01)
        await chat.messages.send("1", GENERAL, "instead")
        assert await text(stream) == "instead"


async def test_an_emptied_store_is_noticed_at_once(chat: Chat) -> None:
    async with aclosing(chat.hub.subscribe("2", [MessageEvent])) as stream:
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        await chat.store.redis.flushdb()
        with pytest.raises(CursorExpired):
            await asyncio.wait_for(waiting, 10)
    assert (await chat.store.call("GET", keys.EPOCH)).decode() == chat.epoch
    moment = await chat.log.now()
    sent = await chat.messages.send("1", GENERAL, "again")
    assert sent.position > moment


async def test_the_clock_never_goes_back(chat: Chat) -> None:
    """Also over rooms, when the clock of the machine does: after a failover, say."""
    ahead = await chat.log.now() + 3600 * 1_000_000
    await chat.store.call("SET", keys.CLOCK, ahead)
    room = await chat.rooms.open_private("1", "3")
    first = await chat.messages.send("1", GENERAL, "general")
    second = await chat.messages.send("1", room, "private")
    await chat.store.redis.zadd(keys.room("0"), {'{"from":"2","date":5,"message":"x"}': 5})
    await chat.log.ingest(["0"])
    third = await chat.messages.send("1", GENERAL, "general")
    positions = [ahead, first.position, second.position, third.position]
    assert positions == sorted(set(positions))
    assert third.position > second.position + 1
    after = cursor(chat, first)
    async with aclosing(chat.hub.subscribe("1", [MessageEvent], after=after)) as stream:
        assert [await text(stream) for _ in range(3)] == ["private", "x", "general"]
