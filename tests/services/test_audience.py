"""Subscribers who are told of an event together: once, in order, and only of what is theirs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from services import keys
from services.chat import Chat
from services.errors import NotFound, Unavailable
from services.hub.audience import Audience, Words
from services.hub.stream import EventStream
from services.hub.subscription import LiveEvent
from services.models import Event, MessageEvent, PresenceEvent, Room, RoomEvent

GENERAL = Room("0", "General")


def to_words(event: LiveEvent) -> bytes:
    match event:
        case MessageEvent(message=message):
            return message.text.encode()
        case RoomEvent(room_id=room_id):
            return f"room {room_id}".encode()
        case PresenceEvent(user_id=user_id):
            return f"user {user_id}".encode()


class Rendered:
    """An audience that counts how often it was asked."""

    def __init__(self, *kinds: type[Event]) -> None:
        self.calls = 0
        self.audience = Audience(kinds or (MessageEvent,), self._render)

    async def _render(self, event: LiveEvent) -> Words:
        self.calls += 1
        words = to_words(event)
        await asyncio.sleep(0.01 if self.calls % 2 else 0)
        return None if words == b"nothing" else words


class Member:
    """A subscriber that shares whenever it can; `room` is how much its listener takes."""

    def __init__(self, stream: EventStream, rendered: Rendered, room: int) -> None:
        self.heard: list[str] = []
        self.read: list[str] = []
        self.room = room
        self.is_sharing = asyncio.Event()
        self.task = asyncio.create_task(self._follow(stream, rendered))

    async def _follow(self, stream: EventStream, rendered: Rendered) -> None:
        async with aclosing(stream):
            while True:
                event = await stream.pull()
                if event is not None and not isinstance(event, MessageEvent | PresenceEvent):
                    continue
                if event is not None:
                    self.read.append(to_words(event).decode())
                    self.heard.append(self.read[-1])
                    continue
                self.is_sharing.set()
                await stream.share(rendered.audience, self._listen)
                self.is_sharing.clear()
                self.room = 1_000

    def _listen(self, words: bytes) -> bool:
        if len(self.heard) >= self.room:
            return False
        self.heard.append(words.decode())
        return True

    async def hears(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.heard) < count and not self.task.done():
                await asyncio.sleep(0.01)
        return self.heard


@asynccontextmanager
async def member(
    chat: Chat,
    rendered: Rendered,
    user_id: str,
    *,
    room_id: str | None = None,
    room: int = 1_000,
) -> AsyncIterator[Member]:
    kinds = rendered.audience.kinds
    member = Member(chat.hub.subscribe(user_id, kinds, room_id=room_id), rendered, room)
    await asyncio.wait_for(member.is_sharing.wait(), 10)
    yield member
    member.task.cancel()
    await asyncio.gather(member.task, return_exceptions=True)


async def send(chat: Chat, *texts: str, room: Room = GENERAL) -> None:
    for text in texts:
        await chat.messages.send("1", room, text)


async def test_an_event_is_rendered_once_for_all(chat: Chat) -> None:
    rendered = Rendered()
    async with (
        member(chat, rendered, "1") as first,
        member(chat, rendered, "2", room_id="0") as second,
        member(chat, rendered, "2") as third,
    ):
        texts = [str(number) for number in range(20)]
        await send(chat, *texts)
        for each in (first, second, third):
            assert await each.hears(20) == texts
            assert each.read == []
        assert rendered.calls == 20


async def test_messages_sent_at_once_come_in_the_order_of_the_log(chat: Chat) -> None:
    rendered = Rendered()
    async with member(chat, rendered, "2") as listener:
        sent = await asyncio.gather(
            *(chat.messages.send("1", GENERAL, str(number)) for number in range(100))
        )
        in_order = [message.text for message in sorted(sent, key=lambda sent: sent.position)]
        assert await listener.hears(100) == in_order


async def test_who_cannot_listen_reads_the_log_and_joins_again(chat: Chat) -> None:
    rendered = Rendered()
    async with (
        member(chat, rendered, "2", room=3) as slow,
        member(chat, rendered, "2") as quick,
    ):
        texts = [str(number) for number in range(50)]
        await asyncio.gather(send(chat, *texts[:25]), slow.hears(4))
        await send(chat, *texts[25:])
        for each in (slow, quick):
            assert await each.hears(50) == texts
        assert "3" in slow.read
        assert slow.read != texts[3:]
        assert quick.read == []


async def test_what_there_is_nothing_to_tell_of_is_passed_over(chat: Chat) -> None:
    rendered = Rendered()
    async with member(chat, rendered, "2") as listener:
        await send(chat, "one", "nothing", "two")
        assert await listener.hears(2) == ["one", "two"]


async def test_a_private_room_is_told_to_its_members_only(chat: Chat) -> None:
    rendered = Rendered()
    private = await chat.rooms.open_private("1", "2")
    async with (
        member(chat, rendered, "2") as partner,
        member(chat, rendered, "2", room_id="0") as elsewhere,
        member(chat, rendered, "3") as other,
    ):
        await send(chat, "secret", room=private)
        await send(chat, "public")
        assert await partner.hears(2) == ["secret", "public"]
        assert await elsewhere.hears(1) == ["public"]
        assert await other.hears(1) == ["public"]


async def test_a_member_who_loses_the_room_hears_nothing_more(chat: Chat) -> None:
    rendered = Rendered()
    private = await chat.rooms.open_private("1", "2")
    async with (
        member(chat, rendered, "2", room_id=private.id) as partner,
        member(chat, rendered, "1") as sender,
    ):
        await send(chat, "before", room=private)
        assert await partner.hears(1) == ["before"]
        await chat.store.redis.srem(keys.user_rooms("2"), private.id)
        await send(chat, "after", room=private)
        assert await sender.hears(2) == ["before", "after"]
        with pytest.raises(NotFound):
            await asyncio.wait_for(partner.task, 10)
        assert partner.heard == ["before"]


async def test_presence_that_cannot_be_heard_is_not_lost(chat: Chat) -> None:
    rendered = Rendered(MessageEvent, PresenceEvent)
    async with member(chat, rendered, "2", room=0) as listener:
        (user,) = await chat.users.get_many(["3"])
        assert user is not None
        await chat.presence.connect(user)
        assert await listener.hears(1) == ["user 3"]
        assert listener.read == ["user 3"]
        await chat.presence.disconnect(user)
        assert await listener.hears(2) == ["user 3", "user 3"]


async def test_what_cannot_be_rendered_ends_those_who_asked_for_it(chat: Chat) -> None:
    async def fail(event: LiveEvent) -> Words:
        raise ZeroDivisionError

    broken = Rendered()
    broken.audience = Audience([MessageEvent], fail)
    async with (
        member(chat, broken, "2") as first,
        member(chat, Rendered(), "2") as second,
    ):
        await send(chat, "one")
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(first.task, 10)
        assert await second.hears(1) == ["one"]


async def test_what_cannot_be_rendered_now_is_read_later(chat: Chat) -> None:
    async def fail(event: LiveEvent) -> Words:
        raise Unavailable("The store is away.")

    away = Rendered(MessageEvent, PresenceEvent)
    away.audience = Audience(away.audience.kinds, fail)
    async with member(chat, away, "2") as listener:
        await send(chat, "one", "two")
        assert await listener.hears(2) == ["one", "two"]
        (user,) = await chat.users.get_many(["3"])
        assert user is not None
        await chat.presence.connect(user)
        assert await listener.hears(3) == ["one", "two", "user 3"]
        await chat.presence.disconnect(user)


async def test_nothing_is_left_of_those_who_went(chat: Chat) -> None:
    hub = chat.hub
    rendered = Rendered()
    key = "the same"
    async with member(chat, rendered, "2"):
        kept = hub.audiences.get(key, [MessageEvent], rendered.audience.render)
        assert hub.audiences.get(key, [MessageEvent], rendered.audience.render) is kept
        assert len(hub.audiences) == 1
        del kept
    assert len(hub.audiences) == 0
    assert not hub.subscriptions
    assert not hub.register.by_room
    assert not hub.register.by_user
