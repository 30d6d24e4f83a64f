"""What hearing of messages costs: `make bench-channels`. docs/scaling.md has the tables.

Several servers on one store. Rooms have a subscriber each and are dealt out to all servers but the
last, a bystander whom nobody uses. What is counted is processor time for each message of the chat,
by CHANNELS, as rooms and servers grow; and what a message costs the store itself.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import redis
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from bench.contestants import CONTESTANTS, EDGE
from bench.servers import Server, serving
from bench.store import BenchStore, tokens
from services import keys
from services.chat import Chat
from services.hub.bells import Channels
from services.models import Room
from services.redis.store import Store

_SERVERS = (1, 2, 4)
_ROOMS = (10, 100, 1000)
_MESSAGES = 500
_PER_SECOND = 250
"""Slow enough that servers seldom find two messages at once, which is cheaper."""
_SUBSCRIPTIONS = 100
"""Of one connection; the most that a server takes."""
_PATIENCE_SECONDS = 30
_SETTLE_SECONDS = 0.3
_WARM_UP_SECONDS = 1.0
_BULK = 20_000
_AT_ONCE = 100
_OWNER = "channels"
_SENDER = "1"
_PARLEY = CONTESTANTS[0]


@dataclass(frozen=True)
class Cost:
    """Microseconds of processor time for each message of the chat."""

    channels: Channels
    servers: int
    rooms: int
    server: float
    """Of one of the servers that have subscribers, for all that it hears and delivers."""
    bystander: float
    store: float


@dataclass(frozen=True)
class Storing:
    """What keeping a message costs a store that nobody listens to."""

    channels: Channels
    cpu: float
    """Microseconds."""
    memory: float
    """Bytes."""


@dataclass(frozen=True)
class Following:
    """What it costs the store that one server follows one more room."""

    memory: float
    """Bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-channels", description=__doc__)
    parser.add_argument("--only", nargs="+", type=Channels, default=list(Channels))
    chosen: Sequence[Channels] = parser.parse_args().only
    store = BenchStore()
    try:
        say(following(store))
        for channels in chosen:
            say(asyncio.run(bulk(store, channels)))
        for channels in chosen:
            for servers in _SERVERS:
                for cost in asyncio.run(costs(store, channels, servers)):
                    say(cost)
    finally:
        store.close()


def say(result: Cost | Storing | Following) -> None:
    words = (
        f"{value:8.1f}" if isinstance(value, float) else f"{value:>8}"
        for value in vars(result).values()
    )
    sys.stdout.write(f"{type(result).__name__:<8}{''.join(words)}\n")
    sys.stdout.flush()


# Servers


async def costs(store: BenchStore, channels: Channels, count: int) -> list[Cost]:
    """With so many servers that have subscribers."""
    store.fill(_OWNER)
    name_rooms(store)
    contestant = replace(_PARLEY, env={**_PARLEY.env, "CHANNELS": channels})
    found = []
    with ExitStack() as stack:
        url = store.url(_OWNER)
        servers = [stack.enter_context(serving(contestant, url)) for _ in range(count + 1)]
        async with sender(store, channels) as chat:
            for rooms in _ROOMS:
                found.append(await cost(store, channels, servers, rooms, chat))
    return found


def name_rooms(store: BenchStore) -> None:
    names = {keys.room_name(str(number)): f"Room {number}" for number in range(max(_ROOMS))}
    with redis.Redis.from_url(store.url(_OWNER)) as client:
        client.mset(names)


@asynccontextmanager
async def sender(store: BenchStore, channels: Channels) -> AsyncIterator[Chat]:
    """Sends as a server does, and is none of those that are measured."""
    chat = Chat(Store.from_url(store.url(_OWNER)), demo_data=False, channels=channels)
    await chat.store.open()
    try:
        yield chat
    finally:
        await chat.store.close()


class Told:
    """What all subscribers were told, by text."""

    def __init__(self) -> None:
        self.texts: Counter[str] = Counter()
        self._news = asyncio.Event()

    def note(self, text: str) -> None:
        self.texts[text] += 1
        self._news.set()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while self.texts.total() < count:
                self._news.clear()
                await self._news.wait()


