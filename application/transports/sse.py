"""GraphQL over Server-Sent Events, in the distinct connections mode.

The protocol: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from application.transports.errors import INTERNAL_ERROR, ending, refusal
from application.transports.gateway import Gateway, LiveSession, Refused
from application.transports.inbox import Inbox
from application.transports.limits import STALL_SECONDS
from execution.encode import encode
from execution.errors import RequestError
from execution.operation import Operation

_log = logging.getLogger(__name__)

EVENT_STREAM = "text/event-stream"

_HEADERS = {
    "cache-control": "no-store",
    "content-type": f"{EVENT_STREAM}; charset=utf-8",
    "vary": "accept",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}

_PING = b": ping\n\n"
PING_SECONDS = 12.0

# The empty data is for the browsers' EventSource, which drops events without any.
_COMPLETE = b"event: complete\ndata: \n\n"


def _next(response: bytes) -> bytes:
    # Lines end with LF alone: urql splits at two of them.
    return b"event: next\ndata: " + response + b"\n\n"


def _errors(*errors: dict[str, Any]) -> bytes:
    return _next(encode({"errors": errors}))


def event_stream_of(response: bytes, headers: Sequence[tuple[str, str]]) -> Response:
    """The stream of a single result, or of the errors found before any execution."""
    stream = Response(_next(response) + _COMPLETE, headers=_HEADERS)
    for name, value in headers:
        stream.headers.append(name, value)
    return stream


class EventStream:
    """The response to a subscription: an ASGI application, like Starlette's responses."""

    def __init__(self, gateway: Gateway, request: Request, operation: Operation) -> None:
        self._gateway = gateway
        self._request = request
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streaming = asyncio.create_task(self._stream(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            streaming.cancel()
            leaving.cancel()
            await asyncio.gather(streaming, leaving, return_exceptions=True)

    async def _stream(self, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        with suppress(OSError):  # The client is gone, or as good as: a TimeoutError is one too.
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with aclosing(self._chunks()) as chunks:
                async for chunk in chunks:
                    await _send_in_time(send, _body(chunk, more=True))
            await _send_in_time(send, _body(_COMPLETE, more=False))

    async def _chunks(self) -> AsyncGenerator[bytes]:
        """Everything before `complete`; what goes wrong is the last result."""
        try:
            session = await self._gateway.open(self._request, None)
            try:
                async with aclosing(self._results(session)) as results:
                    async for chunk in results:
                        yield chunk
            finally:
                await session.close()
        except Refused as refused:
            yield _errors(refusal(refused))
        except RequestError as request_error:
            yield _errors(*request_error.formatted)
        except Exception:
            _log.exception("A subscription over Server-Sent Events failed")
            yield _errors(INTERNAL_ERROR)

    async def _results(self, session: LiveSession) -> AsyncGenerator[bytes]:
        """Results and pings until the subscription or the session ends."""
        engine = self._gateway.engine
        stream = await engine.subscribe(self._operation, session.context())
        async with aclosing(Inbox(stream)) as responses:
            while True:
                step = asyncio.ensure_future(anext(responses, None))
                try:
                    while not await _any_done(step, session.ended, PING_SECONDS):
                        yield _PING
                    if session.ended.done():
                        yield _errors(ending(*session.ended.result()))
                        return
                finally:
                    await _stop(step)
                response = step.result()
                if response is None:
                    return
                yield _next(response)


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
