"""Sharded channels on a Redis Cluster: heard where their slots are, wherever those go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from services.chat import Chat
from services.hub.bells import Channels, bell
from services.hub.stream import EventStream
from services.models import CaughtUpEvent, Event, MessageEvent, Room
from services.redis.store import Store
from tests.topologies.cluster import Cluster, ask
from tests.topologies.node import Node, until

GENERAL = Room("0", "General")
PATIENCE_SECONDS = 20


@pytest.fixture(params=[Channels.BOTH, Channels.SHARDED])
async def chat(request: pytest.FixtureRequest, empty_cluster: Cluster) -> AsyncIterator[Chat]:
    chat = Chat(Store.from_url(empty_cluster.url), bcrypt_cost=4, channels=request.param)
    await chat.open()
    yield chat
    await chat.close()


async def take(stream: EventStream, count: int) -> list[Event]:
    return [await asyncio.wait_for(anext(stream), PATIENCE_SECONDS) for _ in range(count)]


async def texts(stream: EventStream, count: int) -> list[str]:
    return [
        event.message.text for event in await take(stream, count) if isinstance(event, MessageEvent)
    ]


def listeners(node: Node, log: str) -> int:
    """How many processes hear a log's bell at a server."""
    ((_, count),) = ask(node, "PUBSUB SHARDNUMSUB", bell(log))
    return int(count)


async def test_bells_are_heard_where_their_slots_are(chat: Chat, cluster: Cluster) -> None:
    private = await chat.rooms.open_private("1", "3")
    logs = [f"room:{room_id}" for room_id in ("0", "1:2", private.id, "1:4")] + ["user:1"]
    async with aclosing(chat.hub.subscribe("1", (MessageEvent, CaughtUpEvent))) as stream:
        await take(stream, 1)
        for log in logs:
            owner = cluster.primary_of(bell(log))
            assert [listeners(node, log) for node in cluster.primaries] == [
                int(node is owner) for node in cluster.primaries
            ]
        await chat.messages.send("2", GENERAL, "general")
        assert await texts(stream, 1) == ["general"]
        await chat.messages.send("3", private, "private")
        assert await texts(stream, 1) == ["private"]


async def test_a_bell_is_followed_to_where_its_slot_moves(chat: Chat, cluster: Cluster) -> None:
    source = cluster.primary_of(bell("room:0"))
    target = next(node for node in cluster.primaries if node is not source)
    has_ended = asyncio.Event()
    sent: list[str] = []

    async def send() -> None:
        while not has_ended.is_set():
            await chat.messages.send("2", GENERAL, f"{len(sent)}")
            sent.append(f"{len(sent)}")
            await asyncio.sleep(0.01)

    kinds = (MessageEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe("1", kinds, room_id="0")) as stream:
        await take(stream, 1)
        sending = asyncio.create_task(send())
        for place in (target, source):
            await asyncio.to_thread(cluster.move_slot, bell("room:0"), place)
            await asyncio.to_thread(until, lambda: listeners(place, "room:0") == 1)  # noqa: B023
        has_ended.set()
        await sending
        assert await texts(stream, len(sent)) == sent