async def cost(
    store: BenchStore, channels: Channels, servers: list[Server], rooms: int, chat: Chat
) -> Cost:
    used = servers[:-1]
    told = Told()
    async with AsyncExitStack() as stack:
        for number, server in enumerate(used):
            await subscribe(stack, server, range(number, rooms, len(used)), told)
        await warm_up(chat, rooms, told)
        pids = [*(server.pid for server in servers), store.pid]
        before = [cpu_seconds(pid) for pid in pids]
        await send(chat, rooms, told)
        spent = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
    *of_used, of_bystander, of_store = (seconds / _MESSAGES * 1e6 for seconds in spent)
    average = sum(of_used) / len(of_used)
    return Cost(channels, len(used), rooms, average, of_bystander, of_store)


async def subscribe(stack: AsyncExitStack, server: Server, rooms: range, told: Told) -> None:
    """One subscriber for each of these rooms."""
    url = f"ws://127.0.0.1:{server.port}/graphql"
    for number, start in enumerate(range(0, len(rooms), _SUBSCRIPTIONS)):
        socket = await stack.enter_async_context(
            connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None)
        )
        authorization = {"authorization": f"Bearer {tokens()[number]}"}
        await say_to(socket, {"type": "connection_init", "payload": authorization})
        await socket.recv()
        for room in rooms[start : start + _SUBSCRIPTIONS]:
            query = f'subscription {{ messageAdded(roomId: "room:{room}") {{ {EDGE} }} }}'
            subscribing = {"id": f"{room}", "type": "subscribe", "payload": {"query": query}}
            await say_to(socket, subscribing)
        reading = asyncio.create_task(read(socket, told))
        stack.callback(reading.cancel)


async def say_to(socket: ClientConnection, message: Mapping[str, object]) -> None:
    await socket.send(json.dumps(message))


async def read(socket: ClientConnection, told: Told) -> None:
    async for frame in socket:
        message = json.loads(frame)
        if message["type"] == "next":
            told.note(message["payload"]["data"]["messageAdded"]["node"]["text"])


async def warm_up(chat: Chat, rooms: int, told: Told) -> None:
    """Until every room has been heard of."""
    while quiet := [room for room in range(rooms) if f"warm {room}" not in told.texts]:
        await asyncio.gather(
            *(chat.messages.send(_SENDER, Room(f"{room}", None), f"warm {room}") for room in quiet)
        )
        await asyncio.sleep(_WARM_UP_SECONDS)


async def send(chat: Chat, rooms: int, told: Told) -> None:
    """Send steadily, each message to the next room; until each was delivered, exactly once."""
    loop = asyncio.get_running_loop()
    told.texts.clear()
    began = loop.time()
    for number in range(_MESSAGES):
        await asyncio.sleep(began + number / _PER_SECOND - loop.time())
        await chat.messages.send(_SENDER, Room(f"{number % rooms}", None), f"{number}")
    await told.reach(_MESSAGES)
    await asyncio.sleep(_SETTLE_SECONDS)
    if len(told.texts) != told.texts.total() or told.texts.total() != _MESSAGES:
        raise SystemExit("Messages were lost or repeated.")


# The store


async def bulk(store: BenchStore, channels: Channels) -> Storing:
    """Many messages at once, of 60 letters, in a hundred rooms."""
    store.fill(_OWNER)
    async with sender(store, channels) as chat:
        await send_many(chat, 1_000)
        memory, cpu = store.used_memory(), cpu_seconds(store.pid)
        await send_many(chat, _BULK)
        cpu = (cpu_seconds(store.pid) - cpu) / _BULK * 1e6
        memory = store.used_memory() - memory
    return Storing(channels, cpu, memory / _BULK)


async def send_many(chat: Chat, count: int) -> None:
    text = "x" * 60
    for start in range(0, count, _AT_ONCE):
        rooms = (Room(str(number % 100), None) for number in range(start, start + _AT_ONCE))
        await asyncio.gather(*(chat.messages.send(_SENDER, room, text) for room in rooms))


def following(store: BenchStore) -> Following:
    bells = [keys.bell(f"room:{number}") for number in range(_BULK)]
    with redis.Redis(port=store.port) as client, client.pubsub() as pubsub:
        pubsub.ssubscribe("first")
        pubsub.get_message(timeout=_PATIENCE_SECONDS)
        memory = store.used_memory()
        pubsub.ssubscribe(*bells)
        for _ in bells:
            pubsub.get_message(timeout=_PATIENCE_SECONDS)
        return Following((store.used_memory() - memory) / len(bells))


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


if __name__ == "__main__":
    main()
