"""Delivery against a plain model: whatever happens, everybody gets the log, once and in order.

Two server processes on one store. The model is a list of messages in the order of the log; what a
subscriber is to get is the part of it that is newer than its start and that it may see.
"""

import asyncio
import json
import pickle
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services import keys
from services.chat import Chat
from services.cursors import Cursor
from services.errors import Conflict
from services.hub.audience import Words
from services.hub.bells import Channels
from services.hub.stream import EventStream
from services.hub.subscription import LiveEvent
from services.ids import private_members, private_room_id
from services.models import CaughtUpEvent, Event, Message, MessageEvent, Room
from services.redis.store import Store

T = TypeVar("T")

GENERAL = "0"
USERS = ("1", "2", "3", "4")
PAIRS = [(low, high) for low in USERS for high in USERS if low < high]
PATIENCE_SECONDS = 15

process = st.sampled_from([0, 1])
user = st.sampled_from(USERS)
pick = st.integers(min_value=0, max_value=99)
clock = st.sampled_from([-86_400.0, 0.0, 0.25, 86_400.0])


def members(room_id: str) -> tuple[str, ...]:
    return private_members(room_id) or USERS


class Shared:
    """The events of a stream, of which live ones are told to an audience.

    So little may wait for its listener, which is moody as well, that it often has to read the log.
    """

    MOST_WAITING = 3
    MOOD = 5

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.heard: list[bytes] = []
        self.calls = 0
        self.news = asyncio.Event()
        self.sharing: asyncio.Task[None] | None = None
        key = tuple(sorted(kind.__name__ for kind in stream.subscription.kinds))
        self.audience = stream.hub.audiences.get(key, stream.subscription.kinds, self.render)

    @staticmethod
    async def render(event: LiveEvent) -> Words:
        assert isinstance(event, MessageEvent)
        await asyncio.sleep(0)
        return pickle.dumps(event)

    def listen(self, words: bytes) -> bool:
        self.calls += 1
        if len(self.heard) >= self.MOST_WAITING or self.calls % self.MOOD == 0:
            return False
        self.heard.append(words)
        self.news.set()
        return True

    async def __anext__(self) -> Event:
        while not self.heard:
            if self.sharing is None or self.sharing.done():
                event = await self.stream.pull()
                if event is not None:
                    return event
                self.sharing = asyncio.create_task(self.stream.share(self.audience, self.listen))
                self.sharing.add_done_callback(lambda task: self.news.set())
            self.news.clear()
            await self.news.wait()
        event = pickle.loads(self.heard.pop(0))
        assert isinstance(event, MessageEvent)
        return event

    async def aclose(self) -> None:
        if self.sharing is not None:
            self.sharing.cancel()
            await asyncio.gather(self.sharing, return_exceptions=True)
        await self.stream.aclose()


class Follower:
    """A subscriber over all its lives, and how much of the log it has got."""

    def __init__(
        self, user_id: str, room_id: str | None, start: Cursor, *, is_sharing: bool
    ) -> None:
        self.is_sharing = is_sharing
        self.user_id = user_id
        self.room_id = room_id
        self.cursors = [start]
        """Where it began, then that of each message it got."""
        self.stream: EventStream | Shared | None = None

    def is_for_it(self, message: Message) -> bool:
        if self.room_id is not None:
            return message.room_id == self.room_id
        return self.user_id in members(message.room_id)


