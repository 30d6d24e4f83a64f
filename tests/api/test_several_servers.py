"""Four server processes on one store are one chat: presence, rates, sessions and delivery."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from gql.transport.exceptions import TransportError

from services.presence import LEASE_SECONDS
from tests.api.client import Failed, User, subscription
from tests.api.test_chat import EVENTS
from tests.servers import Server, start_server

SERVERS = 4
NAMES = ("Pablo", "Joe", "Mary", "Alex")
RATE = 40
MESSAGES_EACH = 10
"""Of every user on every server."""

DEADLINE_SECONDS = 20
QUIET_SECONDS = 0.3
"""After the last event there may still be one too many."""


class Chat:
    """The servers, and their users."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self._users: list[User] = []

    async def log_in(self, name: str) -> User:
        return await self._visit(self.servers[0]).log_in(name)

    def at(self, server: Server, user: User) -> User:
        """The same user with the same session, there."""
        there = self._visit(server)
        there.token, there.id = user.token, user.id
        return there

    async def close(self) -> None:
        for user in self._users:
            await user.http.aclose()
        for server in self.servers:
            if server.process.poll() is None:
                assert await asyncio.to_thread(server.stop) == 0

    def _visit(self, server: Server) -> User:
        self._users.append(User(server.url))
        return self._users[-1]


@pytest.fixture
async def chat(store_url: str) -> AsyncIterator[Chat]:
    env = {
        "REDIS_ENDPOINT_URL": store_url,
        "RATE_LIMITS": "on",
        "MESSAGES_PER_USER": f"{RATE}/day",
    }
    started = [asyncio.to_thread(start_server, env) for _ in range(SERVERS)]
    chat = Chat(await asyncio.gather(*started))
    yield chat
    await chat.close()


class Follower:
    """What one subscription has told."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.caught_up = asyncio.Event()
        self.is_over = False

    @property
    def texts(self) -> list[str]:
        return [event["edge"]["node"]["text"] for event in self.events if "edge" in event]

    def presence(self, name: str) -> list[bool]:
        return [
            event["user"]["online"]
            for event in self.events
            if event["__typename"] == "PresenceChanged" and event["user"]["username"] == name
        ]

    async def follow(self, user: User) -> None:
        async with user.socket() as socket:
            with suppress(TransportError):
                async for data in socket.subscribe(subscription(EVENTS)):
                    self.events.append(data["events"])
                    if data["events"]["__typename"] == "CaughtUp":
                        self.caught_up.set()
            self.is_over = True


@asynccontextmanager
async def following(
    chat: Chat, user: User, servers: Sequence[Server] = ()
) -> AsyncIterator[list[Follower]]:
    """The user's subscriptions, one on each server."""
    places = [chat.at(server, user) for server in servers or chat.servers]
    followers = [Follower() for _ in places]
    tasks = [
        asyncio.create_task(follower.follow(place))
        for follower, place in zip(followers, places, strict=True)
    ]
    for follower in followers:
        await asyncio.wait_for(follower.caught_up.wait(), DEADLINE_SECONDS)
    yield followers
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def test_every_message_comes_once_and_in_one_order(chat: Chat) -> None:
    users = [await chat.log_in(name) for name in NAMES]

    async def send(user: User, server: Server) -> None:
        there = chat.at(server, user)
        for number in range(MESSAGES_EACH):
            await there.send("room:0", f"{user.id} {server.url} {number}")

    async with following(chat, users[0]) as first, following(chat, users[1]) as second:
        await asyncio.gather(*(send(user, server) for user in users for server in chat.servers))
        followers = [*first, *second]
        sent = len(users) * SERVERS * MESSAGES_EACH
        await until(lambda: all(len(follower.texts) >= sent for follower in followers))
        await asyncio.sleep(QUIET_SECONDS)
    page = '{ messages(roomId: "room:0", last: 100) { nodes { text } } }'
    kept = [node["text"] for node in (await users[2](page))["messages"]["nodes"]]
    assert len(set(followers[0].texts)) == sent
    assert followers[0].texts[-len(kept) :] == kept
    for follower in followers:
        assert follower.texts == followers[0].texts


async def test_who_comes_and_goes_is_announced_once(chat: Chat) -> None:
    observer, joe = await chat.log_in("Alex"), await chat.log_in("Joe")
    async with following(chat, observer) as followers:
        for _ in range(2):
            for follower in followers:
                follower.events.clear()
            async with AsyncExitStack() as stack:
                sockets = [chat.at(server, joe).socket() for server in chat.servers[:3]]
                await asyncio.gather(*(stack.enter_async_context(socket) for socket in sockets))
                await until(lambda: all(each.presence("Joe") == [True] for each in followers))
            await until(lambda: all(len(each.presence("Joe")) >= 2 for each in followers))
            await asyncio.sleep(QUIET_SECONDS)
            assert [each.presence("Joe") for each in followers] == [[True, False]] * SERVERS


@pytest.mark.long
async def test_users_of_a_killed_server_go_offline(chat: Chat) -> None:
    *living, killed = chat.servers
    observer, joe, mary = [await chat.log_in(name) for name in ("Alex", "Joe", "Mary")]
    async with following(chat, observer, living) as followers, AsyncExitStack() as stack:
        for user, server in ((mary, living[0]), (mary, killed), (joe, killed)):
            await stack.enter_async_context(chat.at(server, user).socket())
        await until(lambda: all(each.presence("Joe") == [True] for each in followers))
        await asyncio.to_thread(killed.kill)
        patience = 2 * LEASE_SECONDS
        await until(lambda: all(len(each.presence("Joe")) == 2 for each in followers), patience)
        await asyncio.sleep(QUIET_SECONDS)
        assert [each.presence("Joe") for each in followers] == [[True, False]] * len(living)
        # She has a connection to another.
        assert [each.presence("Mary") for each in followers] == [[True]] * len(living)


async def test_a_rate_is_exact_over_all(chat: Chat) -> None:
    joe = await chat.log_in("Joe")
    places = [chat.at(server, joe) for server in chat.servers]

    async def send(number: int) -> bool:
        try:
            await places[number % SERVERS].send("room:0", str(number))
        except Failed as failed:
            assert failed.codes == ["RATE_LIMITED"]
            return False
        return True

    allowed = await asyncio.gather(*(send(number) for number in range(2 * RATE)))
    assert sum(allowed) == RATE


async def test_a_session_that_is_ended_on_one_is_ended_on_all(chat: Chat) -> None:
    joe = await chat.log_in("Joe")
    async with following(chat, joe) as followers:
        await joe("mutation { logout { user { id } } }")
        await until(lambda: all(follower.is_over for follower in followers))
    for server in chat.servers:
        with pytest.raises(Failed) as caught:
            await chat.at(server, joe)("{ rooms { nodes { id } } }")
        assert caught.value.codes == ["UNAUTHENTICATED"]
