"""The application put together: settings, services, GraphQL, Starlette. Nothing else is here."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.builds import Build
from application.gateway import STOPPING, ChatGateway
from application.health import alive, ready
from application.metrics.measuring import measured
from application.metrics.operations import OperationTallies
from application.metrics.serving import metrics
from application.pages import (
    CLIENT_POLICY,
    PLAYGROUND_POLICY,
    SafeHeaders,
    no_store,
    pages,
)
from application.proxies import behind
from application.request_ids import name_request, naming
from application.settings import Settings
from application.signals import told_to_stop
from application.stores import configured_chat, configured_store
from application.traces.asked import asked_exporters
from application.transports.errors import unexpected
from application.transports.http import PREFLIGHT_HEADERS, HTTPEndpoint
from application.transports.places import Places
from application.transports.websocket import WebSocketEndpoint
from application.trusted import client_documents, operation_names
from execution.engine import Engine
from execution.observer import Observer, observed_by
from execution.persisted import TrustedTexts
from resolvers.root import build_schema
from schema.errors import format_error
from services.chat import Chat
from services.errors import OperatorError, Unavailable
from services.redis.store import Store, StoreError

if TYPE_CHECKING:
    from application.traces.tracing import Tracing

_log = logging.getLogger(__name__)

_PLAYGROUND = Build("playground", PLAYGROUND_POLICY)

GRAPHQL = "/graphql"
"""The address of the API, whatever the protocol."""

_OPEN_SECONDS = 30.0
_CLOSE_SECONDS = 2.0


class State(TypedDict):
    """What every request finds in its scope."""

    chat: Chat
    http: ASGIApp
    websocket: ASGIApp
    registry: CollectorRegistry | None
    """Of the metrics, if there are any."""


def create_app(settings: Settings) -> "Parley":
    return Parley(settings)


class Parley(Starlette):
    """The application; `failure` says, once it could not start, why."""

    def __init__(self, settings: Settings) -> None:
        self.failure: str | None = None
        self._settings = settings
        self._tracing: Tracing | None = None
        self._serve = behind(settings.trusted_proxies, self._answer)
        middleware = _middleware(settings)
        self._graphql = _wrapped(_GraphQL(), middleware)
        super().__init__(
            routes=_routes(settings),
            middleware=middleware,
            exception_handlers={Exception: _failed},
            lifespan=Parley._serving,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, self._without_traceback(send))
        else:
            await self._serve(scope, receive, send)

    def _answer(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        name_request(scope)
        endpoint: ASGIApp = super().__call__
        if scope["path"] == GRAPHQL:
            # Straight there: for a socket that stays open each frame on the way takes memory, and
            # a request takes a tenth longer by way of the router.
            is_socket = scope["type"] == "websocket"
            endpoint = scope["state"]["websocket"] if is_socket else self._graphql
            if self._tracing is not None:
                endpoint = partial(self._tracing.serve, endpoint)
        return endpoint(scope, receive, naming(send) if scope["type"] == "http" else send)

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[State]:
        """What the requests live on, from the first to the last; closed in reverse."""
        async with AsyncExitStack() as stack:
            settings = self._settings
            operations = _operations(settings)
            of_users, of_addresses = _places(settings)
            try:
                self._tracing = tracing = await stack.enter_async_context(_tracing())
                store = await stack.enter_async_context(configured_store(settings))
                if tracing is not None:
                    store.reroute(tracing.way)
                chat = await stack.enter_async_context(_opened_chat(store, settings))
                if tracing is not None:
                    chat.hub.during_delivery = tracing.delivering
                observer = observed_by(operations, tracing.observer if tracing else None)
                engine = _engine(settings, observer)
                gateway = ChatGateway(chat, engine, of_users)
                http = HTTPEndpoint(
                    gateway,
                    playground=_PLAYGROUND.page if settings.playground else None,
                    max_body_bytes=settings.max_body_bytes,
                    max_batch_size=settings.max_batch_size,
                    places=of_addresses,
                )
                websocket = WebSocketEndpoint(
                    gateway,
                    allowed_origins=settings.allowed_origins,
                    limits=settings.socket_limits,
                    places=of_addresses,
                )
                registry = None
                if operations is not None:
                    registry = await stack.enter_async_context(
                        measured(settings.metrics, chat, http, websocket, operations)
                    )
            except OperatorError as error:
                self.failure = str(error)
                raise

            def stop() -> None:
                gateway.stop()
                websocket.stop(*STOPPING)

            stack.callback(stop)
            stack.enter_context(told_to_stop(stop))
            yield State(chat=chat, http=http, websocket=websocket, registry=registry)

    def _without_traceback(self, send: Send) -> Send:
        """What a failed start sends is logged by the server: make it our one line."""

        async def send_briefly(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and self.failure is not None:
                message = {**message, "message": self.failure}
            await send(message)

        return send_briefly


class _GraphQL:
    """The endpoint for HTTP."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["state"]["http"](scope, receive, send)


