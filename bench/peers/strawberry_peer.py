"""Strawberry as its documentation has it: ASGI, DataLoader, one Redis subscription.

With USER_CACHE=1 also what a careful user adds: caches of parsed and validated documents, and of
users.
"""

import asyncio
import base64
import json
import os
import re
import socket
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import strawberry
import uvicorn
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache
from strawberry.types import Info

CHANNEL = "MESSAGES"
HAS_CACHES = os.environ.get("USER_CACHE") == "1"

# The default pool fails when more than 100 resolvers want a connection at once.
redis: "Redis" = Redis.from_pool(
    BlockingConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=64, timeout=30)
)


@strawberry.type
class User:
    id: strawberry.ID
    username: str


async def read_users(ids: Sequence[str]) -> list[User]:
    pipe = redis.pipeline(transaction=False)
    for user_id in ids:
        pipe.hget(f"user:{user_id}", "username")
    names = await pipe.execute()
    return [
        User(id=strawberry.ID(f"user:{user_id}"), username=name.decode())
        for user_id, name in zip(ids, names, strict=True)
    ]


known_users: dict[str, User] = {}


def user_source(*, is_subscription: bool) -> Callable[[str], Awaitable[User]]:
    """A loader for one operation, which must not remember names for as long as a subscription."""
    loader: DataLoader[str, User] = DataLoader(load_fn=read_users, cache=not is_subscription)
    if not HAS_CACHES:
        return loader.load

    async def cached(user_id: str) -> User:
        if user_id not in known_users:
            known_users[user_id] = await loader.load(user_id)
        return known_users[user_id]

    return cached


async def authenticate(authorization: object) -> str:
    match = re.fullmatch(r"Bearer (.+)", authorization if isinstance(authorization, str) else "")
    user_id = await redis.get(f"session:{match[1]}") if match else None
    if user_id is None:
        raise PermissionError("UNAUTHENTICATED")
    return user_id.decode() if isinstance(user_id, bytes) else user_id


Context = dict[str, Any]


async def viewer(info: Info[Context, None]) -> str:
    context = info.context
    if (params := context.get("connection_params")) is not None:
        return await authenticate(params.get("authorization"))
    return await authenticate(context["request"].headers.get("authorization"))


@strawberry.type
class Message:
    id: strawberry.ID
    text: str
    sent_at: str
    sender_id: strawberry.Private[str]

    @strawberry.field
    async def sender(self, info: Info[Context, None]) -> User:
        user: User = await info.context["user"](self.sender_id)
        return user


@strawberry.type
class MessageEdge:
    cursor: str
    node: Message


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class MessageConnection:
    edges: list[MessageEdge]
    page_info: PageInfo


@strawberry.type
class SendMessagePayload:
    edge: MessageEdge


@strawberry.input
class SendMessageInput:
    room_id: strawberry.ID
    text: str


def edge(record: dict[str, Any]) -> MessageEdge:
    return MessageEdge(
        cursor=base64.urlsafe_b64encode(str(record["ts"]).encode()).decode(),
        node=Message(
            id=strawberry.ID(record["id"]),
            text=record["message"],
            sent_at=datetime.fromtimestamp(record["ts"], UTC).isoformat(),
            sender_id=record["from"],
        ),
    )


listeners: defaultdict[str, set["asyncio.Queue[dict[str, Any]]"]] = defaultdict(set)


async def listen() -> None:
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        async for event in pubsub.listen():
            if event["type"] != "message":
                continue
            record = json.loads(cast(bytes, event["data"]))["data"]
            for queue in listeners[record["roomId"]]:
                queue.put_nowait(record)


def bare(room_id: str) -> str:
    return room_id.removeprefix("room:")


@strawberry.type
class Query:
    @strawberry.field
    async def messages(
        self, info: Info[Context, None], room_id: strawberry.ID, last: int
    ) -> MessageConnection:
        await viewer(info)
        rows = cast(list[bytes], await redis.zrange(f"room:{bare(room_id)}", -last - 1, -1))
        edges = [edge(json.loads(row)) for row in rows[-last:]]
        return MessageConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=False,
                has_previous_page=len(rows) > last,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def send_message(
        self, info: Info[Context, None], input: SendMessageInput
    ) -> SendMessagePayload:
        user_id, room_id = await viewer(info), bare(input.room_id)
        position = time.time_ns() // 1000
        record = {
            "from": user_id,
            "date": position // 1_000_000,
            "message": input.text,
            "roomId": room_id,
            "id": f"message:{room_id}:{position}",
            "ts": position / 1_000_000,
        }
        text = json.dumps(record)
        pipe = redis.pipeline(transaction=True)
        pipe.zadd(f"room:{room_id}", {text: position / 1_000_000})
        pipe.publish(CHANNEL, f'{{"serverId":"peer","type":"message","data":{text}}}')
        await pipe.execute()
        return SendMessagePayload(edge=edge(record))


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def message_added(
        self, info: Info[Context, None], room_id: strawberry.ID
    ) -> AsyncGenerator[MessageEdge, None]:
        await viewer(info)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listeners[bare(room_id)].add(queue)
        try:
            while True:
                yield edge(await queue.get())
        finally:
            listeners[bare(room_id)].discard(queue)


class App(GraphQL[Context, None]):
    async def get_context(
        self, request: Request[Any] | WebSocket[Any], response: Response | WebSocket[Any]
    ) -> Context:
        is_subscription = isinstance(request, WebSocket)
        return {"request": request, "user": user_source(is_subscription=is_subscription)}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    task = asyncio.create_task(listen())
    yield
    task.cancel()


extensions: list[type[SchemaExtension]] = [ParserCache, ValidationCache] if HAS_CACHES else []
schema = strawberry.Schema(Query, Mutation, Subscription, extensions=extensions)
endpoint = App(schema, graphql_ide=None)
app = Starlette(
    routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)], lifespan=lifespan
)

if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app, log_level="warning", timeout_keep_alive=120, ws_per_message_deflate=False
    )
    sys.stdout.write(f"listening on http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([listener])
