"""Streams of responses: pulled one by one, or shared where the source allows it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Self

import orjson
import pytest
import strawberry
from graphql import GraphQLError

from application.transports import inbox
from application.transports.inbox import Inbox
from execution import stream as stream_module
from execution.engine import Engine
from execution.request import GraphQLRequest
from execution.stream import Listener, ResponseStream, SharedSource
from execution.subscription import SubscriptionPlan


class Numbers(SharedSource, AsyncIterator[int]):
    """A source with a past and a present; `say` makes an event."""

    def __init__(self, *past: int) -> None:
        self.waiting = deque(past)
        self.listener: Listener | None = None
        self.plan: SubscriptionPlan | None = None
        self.failure: Exception | None = None
        self.refused = asyncio.Event()
        self.is_shared = asyncio.Event()
        self.is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        if (number := await self.pull()) is None:
            raise StopAsyncIteration
        return number

    async def pull(self) -> int | None:
        return self.waiting.popleft() if self.waiting else None

    async def share(self, plan: SubscriptionPlan, listener: Listener) -> None:
        self.plan, self.listener = plan, listener
        self.refused.clear()
        self.is_shared.set()
        await self.refused.wait()
        self.is_shared.clear()
        if self.failure is not None:
            raise self.failure

    async def say(self, number: int) -> None:
        assert self.plan is not None
        assert self.listener is not None
        if not self.listener(await self.plan.execute_event(number, None)):
            self.waiting.append(number)
            self.refused.set()

    async def aclose(self) -> None:
        self.is_closed = True


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Told:
    """What cannot be told of at the first three times."""

    failures: strawberry.Private[list[str]]

    @strawberry.field
    def number(self) -> int:
        if len(self.failures) < 3:
            self.failures.append("away")
            raise ConnectionError
        return 7


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def numbers(self, info: strawberry.Info[Numbers, None]) -> AsyncIterator[int]:
        return info.context

    @strawberry.subscription
    async def told(self, failures: list[str]) -> AsyncIterator[Told]:
        yield Told(failures=failures)


def format_error(error: GraphQLError) -> dict[str, Any]:
    return {"message": error.message, "path": error.path}


async def opened(source: Numbers, query: str = "subscription { numbers }") -> ResponseStream:
    schema = strawberry.Schema(Query, None, Subscription)._schema
    engine = Engine(
        schema,
        format_error=format_error,
        may_pass=lambda error: isinstance(error, ConnectionError),
    )
    return await engine.subscribe(engine.prepare(GraphQLRequest(query)), source)


def number(response: bytes | None) -> Any:
    return orjson.loads(response or b"")["data"]["numbers"]


async def test_what_is_there_is_pulled_and_what_comes_is_shared() -> None:
    source = Numbers(1, 2)
    heard: list[bytes] = []

    def listen(response: bytes) -> bool:
        heard.append(response)
        return len(heard) < 3

    async with aclosing(await opened(source)) as stream:
        assert [number(await stream.pull()) for _ in range(2)] == [1, 2]
        assert await stream.pull() is None
        sharing = asyncio.create_task(stream.share(listen))
        await source.is_shared.wait()
        for said in (3, 4, 5):
            await source.say(said)
        await sharing
        assert [number(response) for response in heard] == [3, 4, 5]
        assert number(await stream.pull()) == 5
    assert source.is_closed


async def test_a_source_that_fails_while_it_is_shared() -> None:
    source = Numbers()
    async with aclosing(await opened(source)) as stream:
        assert await stream.pull() is None
        source.failure = ValueError("over")
        sharing = asyncio.create_task(stream.share(lambda response: True))
        await source.is_shared.wait()
        source.refused.set()
        await sharing
        last = orjson.loads(await stream.pull() or b"")
        assert last == {"data": None, "errors": [{"message": "over", "path": ["numbers"]}]}
        with pytest.raises(StopAsyncIteration):
            await stream.pull()
    assert source.is_closed


async def test_an_event_that_cannot_be_executed_now_is_executed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_module, "_PAUSE_SECONDS", 0.01)
    query = "subscription { told(failures: []) { number } }"
    async with aclosing(await opened(Numbers(), query)) as stream:
        assert await stream.pull() == b'{"data":{"told":{"number":7}}}'


async def test_an_inbox_reads_again_what_it_could_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_MAX_BYTES", 60)
    source = Numbers(1)
    async with aclosing(Inbox(await opened(source))) as responses:
        assert number(await anext(responses)) == 1
        waiting = asyncio.ensure_future(anext(responses))
        await source.is_shared.wait()
        for said in range(2, 6):
            await source.say(said)
        assert number(await waiting) == 2
        # Two fit; the rest is pulled.
        assert [number(await anext(responses)) for _ in range(3)] == [3, 4, 5]
    assert source.is_closed


async def test_an_inbox_that_is_closed_while_it_waits() -> None:
    source = Numbers()
    responses = Inbox(await opened(source))
    waiting = asyncio.ensure_future(anext(responses))
    await source.is_shared.wait()
    waiting.cancel()
    await responses.aclose()
    assert source.is_closed