class Delivery(RuleBasedStateMachine):
    def __init__(self, url: str, channels: Channels) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.url = url
        self.channels = channels
        self.chats: list[Chat] = []
        self.log: list[Message] = []
        self.rooms = [GENERAL]
        self.followers: list[Follower] = []
        self.number = 0

    # What happens

    @initialize()
    def begin(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushdb()
        self.run(self._begin())

    @rule(pair=st.sampled_from(PAIRS), by=process)
    def open_a_room(self, pair: tuple[str, str], by: int) -> None:
        self.run(self.chats[by].rooms.open_private(*pair))
        room_id = private_room_id(*pair)
        if room_id not in self.rooms:
            self.rooms.append(room_id)

    @rule(room=pick, by=process, is_keyed=st.booleans())
    def send(self, room: int, by: int, is_keyed: bool) -> None:
        self.keep([self.run(self._send(room, by, is_keyed))])

    @rule(rooms=st.lists(pick, min_size=2, max_size=30))
    def send_at_once(self, rooms: list[int]) -> None:
        self.keep(self.run(self._send_at_once(rooms)))

    @precondition(lambda self: self.keyed())
    @rule(which=pick, by=process)
    def send_again(self, which: int, by: int) -> None:
        """The same message, also when asked for by several at the same time."""
        first = self.keyed()[which % len(self.keyed())]
        assert self.run(self._send_again(first, by)) == [first] * 3

    @precondition(lambda self: self.keyed())
    @rule(which=pick, by=process)
    def send_another_text(self, which: int, by: int) -> None:
        first = self.keyed()[which % len(self.keyed())]
        with pytest.raises(Conflict):
            self.run(
                self.chats[by].messages.send(
                    first.sender_id, Room(first.room_id, None), "else", first.client_message_id
                )
            )

    @rule(room=pick, offset=clock)
    def another_server_sends(self, room: int, offset: float) -> None:
        self.keep([self.run(self._send_foreign(self.rooms[room % len(self.rooms)], offset))])

    @rule(
        user_id=user,
        room=pick,
        is_for_all=st.booleans(),
        after=pick,
        by=process,
        is_sharing=st.booleans(),
    )
    def subscribe(
        self, user_id: str, room: int, is_for_all: bool, after: int, by: int, is_sharing: bool
    ) -> None:
        """From any cursor that was handed out: of a message or of the present moment."""
        visible = [room_id for room_id in self.rooms if user_id in members(room_id)]
        room_id = None if is_for_all else visible[room % len(visible)]
        start = self.run(self._cursor(after, by))
        follower = Follower(user_id, room_id, start, is_sharing=is_sharing)
        self.followers.append(follower)
        self.run(self._resume(follower, by))

    @precondition(lambda self: self.followers)
    @rule(which=pick, count=pick)
    def take(self, which: int, count: int) -> None:
        follower = self.followers[which % len(self.followers)]
        self.run(self._take(follower, count))

    @precondition(lambda self: self.followers)
    @rule(which=pick, by=process, back=st.sampled_from([0, 0, 0, 1, 5]))
    def drop_and_resume(self, which: int, by: int, back: int) -> None:
        """After the last cursor, or an earlier one: then what follows that comes again."""
        follower = self.followers[which % len(self.followers)]
        del follower.cursors[max(1, len(follower.cursors) - back) :]
        self.run(self._resume(follower, by))

    @rule()
    def lose_the_channels(self) -> None:
        self.run(self._kill_channels())

    @rule(room=pick, by=process, size=st.integers(min_value=1, max_value=7))
    def page_through(self, room: int, by: int, size: int) -> None:
        """The history has each message once, whatever order the others' clocks give it."""
        room_id = self.rooms[room % len(self.rooms)]
        history = self.run(self._history(room_id, by, size))
        told = sorted((message for message in history), key=lambda message: message.position)
        assert told == [message for message in self.log if message.room_id == room_id]

    def teardown(self) -> None:
        if self.chats:
            self.run(self._finish())
        self.runner.close()

    # How

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def keyed(self) -> list[Message]:
        return [message for message in self.log if message.client_message_id is not None]

    def keep(self, messages: list[Message]) -> None:
        self.log = sorted([*self.log, *messages], key=lambda message: message.position)
        positions = [message.position for message in self.log]
        assert len(set(positions)) == len(positions)

    def text(self) -> str:
        self.number += 1
        return f"message {self.number}"

    async def _begin(self) -> None:
        self.chats = [
            Chat(Store.from_url(self.url), bcrypt_cost=4, demo_data=False, channels=self.channels)
            for _ in "ab"
        ]
        for chat in self.chats:
            await chat.open()
        redis_ = self.chats[0].store.redis
        await redis_.set(keys.room_name(GENERAL), "General")
        for user_id in USERS:
            await redis_.hset(keys.user(user_id), "username", f"user {user_id}")
            await redis_.sadd(keys.user_rooms(user_id), GENERAL)

    async def _send(self, room: int, by: int, is_keyed: bool) -> Message:
        room_id = self.rooms[room % len(self.rooms)]
        sender = members(room_id)[room % 2]
        text = self.text()
        key = f"key of {text}" if is_keyed else None
        return await self.chats[by].messages.send(sender, Room(room_id, None), text, key)

    async def _send_at_once(self, rooms: list[int]) -> list[Message]:
        sends = (self._send(room, number % 2, False) for number, room in enumerate(rooms))
        return list(await asyncio.gather(*sends))

    async def _send_again(self, first: Message, by: int) -> list[Message]:
        senders = [self.chats[by], self.chats[1 - by], self.chats[by]]
        room = Room(first.room_id, None)
        return await asyncio.gather(
            *(
                chat.messages.send(first.sender_id, room, first.text, first.client_message_id)
                for chat in senders
            )
        )

    async def _send_foreign(self, room_id: str, offset: float) -> Message:
        chat = self.chats[0]
        moment = await chat.log.now()
        sender = members(room_id)[0]
        date = round(moment / 1e6) + offset
        data = {"from": sender, "date": date, "message": self.text(), "roomId": room_id}
        await chat.store.call("ZADD", keys.room(room_id), date, json.dumps(data))
        envelope = json.dumps({"serverId": "192.0.2.2:4102", "type": "message", "data": data})
        await chat.store.call("PUBLISH", keys.MESSAGES_CHANNEL, envelope)
        await chat.log.ingest([room_id])
        news = await chat.log.news([f"room:{room_id}"], moment)
        (message,) = (event.message for _, event in news.entries if isinstance(event, MessageEvent))
        assert message.text == data["message"]
        return message

    async def _cursor(self, which: int, by: int) -> Cursor:
        chat = self.chats[by]
        if which < len(self.log):
            message = self.log[which]
            return Cursor(message.score, message.position, chat.epoch)
        moment = await chat.log.now()
        return Cursor(moment / 1e6, moment, chat.epoch)

    async def _resume(self, follower: Follower, by: int) -> None:
        if follower.stream is not None:
            await follower.stream.aclose()
        stream = self.chats[by].hub.subscribe(
            follower.user_id,
            (MessageEvent, CaughtUpEvent),
            room_id=follower.room_id,
            after=follower.cursors[-1],
        )
        follower.stream = Shared(stream) if follower.is_sharing else stream
        # It begins when it is asked for the first time.
        event = await self._next(follower)
        if isinstance(event, MessageEvent):
            self._check(follower, event.message)

    async def _take(self, follower: Follower, count: int) -> None:
        while count and self._expected(follower):
            event = await self._next(follower)
            if isinstance(event, MessageEvent):
                self._check(follower, event.message)
                count -= 1

    async def _next(self, follower: Follower) -> Event:
        assert follower.stream is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await follower.stream.__anext__()

    def _expected(self, follower: Follower) -> list[Message]:
        last = follower.cursors[-1].position
        return [m for m in self.log if m.position > last and follower.is_for_it(m)]

    def _check(self, follower: Follower, message: Message) -> None:
        assert message == self._expected(follower)[0]
        follower.cursors.append(Cursor(message.score, message.position, self.chats[0].epoch))

    async def _kill_channels(self) -> None:
        client = self.chats[0].store.redis
        database = client.connection_pool.connection_kwargs.get("db", 0)
        for connection in await client.client_list(_type="pubsub"):
            if int(connection["db"]) == int(database):
                await client.client_kill_filter(_id=connection["id"])

    async def _history(self, room_id: str, by: int, size: int) -> list[Message]:
        reader = members(room_id)[0]
        messages: list[Message] = []
        after: Cursor | None = None
        while True:
            page = await self.chats[by].messages.page(reader, room_id, first=size, after=after)
            messages += page.messages
            if not page.has_next:
                return messages
            last = messages[-1]
            after = Cursor(last.score, last.position, self.chats[by].epoch)

    async def _finish(self) -> None:
        """Everybody gets all that is left, and nothing before a last message in each room."""
        last = [await self._send(number, number % 2, False) for number in range(len(self.rooms))]
        self.keep(last)
        for follower in self.followers:
            await self._take(follower, len(self.log))
            assert follower.stream is not None
            await follower.stream.aclose()
        for chat in self.chats:
            await chat.close()


@pytest.mark.parametrize("channels", Channels)
def test_delivery_follows_the_model(store_url: str, channels: Channels) -> None:
    class DeliveryOnStore(Delivery):
        def __init__(self) -> None:
            super().__init__(store_url, channels)

    run_state_machine_as_test(
        DeliveryOnStore,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
