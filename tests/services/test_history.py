"""The history of a room: pages, cursors, what other servers wrote, round trips."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import BadUserInput, Conflict, NotFound
from services.models import Message, MessageEvent, Room

pytestmark = pytest.mark.on_cluster

GENERAL = Room("0", "General")


def cursor(message: Message) -> Cursor:
    return Cursor(message.score, message.position, "")


def foreign(text: str, date: float = 1795401320, **extra: Any) -> str:
    return json.dumps({"from": 1, "date": date, "message": text, "roomId": "0", **extra})


async def all_pages(chat: Chat, size: int, *, forward: bool) -> list[Message]:
    messages: list[Message] = []
    edge: Cursor | None = None
    while True:
        if forward:
            page = await chat.messages.page("1", "0", first=size, after=edge)
            messages = messages + page.messages
            more = page.has_next
        else:
            page = await chat.messages.page("1", "0", last=size, before=edge)
            messages = page.messages + messages
            more = page.has_previous
        if not more:
            return messages
        assert page.messages
        edge = cursor(page.messages[-1 if forward else 0])


async def test_a_sent_message_is_the_last_of_its_room(chat: Chat) -> None:
    sent = await chat.messages.send("1", GENERAL, "Hello <b>&</b> 'é😀\u2028", "n-1")
    page = await chat.messages.page("1", "0", last=1)
    assert page.messages == [sent]
    assert page.has_previous
    assert not page.has_next
    assert sent.sent_at == sent.position


async def test_the_stored_record_is_the_shared_data_models(chat: Chat) -> None:
    sent = await chat.messages.send("3", GENERAL, "zeta", "n-1")
    (member,) = await chat.store.call("ZRANGE", keys.room("0"), -1, -1)
    score = await chat.store.call("ZSCORE", keys.room("0"), member)
    assert list(json.loads(member)) == [
        "from",
        "date",
        "message",
        "roomId",
        "clientMessageId",
        "id",
        "ts",
    ]
    record = json.loads(member)
    assert record["from"] == "3"
    assert record["date"] == sent.position // 1_000_000
    assert isinstance(record["date"], int)
    assert record["id"] == f"message:0:{sent.position}"
    assert float(score) == record["ts"] == sent.score
    assert b"\n" not in member


async def test_equal_messages_in_one_second_are_two(chat: Chat) -> None:
    before = len(await all_pages(chat, 50, forward=True))
    sent = [await chat.messages.send("1", GENERAL, "same") for _ in range(5)]
    assert len({message.position for message in sent}) == 5
    assert len(await all_pages(chat, 50, forward=True)) == before + 5


async def test_sending_again_returns_the_first(chat: Chat) -> None:
    sent = await asyncio.gather(
        *(chat.messages.send("1", GENERAL, "once", "key") for _ in range(10))
    )
    assert len(set(sent)) == 1
    with pytest.raises(Conflict):
        await chat.messages.send("1", GENERAL, "other", "key")
    other_sender = await chat.messages.send("2", GENERAL, "other", "key")
    assert other_sender.position != sent[0].position


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001, "\ud800"])
async def test_texts_that_are_refused(chat: Chat, text: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        await chat.messages.send("1", GENERAL, text)
    assert caught.value.field == "input.text"


async def test_private_rooms_are_for_their_two_users(chat: Chat) -> None:
    room = await chat.rooms.open_private("1", "3")
    sent = await chat.messages.send("1", room, "for Mary")
    assert (await chat.messages.page("3", room.id, last=1)).messages == [sent]
    assert await chat.messages.get("3", room.id, sent.position) == sent
    for attempt in (
        chat.messages.page("2", room.id, last=1),
        chat.messages.get("2", room.id, sent.position),
        chat.rooms.visible("2", room.id),
        chat.rooms.visible("2", "2:99"),
        chat.rooms.visible("2", "777"),
    ):
        with pytest.raises(NotFound, match="no such room"):
            await attempt


async def test_membership_of_a_foreign_pair_opens_nothing(chat: Chat) -> None:
    await chat.store.redis.sadd(keys.user_rooms("2"), "1:3")
    with pytest.raises(NotFound):
        await chat.rooms.visible("2", "1:3")


async def test_corrupt_records_leave_no_hole_in_the_page(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    start = await chat.messages.send("1", GENERAL, "start")
    for index in range(7):
        await chat.store.redis.zadd(keys.room("0"), {f"not json {index}": start.score + 1})
    await chat.store.redis.zadd(keys.room("0"), {foreign("end"): start.score + 2})
    page = await chat.messages.page("1", "0", first=1, after=cursor(start))
    assert [message.text for message in page.messages] == ["end"]
    assert not page.has_next
    assert "corrupt" in caplog.text


@pytest.mark.one_server
async def test_what_other_servers_wrote_is_read_in_its_place(chat: Chat) -> None:
    own = await chat.messages.send("1", GENERAL, "own")
    records = {
        foreign("past", 1000): 1000,
        foreign("future", 99999999999.5): 99999999999.5,
        '{"From":"2","Date":1001,"Message":"pascal","RoomId":"0"}': 1001,
        foreign("&ltb&gt &lt;i&gt;", 1002): 1002,
    }
    await chat.store.redis.zadd(keys.room("0"), records)
    history = await all_pages(chat, 3, forward=True)
    assert [message.text for message in history[:3]] == ["past", "pascal", "&ltb&gt &lt;i&gt;"]
    assert history[-1].text == "future"
    assert history[-2] == own
    news = await chat.log.news(["room:0"], own.position)
    logged = [event.message for _, event in news.entries if isinstance(event, MessageEvent)]
    assert sorted(message.text for message in logged) == sorted(
        ["past", "pascal", "&ltb&gt &lt;i&gt;", "future"]
    )
    for message in history:
        assert await chat.messages.get("1", "0", message.position) == message


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    records=st.lists(
        st.tuples(st.sampled_from(["own", "foreign"]), st.integers(1000, 1005)), max_size=30
    ),
    size=st.integers(1, 7),
)
async def test_pages_concatenated_are_the_whole_history(
    chat: Chat, records: list[tuple[str, int]], size: int
) -> None:
    await chat.store.redis.delete(keys.room("0"), keys.room_log("0"), keys.room_foreign("0"))
    for index, (origin, date) in enumerate(records):
        if origin == "own":
            await chat.messages.send("1", GENERAL, f"own {index}")
        else:
            await chat.store.redis.zadd(keys.room("0"), {foreign(f"{index}", date): date})
    expected = [
        json.loads(member)["message"]
        for member in await chat.store.call("ZRANGE", keys.room("0"), 0, -1)
    ]
    for forward in (True, False):
        history = await all_pages(chat, size, forward=forward)
        assert [message.text for message in history] == expected
        assert len({message.position for message in history}) == len(history)


async def test_pages_hold_while_messages_are_sent(chat: Chat) -> None:
    texts = [f"m{index}" for index in range(60)]
    for text in texts[:20]:
        await chat.messages.send("1", GENERAL, text)

    async def send_the_rest() -> None:
        for text in texts[20:]:
            await chat.messages.send("2", GENERAL, text)

    sending = asyncio.create_task(send_the_rest())
    backward = await all_pages(chat, 3, forward=False)
    await sending
    forward = await all_pages(chat, 7, forward=True)
    positions = [message.position for message in forward]
    assert positions == sorted(set(positions))
    assert [message.text for message in forward if message.text in texts] == texts
    assert [m for m in forward if m.position <= backward[-1].position] == backward


async def test_members_of_a_public_and_of_a_private_room(chat: Chat) -> None:
    [(users, more)] = await chat.rooms.members_many([GENERAL], 0, 3)
    assert [user.username for user in users] == ["Pablo", "Joe", "Mary"]
    assert more
    [(users, more)] = await chat.rooms.members_many([Room("1:3", None)], 1, 3)
    assert [user.username for user in users] == ["Mary"]
    assert not more


async def test_members_are_found_beyond_those_who_are_not(chat: Chat) -> None:
    for number in range(5, 305):
        await chat.store.call("HSET", keys.user(str(number)), "username", f"u{number}")
    await chat.store.call("SET", keys.TOTAL_USERS, 304)
    await chat.store.call("SET", keys.room_name("far"), "Far")
    for number in (3, 90, 200, 304, 999):
        await chat.store.call("SADD", keys.user_rooms(str(number)), "far")
    far = Room("far", "Far")
    pages = await chat.rooms.members_many([far, GENERAL, far], 0, 3)
    assert [[user.id for user in users] for users, _ in pages] == [
        ["3", "90", "200"],
        ["1", "2", "3"],
        ["3", "90", "200"],
    ]
    assert [more for _, more in pages] == [True, True, True]
    [(users, more)] = await chat.rooms.members_many([far], 90, 3)
    assert ([user.id for user in users], more) == (["200", "304"], False)


async def test_the_newest_message_of_each_room(chat: Chat) -> None:
    await chat.messages.send("1", GENERAL, "first")
    sent = await chat.messages.send("1", GENERAL, "second")
    foreign = b'{"from":"2","date":1600000000,"message":"foreign","roomId":"1:2"}'
    await chat.store.call("ZADD", keys.room("2:8"), 1600000000, foreign)
    await chat.store.call("ZADD", keys.room("2:9"), 1, b"corrupt", 0, foreign)
    found = await chat.messages.last_many(["0", "2:8", "2:7", "0", "2:9"])
    assert found[0] == found[3] == sent
    texts = [message and message.text for message in found]
    assert texts == ["second", "foreign", None, "second", "foreign"]
