"""A chat that is moved to another store: all that it was is there, and goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from services import keys
from services.archive.export import Export
from services.archive.lines import ArchiveError, MessageLine, read_line
from services.archive.restore import Restore
from services.chat import Chat
from services.cursors import Cursor
from services.errors import Conflict, Unauthenticated
from services.models import CaughtUpEvent, MessageEvent, RoomEvent, Scope
from services.redis.store import Store
from tests.store_process import StoreProcess

FOREIGN = [
    (b'{"From":"2","Date":1795401320,"Message":"of .NET","RoomId":"0"}', 1795401320),
    (b'{"from": 3, "date": 1795401320.5, "message": "of Python", "roomId": "0"}', 1795401320),
    (b'{"from":"1","date":1,"message":"caf\\u00e9 \xff","roomId":"0"}', 1),
    (b'{"from":"1","date":9e9,"message":"from the future","roomId":"0"}', 9e9),
]


@pytest.fixture(scope="module")
def other_process() -> Iterator[StoreProcess]:
    process = StoreProcess()
    yield process
    process.close()


@pytest.fixture
async def target(other_process: StoreProcess) -> AsyncIterator[Store]:
    """An empty store, not yet opened by a server."""
    other_process.operator.flushall()
    store = Store.from_url(other_process.url)
    await store.open()
    yield store
    await store.close()


async def exported(chat: Chat, *, credentials: bool = True) -> list[bytes]:
    return [line async for line in Export(chat.store, chat.log, credentials=credentials).lines()]


def restoring(store: Store) -> Restore:
    chat = Chat(store)
    return Restore(store, chat.log, chat.fleet)


async def content(store: Store) -> dict[bytes, object]:
    """All that a store has, but for what is of this store alone or lasts for moments."""
    found: dict[bytes, object] = {}
    readers = {
        b"string": ("GET",),
        b"hash": ("HGETALL",),
        b"set": ("SMEMBERS",),
        b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
        b"stream": ("XRANGE", "-", "+"),
    }
    passing = {
        *(keys.EPOCH, keys.RUN, keys.ENDED_EPOCHS, keys.CLOCK),
        *(keys.IMPORT, keys.FLEET, keys.ONLINE_USERS),
    }
    async for key in store.redis.scan_iter():
        name = key.decode()
        if name in passing or ":leases" in name or ":farewells" in name or ":sent:" in name:
            continue
        kind = await store.call("TYPE", key)
        command, *rest = readers[kind.encode() if isinstance(kind, str) else kind]
        value = await store.call(command, key, *rest)
        found[key] = sorted(value) if command == "SMEMBERS" else value
    return found


async def test_everything_is_there_as_it_was(chat: Chat, target: Store) -> None:
    room = await chat.rooms.visible("1", "0")
    for number in range(3):
        await chat.messages.send("1", room, f"ours {number}", f"id-{number}")
    for member, score in FOREIGN:
        await chat.store.call("ZADD", keys.room("0"), score, member)
    named = await chat.named_rooms.create("Project X")
    await chat.named_rooms.add(named.id, "2")
    await chat.messages.send("2", named, "hi")
    await chat.sessions.create("2", "Firefox on Linux")
    await chat.store.call("HSET", keys.user("4"), "colour", b"\xff\xfe")
    lines = await exported(chat)
    restore = restoring(target)
    assert await restore.run(lines)
    assert (restore.users, restore.rooms) == (4, 2)
    assert restore.messages == 17 + 3 + len(FOREIGN) + 1
    assert await content(target) == await content(chat.store)


async def test_cursors_sessions_and_idempotency_go_on(chat: Chat, target: Store) -> None:
    private = await chat.rooms.open_private("1", "3")
    token, _ = await chat.sessions.create("1")
    bot, bot_token = await chat.bots.create("1", "Echo", [Scope.READ])
    moment = await chat.log.now()
    before = Cursor(moment / 1e6, moment, chat.epoch)
    sent = [await chat.messages.send("3", private, f"{n}", f"id-{n}") for n in range(3)]
    await chat.store.call("ZADD", keys.room("0"), *FOREIGN[3][::-1])
    user = await chat.users.register("Zoé", "password123")
    opened = await chat.rooms.open_private("1", user.id)
    lines = await exported(chat)
    await restoring(target).run(lines)
    moved = Chat(Store.from_url(_url(target)), bcrypt_cost=4)
    await moved.open()
    try:
        kinds = (MessageEvent, RoomEvent, CaughtUpEvent)
        async with aclosing(moved.hub.subscribe("1", kinds, after=before)) as stream:
            events = [await asyncio.wait_for(anext(stream), 10) for _ in range(6)]
            got = [event.message for event in events if isinstance(event, MessageEvent)]
            assert [message for message in got if message.room_id == private.id] == sent
            assert [m.text for m in got if m.room_id == "0"] == ["from the future"]
            assert [e.room_id for e in events if isinstance(e, RoomEvent)] == [opened.id]
            assert await moved.messages.send("3", private, "1", "id-1") == sent[1]
            with pytest.raises(Conflict):
                await moved.messages.send("3", private, "other", "id-1")
            live = await moved.messages.send("3", private, "live")
            event = await asyncio.wait_for(anext(stream), 10)
            assert isinstance(event, MessageEvent)
            assert event.message == live
            assert live.position > max(message.position for message in got)
        assert await moved.sessions.resolve(token) is not None
        assert await moved.sessions.resolve(bot_token) is not None
        assert await moved.bots.of_user("1") == [bot]
        assert await moved.users.authenticate("Zoé", "password123") == user
        with pytest.raises(Conflict):
            await moved.users.register("zoé", "password123")
        assert int((await moved.users.register("Next", "password123")).id) == int(user.id) + 1
    finally:
        await moved.close()


async def test_without_credentials_nobody_is_let_in(chat: Chat, target: Store) -> None:
    token, _ = await chat.sessions.create("1")
    lines = await exported(chat, credentials=False)
    assert token.encode() not in b"".join(lines)
    await restoring(target).run(lines)
    moved = Chat(target)
    assert await moved.sessions.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await moved.users.authenticate("Pablo", "password123")
    await moved.users.set_password("1", "password456")
    assert (await moved.users.authenticate("Pablo", "password456")).id == "1"
    moved.passwords.close()


async def test_it_is_as_it_was_when_the_export_began(chat: Chat) -> None:
    """Messages, rooms and users that come while it is written are not in it."""
    room = await chat.rooms.visible("1", "0")
    stopped = asyncio.Event()

    async def go_on() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            await chat.messages.send("1", room, f"{number}")
            if number % 20 == 0:
                user = await chat.users.register(f"Guest {number}", "password123")
                private = await chat.rooms.open_private("1", user.id)
                await chat.messages.send(user.id, private, "hello")

    going_on = asyncio.create_task(go_on())
    try:
        for _ in range(3):
            lines = await exported(chat)
            positions = {
                (read.room, read.position)
                for number, line in enumerate(lines, start=1)
                if isinstance(read := read_line(number, line), MessageLine)
            }
            head = read_line(1, lines[0])
            assert head.type == "chat"
            rows = await chat.store.call("XRANGE", keys.room_log("0"), "-", head.clock)
            logged = {("0", int(entry_id.partition(b"-")[0])) for entry_id, _ in rows}
            assert {each for each in positions if each[0] == "0"} == logged
            last = str(head.last_user + 1)
            assert not any(last in room_id.split(":") for room_id, _ in positions)
            await asyncio.sleep(0.05)
    finally:
        stopped.set()
        await going_on


async def test_twice_is_once_and_the_rest_follows_an_interruption(
    chat: Chat, target: Store
) -> None:
    lines = await exported(chat)
    for whole in (1, 3, len(lines) - 4, len(lines) - 1):
        with pytest.raises(ArchiveError, match=f"before line {whole + 1}"):
            await restoring(target).run(lines[:whole])
    assert await restoring(target).run(lines)
    before = await content(target)
    assert before == await content(chat.store)
    await target.call("HSET", keys.user("1"), "password", "changed since")
    assert not await restoring(target).run(lines)
    assert await target.call("HGET", keys.user("1"), "password") == b"changed since"


async def test_only_one_chat_goes_into_a_store(chat: Chat, target: Store) -> None:
    lines = await exported(chat)
    with pytest.raises(ArchiveError, match="another chat"):
        await restoring(chat.store).run(lines)
    await restoring(target).run(lines)
    before = await content(target)
    with pytest.raises(ArchiveError, match="another chat"):
        await restoring(target).run(await exported(chat))
    assert await content(target) == before


async def test_not_while_a_server_uses_the_store(chat: Chat, target: Store) -> None:
    lines = await exported(chat)
    serving = Chat(Store.from_url(_url(target)), demo_data=False)
    await serving.open()
    try:
        with pytest.raises(ArchiveError, match=r"^A server uses this store: stop it"):
            await restoring(target).run(lines)
    finally:
        await serving.close()
    assert await restoring(target).run(lines)


async def test_a_store_that_was_used_too_early_is_not_mixed_up(chat: Chat, target: Store) -> None:
    lines = await exported(chat)
    with pytest.raises(ArchiveError, match="not whole"):
        await restoring(target).run(lines[:8])
    early = Chat(target)
    await early.messages.send("1", await early.rooms.visible("1", "0"), "too early")
    early.passwords.close()
    with pytest.raises(ArchiveError, match="before the import was complete"):
        await restoring(target).run(lines)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b'{"type":"poem"}', "tag 'poem'"),
        (b'{"type":"chat","version":2}', "version: should be 1"),
        (b'{"type":"room","id":"../0","name":"x"}', "id: should be the id of a room"),
        (b'{"type":"room","id":"7","name":{"base64":"?"}}', "name: should be base64"),
        (
            b'{"type":"message","room":"0","position":0,"score":"1","member":"{}"}',
            "position: should be greater than 0",
        ),
        (
            b'{"type":"message","room":"0","position":5,"score":"inf","member":"{}"}',
            "score: should be a number",
        ),
        (b'{"type":"room","id":"7","name":"x","colour":"blue"}', "colour: Extra inputs"),
    ],
)
async def test_a_wrong_line_is_named(chat: Chat, target: Store, line: bytes, reason: str) -> None:
    lines = await exported(chat)
    lines[2:2] = [line]
    with pytest.raises(ArchiveError, match=r"^Line 3 cannot be used: ") as caught:
        await restoring(target).run(lines)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_an_archive_begins_once_and_ends_once(chat: Chat, target: Store) -> None:
    lines = await exported(chat)
    for wrong, number in ((lines[1:], 1), ([lines[0], *lines], 2), ([*lines, lines[1]], None)):
        with pytest.raises(ArchiveError, match=f"^Line {number or len(lines) + 1} "):
            await restoring(target).run(wrong)


def _url(store: Store) -> str:
    options = store.redis.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/0"
