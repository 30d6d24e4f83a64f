"""A small schema, a gateway that does as told, and a real server for them."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import strawberry
import uvicorn
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info
from uvicorn.config import WSProtocolType
from uvicorn.server import ServerState

from application.transports.closing import bound_by_peer
from application.transports.gateway import Refused
from application.transports.http import HTTPEndpoint
from application.transports.limits import Limits
from application.transports.places import Places
from application.transports.protocols import HTTPProtocol, WebSocketProtocol
from application.transports.websocket import WebSocketEndpoint
from execution.engine import Engine


class Diary:
    """What the resolvers of the schema have to tell: started, closed."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.told: list[str] = []
        self.floods = 0
        """How often the subscription `flood` was asked for more."""
        self._news = asyncio.Event()

    def tell(self, what: str) -> None:
        self.told.append(what)
        self._news.set()

    async def wait_for(self, what: str) -> None:
        while what not in self.told:
            self._news.clear()
            await self._news.wait()


DIARY = Diary()


async def heard(what: str, seconds: float = 1.0) -> None:
    """Wait until a resolver has told something."""
    async with asyncio.timeout(seconds):
        await DIARY.wait_for(what)


async def ask(client: httpx.AsyncClient, toy: "Toy", query: str, **more: Any) -> httpx.Response:
    return await client.post(toy.http, json={"query": query, **more})


@dataclass
class ToyContext:
    response_headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class ToySession:
    ended: asyncio.Future[tuple[int, str]]
    closed: bool = False

    def context(self) -> ToyContext:
        return ToyContext()

    async def close(self) -> None:
        self.closed = True


@strawberry.input
class Name:
    first: str


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello {name}"

    @strawberry.field
    def greet(self, input: Name) -> str:
        return f"Hello {input.first}"

    @strawberry.field
    def broken(self) -> str:
        raise ValueError("secret")

    @strawberry.field
    def maybe_broken(self) -> str | None:
        raise GraphQLError("No.", extensions={"code": "FORBIDDEN"})

    @strawberry.field
    async def late(self) -> str:
        DIARY.tell("begun")
        await asyncio.sleep(0.2)
        return "late"

    @strawberry.field
    async def slow(self) -> str:
        DIARY.tell("slow started")
        try:
            await asyncio.sleep(60)
        finally:
            DIARY.tell("slow stopped")
        return "slow"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def login(self, info: Info[Any, Any]) -> bool:
        info.context.response_headers.append(("set-cookie", "session=1; HttpOnly"))
        return True

    @strawberry.mutation
    async def transfer(self) -> bool:
        DIARY.tell("begun")
        await asyncio.sleep(0.2)
        DIARY.tell("done")
        return True


@strawberry.type
class Place:
    cursor: str | None


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def places(self) -> AsyncGenerator[Place, None]:
        for cursor in ("c1", None, "c3"):
            yield Place(cursor=cursor)

    @strawberry.subscription
    async def count(self, to: int = 3) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number

    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        DIARY.tell("started")
        try:
            number = 0
            while True:
                yield number
                number += 1
                await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(0)
            DIARY.tell("closed")

    @strawberry.subscription
    async def silence(self) -> AsyncGenerator[int, None]:
        DIARY.tell("started")
        try:
            await asyncio.sleep(60)
            yield 1
        finally:
            DIARY.tell("closed")

    @strawberry.subscription
    async def flood(self) -> AsyncGenerator[str, None]:
        DIARY.tell("started")
        try:
            while True:
                DIARY.floods += 1
                yield "x" * 10_000
                await asyncio.sleep(0)
        finally:
            DIARY.tell("closed")

    @strawberry.subscription
    async def failing(self) -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("secret")


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


def format_error(error: GraphQLError) -> dict[str, Any]:
    if error.original_error and not isinstance(error.original_error, GraphQLError):
        masked = GraphQLError("Masked.", error.nodes, path=error.path)
        return {**masked.formatted, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    return dict(error.formatted)


class ToyGateway:
    def __init__(self) -> None:
        self.engine = Engine(
            SCHEMA._schema,
            executor_class=StrawberryGraphQLCoreExecutionContext,
            format_error=format_error,
        )
        self.sessions: list[ToySession] = []
        self.payloads: list[Mapping[str, object] | None] = []
        self.failure: Exception | None = None

    async def http_context(self, request: HTTPConnection[Any]) -> ToyContext:
        if self.failure:
            raise self.failure
        return ToyContext()

    async def open(
        self, connection: HTTPConnection[Any], payload: Mapping[str, object] | None
    ) -> ToySession:
        if self.failure:
            raise self.failure
        if payload and payload.get("token") == "bad":
            raise Refused(4403, "Forbidden")
        self.payloads.append(payload)
        session = ToySession(asyncio.get_running_loop().create_future())
        self.sessions.append(session)
        return session


async def playground(request: Request) -> Response:
    return HTMLResponse("<h1>Playground</h1>")


@dataclass
class Toy:
    gateway: ToyGateway
    endpoint: WebSocketEndpoint
    state: ServerState
    port: int

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"


@asynccontextmanager
async def serving(
    limits: Limits | None = None,
    *,
    max_batch_size: int = 0,
    places: Places | None = None,
    sockets_by: type[asyncio.Protocol] | WSProtocolType = WebSocketProtocol,
) -> AsyncIterator[Toy]:
    gateway = ToyGateway()
    sockets = WebSocketEndpoint(
        gateway,
        allowed_origins=["https://chat.example"],
        limits=limits or Limits(),
        places=places,
    )
    http = HTTPEndpoint(
        gateway, playground=playground, max_batch_size=max_batch_size, places=places
    )
    app = Starlette(
        routes=[
            Route("/graphql", http),
            WebSocketRoute("/graphql", sockets),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    bound_by_peer(listener)
    config = uvicorn.Config(
        app,
        http=HTTPProtocol,
        ws=sockets_by,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        ws_per_message_deflate=False,  # Of uvicorn's own, so that both write the same.
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    # Its `serve` does the same, and looks every 0.1 s whether it should stop.
    await server.startup([listener])
    try:
        yield Toy(gateway, sockets, server.server_state, listener.getsockname()[1])
    finally:
        await server.shutdown([listener])
