"""Subscriptions as the body of one HTTP response, whatever it is framed in."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from application.transports.accept import Accept
from application.transports.errors import ending, refusal, unexpected
from application.transports.gateway import Gateway, LiveSession, Refused
from application.transports.inbox import Inbox
from application.transports.limits import STALL_SECONDS
from application.transports.places import TOO_MANY, Places, address
from execution.encode import encode
from execution.errors import RequestError
from execution.operation import Operation

PING_SECONDS = 12.0

Errors = Sequence[dict[str, Any]]


class Framing(Protocol):
    """How a stream looks on the wire."""

    name: str
    content_type: str
    opening: bytes
    ping: bytes
    complete: bytes
    """The end, after the last result."""

    def is_accepted(self, accept: Accept) -> bool:
        """Whether a client asks for just this."""

    def next(self, response: bytes) -> bytes:
        """A response of the subscription, perhaps a ResumableResponse."""

    def request_errors(self, errors: Errors) -> bytes:
        """Why the operation cannot be executed."""

    def transport_errors(self, errors: Errors) -> bytes:
        """Why the stream ends, which is not the operation's doing."""


class HTTPStream:
    """The response to a subscription: an ASGI application, like Starlette's responses.

    It takes a place of its address. Where there is none left, the response is 429.
    """

    def __init__(
        self,
        gateway: Gateway,
        places: Places,
        request: Request,
        operation: Operation,
        framing: Framing,
        open_streams: Counter[str],
    ) -> None:
        self._gateway = gateway
        self._places = places
        self._request = request
        self._operation = operation
        self._framing = framing
        self._open_streams = open_streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._places.taken(address(self._request)), self._counted():
                await self._serve(receive, send)
        except Refused as refused:
            await _too_many(refused)(scope, receive, send)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        name = self._framing.name
        self._open_streams[name] += 1
        try:
            yield
        finally:
            self._open_streams[name] -= 1

    async def _serve(self, receive: Receive, send: Send) -> None:
        streaming = asyncio.create_task(self._stream(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            streaming.cancel()
            leaving.cancel()
            await asyncio.gather(streaming, leaving, return_exceptions=True)
        if not streaming.cancelled():
            streaming.result()

    async def _stream(self, send: Send) -> None:
        """Raises Refused, and has sent nothing, when the user has too many connections."""
        opened = await self._open()
        headers = [
            (name.encode(), value.encode()) for name, value in stream_headers(self._framing).items()
        ]
        try:
            with suppress(OSError):  # The client is gone, or as good as: a TimeoutError is one too.
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                async with aclosing(self._chunks(opened)) as chunks:
                    async for chunk in chunks:
                        await _send_in_time(send, _body(chunk, more=True))
                await _send_in_time(send, _body(self._framing.complete, more=False))
        finally:
            if not isinstance(opened, list):
                await opened.close()

    async def _open(self) -> LiveSession | list[dict[str, Any]]:
        """The session, or what to tell instead."""
        try:
            return await self._gateway.open(self._request, None)
        except Refused as refused:
            if refused.code == TOO_MANY:
                raise
            return [refusal(refused)]
        except Exception:
            return [unexpected("a subscription over HTTP could not be opened")]

    async def _chunks(self, opened: LiveSession | list[dict[str, Any]]) -> AsyncGenerator[bytes]:
        """Everything before `complete`; what goes wrong is the last result."""
        framing = self._framing
        if framing.opening:
            yield framing.opening
        if isinstance(opened, list):
            yield framing.transport_errors(opened)
            return
        try:
            async with aclosing(self._results(opened)) as results:
                async for chunk in results:
                    yield chunk
        except RequestError as request_error:
            yield framing.request_errors(request_error.formatted)
        except Exception:
            yield framing.transport_errors([unexpected("a subscription over HTTP failed")])

    async def _results(self, session: LiveSession) -> AsyncGenerator[bytes]:
        """Results and pings until the subscription or the session ends."""
        framing = self._framing
        stream = await self._gateway.engine.subscribe(self._operation, session.context())
        async with aclosing(Inbox(stream)) as responses:
            while True:
                step = asyncio.ensure_future(anext(responses, None))
                try:
                    while not await _any_done(step, session.ended, PING_SECONDS):
                        yield framing.ping
                    if session.ended.done():
                        yield framing.transport_errors([ending(*session.ended.result())])
                        return
                finally:
                    await _stop(step)
                response = step.result()
                if response is None:
                    return
                yield framing.next(response)


def stream_headers(framing: Framing) -> dict[str, str]:
    return {
        "cache-control": "no-store",
        "content-type": framing.content_type,
        "vary": "accept",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
    }


def _too_many(refused: Refused) -> Response:
    body = encode({"errors": [refusal(refused)]})
    return Response(body, 429, {"cache-control": "no-store"}, "application/json; charset=utf-8")


def _body(chunk: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


async def _send_in_time(send: Send, message: Message) -> None:
    """No result is asked for before the last one is sent: what waits is a few kilobytes.

    One that does not read cannot be told so either, neither why the stream ends.
    """
    async with asyncio.timeout(STALL_SECONDS):
        await send(message)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _any_done(
    step: "asyncio.Future[Any]", ended: "asyncio.Future[Any]", seconds: float
) -> bool:
    done, _ = await asyncio.wait(
        {step, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
    )
    return bool(done)


async def _stop(step: "asyncio.Future[Any]") -> None:
    """The step over, cancelled if it still runs: a running generator cannot be closed."""
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