async def _failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw. The server logs the exception as well, after this."""
    return no_store({"errors": [unexpected(f"{request.method} failed")]}, 500)


def _routes(settings: Settings) -> list[BaseRoute]:
    marks = {"parley-demo": settings.demo_data, "parley-registration": settings.registration}
    missing = {mark: "false" for mark, is_on in marks.items() if not is_on}
    client = Build("client", CLIENT_POLICY, marks=missing)
    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route(GRAPHQL, _GraphQL()),
        *([Route(settings.metrics, metrics)] if isinstance(settings.metrics, str) else []),
        *pages(client, _PLAYGROUND if settings.playground else None),
    ]


def _wrapped(endpoint: ASGIApp, middleware: Sequence[Middleware]) -> ASGIApp:
    """The endpoint as Starlette would have it behind its router."""
    for each in reversed(middleware):
        endpoint = each.cls(endpoint, *each.args, **each.kwargs)
    return ServerErrorMiddleware(endpoint, handler=_failed)


def _middleware(settings: Settings) -> list[Middleware]:
    middleware = [Middleware(SafeHeaders)]
    if settings.allowed_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "last-event-id", *PREFLIGHT_HEADERS],
            expose_headers=["x-request-id"],
            allow_credentials=True,
        )
        middleware.append(cors)
    return middleware


def _places(settings: Settings) -> tuple[Places, Places]:
    """For connections of users and of addresses."""
    if not settings.rate_limits:
        return Places(), Places()
    return (
        Places(settings.max_connections_per_user, "for one user"),
        Places(settings.max_connections_per_address, "from one address"),
    )


def _operations(settings: Settings) -> OperationTallies | None:
    if settings.metrics is None:
        return None
    known = {**client_documents(), **(settings.trusted_documents or {})}
    return OperationTallies(operation_names(known.values()))


@asynccontextmanager
async def _tracing() -> "AsyncIterator[Tracing | None]":
    """Where spans come from, if the environment asks for them. Raises OperatorError."""
    exporters = asked_exporters(os.environ)
    if not exporters:
        yield None
        return
    try:
        from application.traces.tracing import Tracing

        tracing = Tracing(exporters)
    except ValueError as error:
        raise OperatorError(f"OpenTelemetry cannot use its variables: {error}.") from error
    try:
        yield tracing
    finally:
        await tracing.close()


def _engine(settings: Settings, observer: Observer) -> Engine:
    trusted = settings.trusted_documents
    return Engine(
        build_schema()._schema,
        format_error=format_error,
        may_pass=lambda error: isinstance(error, Unavailable),
        observer=observer,
        texts=None if trusted is None else TrustedTexts({**client_documents(), **trusted}),
        max_tokens=settings.max_query_tokens,
        limits=settings.operation_limits,
        introspection=settings.introspection,
    )


@asynccontextmanager
async def _opened_chat(store: Store, settings: Settings) -> AsyncIterator[Chat]:
    chat = configured_chat(store, settings)
    try:
        await _open(chat, settings)
        yield chat
    finally:
        await _close(chat)


async def _open(chat: Chat, settings: Settings) -> None:
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            await chat.open()
    except (RedisError, Unavailable, TimeoutError) as error:
        # It answers a PING, but this is not a store that we can work with.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(
            f"Cannot use the store at {settings.store_address}: {reason.rstrip('.')}."
            " Set REDIS_ENDPOINT_URL to a Redis that takes writes, scripts and subscriptions."
        ) from error


async def _close(chat: Chat) -> None:
    """Close it, unless the store keeps us waiting: whatever it has of us has a lease."""
    closing = asyncio.create_task(chat.close())
    await asyncio.wait([closing], timeout=_CLOSE_SECONDS)
    if closing.done():
        closing.result()
    else:
        closing.cancel()
        _log.warning("The store does not answer: leaving without a farewell.")
