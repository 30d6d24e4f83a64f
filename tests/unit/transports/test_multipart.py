"""Subscriptions over multipart HTTP on a real server."""

import asyncio
from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesParser
from typing import Any

import httpx
import orjson
import pytest

from application.transports import streams
from application.transports.gateway import Refused
from tests.unit.transports.toy import Toy, ask, heard

APOLLO = 'multipart/mixed;subscriptionSpec="1.0", application/json'


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(headers={"accept": APOLLO}) as client:
        yield client


def parts(response: httpx.Response) -> list[Any]:
    """The bodies of the parts, as the standard library finds them."""
    head = f"content-type: {response.headers['content-type']}\r\n\r\n".encode()
    message: Message[Any, Any] = BytesParser().parsebytes(head + response.content)
    assert not message.defects
    bodies = []
    for part in message.walk():
        if not part.is_multipart():
            assert part.get_content_type() == "application/json"
            bodies.append(orjson.loads(str(part.get_payload())))
    return bodies


async def test_subscription(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await ask(client, toy, "subscription { count(to: 2) }")
    assert response.status_code == 200
    assert response.headers["content-type"] == (
        'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'
    )
    assert response.headers["cache-control"] == "no-store"
    head = b"\r\ncontent-type: application/json\r\n\r\n"
    assert response.content == (
        b"\r\n--graphql" + head + b"{}\r\n--graphql"
        + head + b'{"payload":{"data":{"count":0}}}\r\n--graphql'
        + head + b'{"payload":{"data":{"count":1}}}\r\n--graphql--\r\n'
    )  # fmt: skip
    assert parts(response) == [
        {},
        {"payload": {"data": {"count": 0}}},
        {"payload": {"data": {"count": 1}}},
    ]


@pytest.mark.parametrize("accept", ["multipart/mixed", 'multipart/mixed;subscriptionSpec="2.0"'])
async def test_only_this_version(toy: Toy, accept: str) -> None:
    async with httpx.AsyncClient(headers={"accept": f"{accept}, application/json"}) as client:
        response = await ask(client, toy, "subscription { count }")
    assert response.status_code == 406


@pytest.mark.parametrize("accept", [APOLLO, "multipart/mixed;boundary=x;subscriptionSpec=1.0"])
async def test_what_is_no_subscription_comes_as_json(toy: Toy, accept: str) -> None:
    async with httpx.AsyncClient(headers={"accept": accept}) as client:
        response = await ask(client, toy, "{ hello }")
        assert response.headers["content-type"].startswith("application/json")
        assert response.json() == {"data": {"hello": "Hello world"}}
        response = await ask(client, toy, "subscription { nothing }")
        assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_variables_that_do_not_fit(client: httpx.AsyncClient, toy: Toy) -> None:
    response = await ask(client, toy, "subscription ($to: Int!) { count(to: $to) }")
    opening, last = parts(response)
    assert opening == {}
    assert last["payload"]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_operation_fails(client: httpx.AsyncClient, toy: Toy) -> None:
    _, first, last = parts(await ask(client, toy, "subscription { failing }"))
    assert first == {"payload": {"data": {"failing": 1}}}
    assert last["payload"]["data"] is None
    assert last["payload"]["errors"][0]["message"] == "Masked."


async def test_the_connection_is_refused(client: httpx.AsyncClient, toy: Toy) -> None:
    toy.gateway.failure = Refused(4403, "Session expired")
    _, last = parts(await ask(client, toy, "subscription { count }"))
    error = {"message": "Session expired", "extensions": {"code": "UNAUTHENTICATED"}}
    assert last == {"payload": None, "errors": [error]}


async def test_the_session_ends(client: httpx.AsyncClient, toy: Toy) -> None:
    asking = asyncio.create_task(ask(client, toy, "subscription { silence }"))
    await heard("started")
    toy.gateway.sessions[0].ended.set_result((1012, "server stopping"))
    _, last = parts(await asking)
    error = {"message": "server stopping", "extensions": {"code": "UNAVAILABLE"}}
    assert last == {"payload": None, "errors": [error]}
    await heard("closed")


async def test_heartbeats(
    client: httpx.AsyncClient, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PING_SECONDS", 0.05)
    body = {"query": "subscription { silence }"}
    async with client.stream("POST", toy.http, json=body) as response:
        read = b""
        async for chunk in response.aiter_raw():
            read += chunk
            if read.count(b"\r\n\r\n{}\r\n--graphql") == 3:
                break
