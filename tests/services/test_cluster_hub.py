"""Delivery on a Redis Cluster: each room by itself, and nothing left out over several."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import CursorExpired, Unavailable
from services.hub import cluster_checks, cluster_delivery, cluster_subscription
from services.hub.channel import Published
from services.hub.stream import EventStream
from services.log import News
from services.models import CaughtUpEvent, Message, MessageEvent, PresenceEvent, Room, User
from services.redis.store import Store
from tests.topologies.cluster import Cluster
from tests.topologies.node import Node

GENERAL = Room("0", "General")
KINDS = (MessageEvent, CaughtUpEvent)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that checks all the time; the clocks of one machine agree without a margin."""
    monkeypatch.setattr(cluster_checks, "CHECK_SECONDS", 0.01)
    for module in (cluster_delivery, cluster_subscription):
        monkeypatch.setattr(module, "MARGIN", 0)


@pytest.fixture
async def chat(empty_cluster: Cluster) -> AsyncIterator[Chat]:
    chat = Chat(Store.from_url(empty_cluster.url), bcrypt_cost=4)
    await chat.open()
    yield chat
    await chat.close()


async def told(stream: EventStream, count: int) -> list[MessageEvent]:
    """The next messages."""
    found: list[MessageEvent] = []
    while len(found) < count:
        event = await asyncio.wait_for(anext(stream), 10)
        if isinstance(event, MessageEvent):
            found.append(event)
    return found


async def texts(stream: EventStream, count: int) -> list[str]:
    return [event.message.text for event in await told(stream, count)]


async def caught_up(stream: EventStream) -> list[str]:
    """What is replayed."""
    found = []
    while not isinstance(event := await asyncio.wait_for(anext(stream), 10), CaughtUpEvent):
        assert isinstance(event, MessageEvent)
        found.append(event.message.text)
    return found


def after(chat: Chat, event: MessageEvent) -> Cursor:
    message = event.message
    return Cursor(message.score, message.position, chat.epoch, event.doubt)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


