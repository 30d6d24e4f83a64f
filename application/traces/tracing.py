"""Spans of requests, operations, calls to the store and deliveries.

They tell what was done and how long it took, never what was said: no documents, which may have
passwords in them, no variables, keys or messages of errors.
"""

import asyncio
import threading
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SimpleSpanProcessor,
)
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.request_ids import request_id, trace_id
from execution.errors import RequestError
from execution.observer import Observer
from execution.operation import Operation
from services.hub.deliveries import Deliveries
from services.redis.pipeline import Pipeline
from services.redis.store import names_of
from services.redis.ways import Way

_FLUSH_SECONDS = 2.0
"""How long a collector may take to take the last spans."""

_OURS_TO_MEND = ("INTERNAL_SERVER_ERROR", "UNAVAILABLE")
"""Codes that make a span an error; the rest is the caller's business."""


class Tracing:
    """Where spans come from; `close` at the end."""

    def __init__(self, exporters: Sequence[str]) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        for exporter in exporters:
            self._provider.add_span_processor(_processor(exporter))
        self._tracer = self._provider.get_tracer("parley")
        self.observer: Observer = _Operations(self._tracer)

    async def close(self) -> None:
        """Export what there is, as long as somebody takes it."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, _FLUSH_SECONDS)

    def serve(
        self, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Serve a request or a socket as part of the trace that it comes from, if it says so."""
        headers = ((name.decode(), value.decode("latin-1")) for name, value in scope["headers"])
        context.attach(propagate.extract(dict(headers)))  # This task is the request's own.
        if scope["type"] == "websocket":
            # Its operations are spans, not the hours that it is open.
            return endpoint(scope, receive, send)
        return self._request(endpoint, scope, receive, send)

    async def _request(self, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """A span until the response begins: that of a stream has no end for hours."""
        span = self._tracer.start_span(
            f"{scope['method']} {scope['path']}",
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "http.route": scope["path"],
                "url.path": scope["path"],
                "url.scheme": scope["scheme"],
                "parley.request_id": request_id.get() or "",
            },
        )

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(StatusCode.ERROR)
                span.end()
            await send(message)

        trace_id.set(_trace_id(span))
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                await endpoint(scope, receive, send_and_note)
        finally:
            if span.is_recording():
                span.end()

    def way(self, way: Way) -> Way:
        """A way to the store with a span for each exchange."""
        return _TracedWay(way, self._tracer)

    @contextmanager
    def delivering(self, deliveries: Deliveries) -> Iterator[None]:
        """A span for the delivery of what rang together."""
        before = deliveries.shared
        with self._tracer.start_as_current_span(
            "deliver", context.Context(), kind=SpanKind.CONSUMER, record_exception=False
        ) as span:
            token = trace_id.set(_trace_id(span))
            try:
                yield
            finally:
                trace_id.reset(token)
            span.set_attribute("parley.deliveries", deliveries.shared - before)


class _Operations(Observer):
    """GraphQL's semantic conventions; the document is left out."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def executing(self, operation: Operation) -> Iterator[None]:
        above = trace.get_current_span().get_span_context()
        is_first = above.is_remote or not above.is_valid
        attributes: dict[str, str] = {"graphql.operation.type": operation.type}
        if operation.name:
            attributes["graphql.operation.name"] = operation.name
        if is_first:
            attributes["parley.request_id"] = request_id.get() or ""
        with self._tracer.start_as_current_span(
            operation.type,
            kind=SpanKind.SERVER if is_first else SpanKind.INTERNAL,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            if is_first:
                trace_id.set(_trace_id(span))
            try:
                yield
            except RequestError as error:
                _note_error(span, str(error.formatted[0]["extensions"]["code"]))
                raise
            except Exception:
                _note_error(span, "INTERNAL_SERVER_ERROR")
                raise

    def failed(self, operation: Operation, errors: list[dict[str, Any]]) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            _note_error(span, errors[0]["extensions"]["code"])


class _TracedWay:
    """Each exchange is a span that nothing else is within: callers share tasks."""

    def __init__(self, way: Way, tracer: trace.Tracer) -> None:
        self._way = way
        self._tracer = tracer

    async def exchange(self, pipe: Pipeline, seconds: float) -> list[Any]:
        names = names_of(pipe)
        span = self._tracer.start_span(
            names[0] if len(names) == 1 else "PIPELINE",
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": "redis",
                "db.operation.name": " ".join(dict.fromkeys(names)),
                "db.operation.batch.size": len(names),
            },
        )
        try:
            return await self._way.exchange(pipe, seconds)
        except Exception as error:
            _note_error(span, type(error).__name__, is_ours=True)
            raise
        finally:
            span.end()

    async def drop(self) -> None:
        await self._way.drop()

    async def close(self) -> None:
        await self._way.close()


def _trace_id(span: Span) -> str:
    return trace.format_trace_id(span.get_span_context().trace_id)


def _note_error(span: Span, code: str, *, is_ours: bool = False) -> None:
    span.set_attribute("error.type", code)
    if is_ours or code in _OURS_TO_MEND:
        span.set_status(StatusCode.ERROR)


def _processor(exporter: str) -> SpanProcessor:
    if exporter == "console":
        return SimpleSpanProcessor(ConsoleSpanExporter())
    return BatchSpanProcessor(OTLPSpanExporter())


def _resource() -> Resource:
    """What the environment says of this service, which is called parley if it has no name."""
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "parley"}))
    return resource
