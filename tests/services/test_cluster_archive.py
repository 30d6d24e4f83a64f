"""A chat that is moved to a Redis Cluster, and from one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest

from services import keys
from services.archive.export import Export
from services.archive.lines import ArchiveError, MessageLine, read_line
from services.archive.restore import Restore
from services.chat import Chat
from services.cursors import Cursor
from services.errors import CursorExpired
from services.models import CaughtUpEvent, MessageEvent, Room, RoomEvent
from services.redis.store import Store
from tests.services.test_archive import FOREIGN, content, exported
from tests.store_process import StoreProcess
from tests.topologies.cluster import Cluster
from tests.topologies.node import Node

GENERAL = Room("0", "General")
HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def processes() -> Iterator[list[StoreProcess]]:
    processes = [StoreProcess(), StoreProcess()]
    yield processes
    for process in processes:
        process.close()


@pytest.fixture
def urls(processes: list[StoreProcess]) -> list[str]:
    """Of two empty stores of one server each."""
    for process in processes:
        process.operator.flushall()
    return [process.url for process in processes]


@asynccontextmanager
async def serving(url: str, *, demo_data: bool = False) -> AsyncIterator[Chat]:
    chat = Chat(Store.from_url(url), bcrypt_cost=4, demo_data=demo_data)
    await chat.open()
    try:
        yield chat
    finally:
        await chat.close()


@asynccontextmanager
async def operating(url: str) -> AsyncIterator[Chat]:
    """As commands use it."""
    chat = Chat(Store.from_url(url), demo_data=False)
    await chat.store.open()
    try:
        yield chat
    finally:
        await chat.close()


async def put(url: str, lines: list[bytes]) -> bool:
    async with operating(url) as chat:
        return await Restore(chat.store, chat.log, chat.fleet).run(lines)


async def archive_of(url: str) -> list[bytes]:
    async with operating(url) as chat:
        return await exported(chat)


async def what_there_is(url: str) -> dict[bytes, object]:
    async with operating(url) as chat:
        found = await content(chat.store)
    made_anew = (b":clock", keys.SPELLINGS.encode(), keys.SPELLINGS_UPTO.encode())
    return {name: value for name, value in found.items() if not name.endswith(made_anew)}


async def moment(chat: Chat) -> Cursor:
    now = await chat.log.now()
    return Cursor(now / 1e6, now, chat.epoch)


async def texts(chat: Chat, user_id: str, after: Cursor) -> list[str]:
    """What a subscription is told that resumes there."""
    kinds = (MessageEvent, RoomEvent, CaughtUpEvent)
    found: list[str] = []
    async with aclosing(chat.hub.subscribe(user_id, kinds, after=after)) as stream:
        while not isinstance(event := await asyncio.wait_for(anext(stream), 10), CaughtUpEvent):
            if isinstance(event, MessageEvent):
                found.append(event.message.text)
    return found


def messages_in(lines: list[bytes]) -> list[MessageLine]:
    found = (read_line(number, line) for number, line in enumerate(lines, start=1))
    return [line for line in found if isinstance(line, MessageLine)]


def another(cluster: Cluster, key: str) -> Node:
    return next(node for node in cluster.nodes if node is not cluster.primary_of(key))


async def test_everything_is_there_as_it_was(empty_cluster: Cluster, urls: list[str]) -> None:
    first, second = urls
    async with serving(first, demo_data=True) as chat:
        for number in range(3):
            await chat.messages.send("1", GENERAL, f"ours {number}", f"id-{number}")
        for member, score in FOREIGN:
            await chat.store.call("ZADD", keys.room("0"), score, member)
        named = await chat.named_rooms.create("Project X")
        await chat.named_rooms.add(named.id, "2")
        user = await chat.users.register("Zoé", "password123")
        private = await chat.rooms.open_private("1", user.id)
        sent = await chat.messages.send(user.id, private, "hi", "id")
        token, _ = await chat.sessions.create("2", "Firefox on Linux")
    lines = await archive_of(first)
    assert await put(empty_cluster.url, lines)
    before = await what_there_is(first)
    assert await what_there_is(empty_cluster.url) == before
    assert not await put(empty_cluster.url, lines)
    async with serving(empty_cluster.url) as chat:
        assert await chat.messages.send(user.id, private, "hi", "id") == sent
        live = await chat.messages.send(user.id, private, "on the cluster")
        assert live.position > sent.position
        assert await chat.sessions.resolve(token) is not None
        assert await chat.users.authenticate("Zoé", "password123") == user
        assert int((await chat.users.register("Next", "password123")).id) == int(user.id) + 1
    lines = await archive_of(empty_cluster.url)
    assert await put(second, lines)
    assert await what_there_is(second) == await what_there_is(empty_cluster.url)
    assert not await put(second, lines)
    async with serving(second) as chat:
        assert await chat.messages.send(user.id, private, "on the cluster", "id-2") != live
        assert await chat.messages.send(user.id, private, "hi", "id") == sent
        assert await chat.sessions.resolve(token) is not None


async def test_the_rest_follows_an_interruption(empty_cluster: Cluster, urls: list[str]) -> None:
    async with serving(urls[0], demo_data=True):
        pass
    lines = await archive_of(urls[0])
    for whole in (1, 3, len(lines) - 4, len(lines) - 1):
        with pytest.raises(ArchiveError, match=f"before line {whole + 1}"):
            await put(empty_cluster.url, lines[:whole])
    assert await put(empty_cluster.url, lines)
    assert await what_there_is(empty_cluster.url) == await what_there_is(urls[0])
    with pytest.raises(ArchiveError, match="another chat"):
        await put(empty_cluster.url, await archive_of(urls[0]))


async def test_clients_of_one_store_go_on_on_a_cluster_and_beyond(
    empty_cluster: Cluster, urls: list[str]
) -> None:
    first, second = urls
    async with serving(first, demo_data=True) as chat:
        cursor = await moment(chat)
        await chat.messages.send("1", GENERAL, "one")
    await put(empty_cluster.url, await archive_of(first))
    async with serving(empty_cluster.url) as chat:
        await chat.messages.send("1", GENERAL, "two")
        await chat.messages.send("1", await chat.rooms.open_private("1", "2"), "three")
        assert sorted(await texts(chat, "2", cursor)) == ["one", "three", "two"]
        late = Cursor(cursor.score, cursor.position + HOUR, cursor.epoch)
        with pytest.raises(CursorExpired):
            await texts(chat, "2", late)
    await put(second, await archive_of(empty_cluster.url))
    async with serving(second) as chat:
        await chat.messages.send("1", GENERAL, "four")
        assert sorted(await texts(chat, "2", cursor)) == ["four", "one", "three", "two"]


async def test_cursors_that_a_cluster_might_cheat_expire(
    empty_cluster: Cluster, urls: list[str]
) -> None:
    """Its clocks are behind that of the store before: what comes would stand before them."""
    async with serving(urls[0], demo_data=True) as chat:
        now = await chat.log.now()
        await chat.store.call("SET", keys.CLOCK, now + HOUR)
        cursor = await moment(chat)
    await put(empty_cluster.url, await archive_of(urls[0]))
    async with serving(empty_cluster.url) as chat:
        await chat.messages.send("1", GENERAL, "before it")
        with pytest.raises(CursorExpired):
            await texts(chat, "2", cursor)


async def test_what_a_cluster_says_holds_nowhere_else(
    empty_cluster: Cluster, urls: list[str]
) -> None:
    async with serving(empty_cluster.url, demo_data=True) as chat:
        cursor = await moment(chat)
        await chat.messages.send("1", GENERAL, "one")
    lines = await archive_of(empty_cluster.url)
    await put(urls[0], lines)
    empty_cluster.empty()
    await put(empty_cluster.url, lines)
    for url in (urls[0], empty_cluster.url):
        async with serving(url) as chat:
            with pytest.raises(CursorExpired):
                await texts(chat, "2", cursor)


async def test_servers_with_other_clocks_are_exported_whole(
    empty_cluster: Cluster, urls: list[str]
) -> None:
    async with serving(empty_cluster.url, demo_data=True) as chat:
        private = await chat.rooms.open_private("1", "2")
        ahead = await chat.log.now() + HOUR
        # So it is where a server's clock was ahead when something was said last.
        await chat.store.call("SET", keys.log_clock(f"room:{private.id}"), ahead)
        await chat.store.call("SET", keys.log_clock("user:3"), ahead)
        sent = [await chat.messages.send("1", private, f"{number}") for number in range(3)]
        user = await chat.users.register("Zoé", "password123")
        opened = await chat.rooms.open_private("3", user.id)
        now = [await chat.messages.send("1", GENERAL, "now")]
        lines: list[bytes] = []
        async for line in Export(chat.store, chat.log).lines():
            if not lines:
                # Since that began.
                await chat.messages.send("1", private, "too late")
                await chat.messages.send("1", GENERAL, "too late")
            lines.append(line)
    found = {(line.room, line.position) for line in messages_in(lines)}
    assert {(message.room_id, message.position) for message in sent + now} <= found
    assert b"too late" not in b"".join(lines)
    await put(urls[0], lines)
    async with serving(urls[0]) as moved:
        news = await moved.log.news(["user:3"], ahead)
        assert [event.room_id for _, event in news.entries if isinstance(event, RoomEvent)] == [
            opened.id
        ]
        # The order goes on there.
        after = await moment(moved)
        live = await moved.messages.send("1", GENERAL, "live")
        assert live.position > max(message.position for message in sent)
        assert await texts(moved, "2", after) == ["live"]


async def test_no_room_is_missed_where_slots_move(empty_cluster: Cluster) -> None:
    async with serving(empty_cluster.url, demo_data=True) as chat:
        key = keys.room("0")
        move = empty_cluster.begin_move(key, another(empty_cluster, key))
        with pytest.raises(ArchiveError, match=r"^The cluster is moving slots"):
            await exported(chat)
        move.carry_over()
        with pytest.raises(ArchiveError, match=r"^The cluster is moving slots"):
            await exported(chat)
        move.end()
        whole = messages_in(await exported(chat))
        assert [line for line in whole if line.room == "0"]


@pytest.mark.parametrize("course", ["begun", "done", "back again"])
async def test_no_room_is_missed_where_slots_begin_to_move(
    empty_cluster: Cluster, course: str
) -> None:
    async with serving(empty_cluster.url, demo_data=True) as chat:
        key = keys.room("0")
        source = empty_cluster.primary_of(key)
        archive = Export(chat.store, chat.log).lines()
        await anext(archive)
        move = empty_cluster.begin_move(key, another(empty_cluster, key))
        move.carry_over()
        if course != "begun":
            move.end()
        if course == "back again":
            empty_cluster.move_slot(key, source)
        with pytest.raises(ArchiveError, match=r"^The cluster has moved slots meanwhile"):
            [line async for line in archive]
        if course == "begun":
            move.end()