async def until_checked(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the hub has found whether what there is now was handed out."""
    clocks = Mock(wraps=chat.log.clocks)
    monkeypatch.setattr(chat.log, "clocks", clocks)
    # One may be under way, the next one notes what there is, the third has it handed out or not.
    await until(lambda: clocks.call_count >= 3)


async def unheard(chat: Chat, room_id: str, text: str) -> None:
    """A message whose ring is lost."""
    member = f'{{"from":"2","date":5,"message":"{text}","roomId":"{room_id}"}}'
    await chat.store.call("ZADD", keys.room(room_id), 5, member)
    logs = [
        keys.room(room_id),
        keys.room_log(room_id),
        keys.room_foreign(room_id),
        chat.store.clock(f"room:{room_id}"),
    ]
    await chat.store.run("ingest", logs, room_id, "PUBLISH", "nowhere", "live")


@contextmanager
def unreadable(chat: Chat, log: str) -> Iterator[None]:
    """The server that has this log takes what is sent, and answers nobody who reads."""
    read = chat.log.news_of_each

    async def read_others(after: Mapping[str, int], **options: Any) -> News:
        if log in after:
            raise Unavailable("The store is not available.")
        return await read(after, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat.log, "news_of_each", read_others)
        yield


async def test_one_room_goes_on_exactly_where_it_stopped(chat: Chat) -> None:
    async with aclosing(chat.hub.subscribe("1", KINDS, room_id="0")) as stream:
        assert await caught_up(stream) == []
        for number in range(6):
            await chat.messages.send("2", GENERAL, f"{number}")
        events = await told(stream, 6)
    for event in events:
        async with aclosing(
            chat.hub.subscribe("1", KINDS, room_id="0", after=after(chat, event))
        ) as stream:
            expected = [f"{number}" for number in range(int(event.message.text) + 1, 6)]
            assert await caught_up(stream) == expected


async def test_what_was_not_told_before_a_cursor_is_told_after_it(
    eager: None, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = await chat.rooms.open_private("1", "2")
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        assert await caught_up(stream) == []
        with unreadable(chat, f"room:{private.id}"):
            await chat.messages.send("2", private, "late")
            await until_checked(chat, monkeypatch)
            await chat.messages.send("2", GENERAL, "live")
            (event,) = await told(stream, 1)
    assert event.message.text == "live"
    async with aclosing(chat.hub.subscribe("1", KINDS, after=after(chat, event))) as stream:
        assert await caught_up(stream) == ["late"]
        await chat.messages.send("2", GENERAL, "next")
        assert await texts(stream, 1) == ["next"]


async def test_a_room_that_is_followed_while_the_hub_checks_is_not_taken_for_handed_out(
    eager: None, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = await chat.rooms.open_private("1", "2")
    epochs, refresh = chat.store.epochs, chat.store.epochs.refresh
    is_checking, may_go_on = asyncio.Event(), asyncio.Event()

    async def take_long(store: Store, *, lost: str = "") -> None:
        task = asyncio.current_task()
        if task is not None and task.get_name() == "hub-check":
            is_checking.set()
            await may_go_on.wait()
        await refresh(store, lost=lost)

    monkeypatch.setattr(epochs, "refresh", take_long)
    await asyncio.wait_for(is_checking.wait(), 10)
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        assert await caught_up(stream) == []
        with unreadable(chat, f"room:{private.id}"):
            await chat.messages.send("2", private, "late")
            may_go_on.set()
            await until_checked(chat, monkeypatch)
            await chat.messages.send("2", GENERAL, "live")
            (event,) = await told(stream, 1)
        assert await texts(stream, 1) == ["late"]
    async with aclosing(chat.hub.subscribe("1", KINDS, after=after(chat, event))) as stream:
        assert await caught_up(stream) == ["late"]


async def test_what_nobody_can_read_holds_up_no_replay(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each of many logs one entry is read at a time."""
    monkeypatch.setattr(cluster_subscription, "READ_LIMIT", 1)
    start = await chat.log.now()
    for text in ("gone", "1", "broken", "2"):
        await chat.messages.send("2", GENERAL, text)
    room = keys.room("0")
    gone, _, broken, _ = await chat.store.call("ZRANGE", room, -4, -1)
    score = await chat.store.call("ZSCORE", room, broken)
    await chat.store.call("ZREM", room, gone, broken)
    await chat.store.call("ZADD", room, score, "nonsense")
    async with aclosing(
        chat.hub.subscribe("1", KINDS, after=Cursor(start / 1e6, start, chat.epoch))
    ) as stream:
        assert await caught_up(stream) == ["1", "2"]


async def test_what_did_not_ring_is_found_and_no_longer_in_doubt(chat: Chat) -> None:
    private = await chat.rooms.open_private("1", "2")
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        await caught_up(stream)
        began = await chat.log.now()
        await unheard(chat, private.id, "late")
        assert await texts(stream, 1) == ["late"]
        await until(lambda: chat.hub._clocks._delivery.sound > began)  # type: ignore[attr-defined]


async def test_a_server_that_stands_still_holds_nobody_else_up(
    chat: Chat, empty_cluster: Cluster
) -> None:
    there = room_beside(empty_cluster, "0")
    await chat.store.call("SET", keys.room_name(there.id), "Beside")
    async with (
        aclosing(chat.hub.subscribe("1", KINDS, room_id="0")) as held,
        aclosing(chat.hub.subscribe("1", KINDS, room_id=there.id)) as free,
    ):
        for stream in (held, free):
            await caught_up(stream)
        await chat.messages.send("2", GENERAL, "before")
        assert await texts(held, 1) == ["before"]
        node = empty_cluster.primary_of(keys.room("0"))
        node.pause()
        try:
            # One that rings cannot be read.
            await chat.store.call("PUBLISH", keys.LOG_CHANNEL, f"room:0 {await chat.log.now()}")
            for number in range(5):
                await chat.messages.send("2", there, f"{number}")
            assert await texts(free, 5) == [f"{number}" for number in range(5)]
        finally:
            node.resume()
        await sent(chat, "after")
        assert await texts(held, 1) == ["after"]


async def test_nor_does_the_one_that_is_heard_and_knows_the_epoch(empty_cluster: Cluster) -> None:
    node = empty_cluster.primary_of(keys.EPOCH)
    async with hearing_at(node, empty_cluster) as chat:
        there = room_away_from(node, empty_cluster)
        await chat.store.call("SET", keys.room_name(there.id), "Beside")
        async with aclosing(chat.hub.subscribe("1", KINDS, room_id=there.id)) as stream:
            await caught_up(stream)
            node.pause()
            try:
                for number in range(5):
                    await chat.messages.send("2", there, f"{number}")
                assert await texts(stream, 5) == [f"{number}" for number in range(5)]
            finally:
                node.resume()


async def test_a_server_that_has_left_the_cluster_is_not_listened_to(
    empty_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run on, but nobody publishes there any more."""
    node = empty_cluster.primary_of(keys.EPOCH)
    async with hearing_at(node, empty_cluster) as chat:
        cluster = chat.store._cluster
        assert cluster is not None
        rest = {place for place in cluster.primaries if place[1] != node.port}
        monkeypatch.setattr(cluster, "primaries", rest)
        await until(lambda: port_heard_at(chat) in {port for _, port in rest})


def port_heard_at(chat: Chat) -> int | None:
    """Of the server at which a chat hears its channels, when it does."""
    conversation = chat.hub._channels._conversation
    return None if conversation is None or conversation.place is None else conversation.place[1]


@asynccontextmanager
async def hearing_at(node: Node, cluster: Cluster) -> AsyncIterator[Chat]:
    """A chat that hears its channels at this server, which is as good as any."""
    while True:
        chat = Chat(Store.from_url(cluster.url), bcrypt_cost=4)
        await chat.open()
        try:
            if port_heard_at(chat) == node.port:
                yield chat
                return
        finally:
            await chat.close()


def room_beside(cluster: Cluster, room_id: str) -> Room:
    """A public room on another server."""
    return room_away_from(cluster.primary_of(keys.room(room_id)), cluster)


def room_away_from(node: Node, cluster: Cluster) -> Room:
    others = (str(number) for number in range(1001, 1100))
    return next(
        Room(other, "Beside")
        for other in others
        if cluster.primary_of(keys.room(other)) is not node
    )


async def sent(chat: Chat, text: str) -> Message:
    """As soon as the room's server is there."""
    while True:
        try:
            return await chat.messages.send("2", GENERAL, text, "key")
        except Unavailable:
            await asyncio.sleep(0.05)


async def test_presence_does_not_wait_for_what_was_missed(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server is away that has to be asked for the one, and not for the other."""
    away = AsyncMock(side_effect=Unavailable("The store is not available."))
    monkeypatch.setattr(chat.hub, "on_reconnected", away)
    kinds = (PresenceEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe("1", kinds)) as stream:
        await anext(stream)
        chat.hub.ear.miss()
        await until(lambda: away.call_count >= 2)
        published = b'{"type":"user.connected","data":{"id":3},"serverId":"123"}'
        chat.hub.ear.note(Published("", keys.MESSAGES_CHANNEL, published))
        event = await asyncio.wait_for(anext(stream), 10)
        assert event == PresenceEvent("3")


async def test_an_emptied_cluster_ends_subscriptions_and_cursors(
    chat: Chat, empty_cluster: Cluster
) -> None:
    message = await chat.messages.send("2", GENERAL, "hello")
    cursor = Cursor(message.score, message.position, chat.epoch)
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        await caught_up(stream)
        empty_cluster.empty()
        with pytest.raises(CursorExpired):
            await told(stream, 1)
    async with aclosing(chat.hub.subscribe("1", KINDS, after=cursor)) as stream:
        with pytest.raises(CursorExpired):
            await told(stream, 1)
    async with aclosing(chat.hub.subscribe("1", KINDS)) as stream:
        assert await caught_up(stream) == []


async def test_changed_keys_are_heard_from_every_server(chat: Chat) -> None:
    ids = ["1", "2", "3", "4"]
    await until(lambda: chat.hub.hearing is not None)
    await chat.users.get_many(ids)
    for user_id in ids:
        await chat.store.call("HSET", keys.user(user_id), "username", f"new-{user_id}")
    async with asyncio.timeout(5):
        expected = [User(user_id, f"new-{user_id}") for user_id in ids]
        while await chat.users.get_many(ids) != expected:
            await asyncio.sleep(0.01)
