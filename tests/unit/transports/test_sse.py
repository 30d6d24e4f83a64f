"""GraphQL over Server-Sent Events on a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from application.transports import streams
from application.transports.gateway import Refused
from tests.unit.transports.test_http import URQL
from tests.unit.transports.toy import Toy, ask, heard

EVENT_STREAM = "text/event-stream"
COMPLETE = "event: complete\ndata: \n\n"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers={"accept": EVENT_STREAM}) as client:
        yield client


def results(text: str) -> list[Any]:
    """The results in a complete stream, whose framing is checked."""
    *events, complete, rest = text.split("\n\n")
    assert (complete, rest) == ("event: complete\ndata: ", "")
    prefix = "event: next\ndata: "
    assert all(event.startswith(prefix) for event in events)
    return [orjson.loads(event.removeprefix(prefix)) for event in events]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_subscription(client: httpx.AsyncClient, toy: Toy, method: str) -> None:
    query = {"query": "subscription { count(to: 2) }"}
    if method == "GET":
        response = await client.get(toy.http, params=query)
    else:
        response = await client.post(toy.http, json=query)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.text == (
        'event: next\ndata: {"data":{"count":0}}\n\n'
        'event: next\ndata: {"data":{"count":1}}\n\n' + COMPLETE
    )
    assert toy.gateway.payloads == [None]
    assert toy.gateway.sessions[0].closed


async def test_the_id_of_an_event_is_its_cursor(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await ask(client, toy, "subscription { places { __typename } }")
    event = 'event: next\ndata: {"data":{"places":{"__typename":"Place"}}}\n\n'
    assert response.text == f"id: c1\n{event}{event}id: c3\n{event}{COMPLETE}"


async def test_query_and_mutation(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await ask(client, toy, "{ hello }")
    assert results(response.text) == [{"data": {"hello": "Hello world"}}]
    response = await ask(client, toy, "mutation { login }")
    assert results(response.text) == [{"data": {"login": True}}]
    assert response.headers["set-cookie"] == "session=1; HttpOnly"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($to: Int!) { count(to: $to) }", "BAD_USER_INPUT"),
    ],
)
async def test_request_errors_come_as_events(
    client: httpx.AsyncClient, toy: Toy, query: str, code: str
) -> None:
    response = await ask(client, toy, query)
    assert response.status_code == 200
    [result] = results(response.text)
    assert [error["extensions"]["code"] for error in result["errors"]] == [code]
    assert "data" not in result


async def test_urql(toy: Toy) -> None:
    async with httpx.AsyncClient(headers={"accept": URQL}) as client:
        response = await ask(client, toy, "{ hello }")
        assert response.headers["content-type"].startswith("application/graphql-response+json")
        response = await ask(client, toy, "subscription { count(to: 1) }")
        assert results(response.text) == [{"data": {"count": 0}}]


async def test_mutation_by_get(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await client.get(toy.http, params={"query": "mutation { login }"})
    assert response.status_code == 405


async def test_malformed_request_is_no_stream(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await client.post(toy.http, json=7)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/json")


async def test_failing_stream(client: httpx.AsyncClient, toy: Toy) -> None:
    first, last = results((await ask(client, toy, "subscription { failing }")).text)
    assert first == {"data": {"failing": 1}}
    assert last["data"] is None
    assert last["errors"][0]["message"] == "Masked."


async def test_refused(client: httpx.AsyncClient, toy: Toy) -> None:
    toy.gateway.failure = Refused(4403, "Session expired")
    [result] = results((await ask(client, toy, "subscription { count }")).text)
    assert result["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_unknown_exception(
    client: httpx.AsyncClient, toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    toy.gateway.failure = ValueError("secret")
    [result] = results((await ask(client, toy, "subscription { count }")).text)
    assert result["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" in caplog.text


async def test_unknown_exception_of_a_query(client: httpx.AsyncClient, toy: Toy) -> None:
    toy.gateway.failure = ValueError("secret")
    [result] = results((await ask(client, toy, "{ hello }")).text)
    assert result["data"] is None
    assert result["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize("subscription", ["ticks", "silence"])
async def test_client_that_leaves(
    client: httpx.AsyncClient, toy: Toy, subscription: str, caplog: pytest.LogCaptureFixture
) -> None:
    query = {"query": f"subscription {{ {subscription} }}"}
    async with client.stream("POST", toy.http, json=query):
        await heard("started")
    await heard("closed")
    await asyncio.sleep(0.05)
    assert toy.gateway.sessions[0].closed
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (4401, "Logged out", "UNAUTHENTICATED"),
        (4403, "Session expired", "UNAUTHENTICATED"),
        (1012, "The server restarts", "UNAVAILABLE"),
    ],
)
async def test_session_that_ends(
    client: httpx.AsyncClient, toy: Toy, code: int, reason: str, expected: str
) -> None:
    asking = asyncio.create_task(ask(client, toy, "subscription { silence }"))
    await heard("started")
    toy.gateway.sessions[0].ended.set_result((code, reason))
    [result] = results((await asking).text)
    [error] = result["errors"]
    assert (error["message"], error["extensions"]["code"]) == (reason, expected)
    await heard("closed")


async def test_ping(client: httpx.AsyncClient, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)
    query = {"query": "subscription { silence }"}
    async with client.stream("POST", toy.http, json=query) as response:
        texts = response.aiter_text()
        assert await anext(texts) == ": ping\n\n"
        assert await anext(texts) == ": ping\n\n"


async def test_client_that_does_not_read(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.2)
    _, writer = await asyncio.open_connection("127.0.0.1", toy.port, limit=1)
    target = "/graphql?query=subscription%7Bflood%7D"
    writer.write(f"GET {target} HTTP/1.1\r\nhost: x\r\naccept: {EVENT_STREAM}\r\n\r\n".encode())
    await heard("closed", 10)
    assert toy.gateway.sessions[0].closed
    writer.transport.abort()
