"""GraphQL over HTTP on a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from application.transports.gateway import Refused
from tests.unit.transports.toy import Toy

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@pytest.fixture
async def client(toy: Toy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{toy.port}") as client:
        yield client


async def post(
    client: httpx.AsyncClient, query: str, accept: str = RESPONSE_JSON, **parameters: Any
) -> httpx.Response:
    return await client.post(
        "/graphql", json={"query": query, **parameters}, headers={"accept": accept}
    )


def only_error(response: httpx.Response) -> tuple[str, str]:
    [error] = response.json()["errors"]
    return error["extensions"]["code"], error["message"]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE_JSON, RESPONSE_JSON),
        (f"{RESPONSE_JSON}, {JSON};q=0.9", RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.5, {JSON};q=0.9", JSON),
        (URQL, RESPONSE_JSON),
        (BROWSER, JSON),
        ("application/json, text/event-stream", JSON),
    ],
)
async def test_media_type(client: httpx.AsyncClient, accept: str | None, content_type: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    if accept is None:
        del client.headers["accept"]
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{content_type}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: String!) { hello(name: $n) }", {"n": 7}, "BAD_USER_INPUT"),
    ],
)
async def test_request_errors(
    client: httpx.AsyncClient, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    for accept, status in ((RESPONSE_JSON, 400), (JSON, 200)):
        response = await post(client, query, accept, variables=variables)
        assert response.status_code == status
        assert only_error(response)[0] == code
        assert "data" not in response.json()


async def test_errors_of_fields_are_no_request_errors(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ broken }")
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert only_error(response) == ("INTERNAL_SERVER_ERROR", "Masked.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b'"x"',
        b"null",
        b"[]",
        b'[{"query": "{ hello }"}]',
        b"{",
        b"NaN",
        b"\xff",
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b"[" * 100_000,
        b"{}",
        b'{"query": 7}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "operationName": 7}',
        b'{"query": "{ hello }", "extensions": "x"}',
    ],
)
async def test_malformed_bodies(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/graphql", content=body, headers={"content-type": JSON})
    assert response.status_code == 400
    assert only_error(response)[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ],
)
async def test_other_content_types(client: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert response.status_code == 415
    assert only_error(response)[0] == "BAD_USER_INPUT"


async def test_content_type_with_charset(client: httpx.AsyncClient) -> None:
    headers = {"content-type": 'Application/JSON; charset="UTF-8"'}
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert response.status_code == 200


async def test_body_limit(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 100_000

    response = await client.post("/graphql", content=chunks(), headers={"content-type": JSON})
    assert response.status_code == 413
    assert only_error(response)[0] == "BAD_USER_INPUT"


async def test_get(client: httpx.AsyncClient) -> None:
    parameters = {
        "query": "query A($n: String!) { hello(name: $n) } query B { hello }",
        "variables": '{"n": "Ann"}',
        "operationName": "A",
        "extensions": "{}",
    }
    response = await client.get("/graphql", params=parameters)
    assert response.json() == {"data": {"hello": "Hello Ann"}}


async def test_empty_parameters_of_get_are_absent(client: httpx.AsyncClient) -> None:
    parameters = {"query": "query A { hello }", "operationName": "", "variables": ""}
    assert (await client.get("/graphql", params=parameters)).status_code == 200


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["{", "7", "[]"])
async def test_malformed_parameters_of_get(
    client: httpx.AsyncClient, name: str, value: str
) -> None:
    response = await client.get("/graphql", params={"query": "{ hello }", name: value})
    assert response.status_code == 400
    assert only_error(response)[0] == "BAD_USER_INPUT"


async def test_no_mutation_by_get(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "mutation { login }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("accept", ["text/plain", "application/json;q=0", "image/*"])
async def test_not_acceptable(client: httpx.AsyncClient, accept: str) -> None:
    response = await post(client, "{ hello }", accept)
    assert response.status_code == 406
    assert only_error(response)[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize("accept", ["*/*", JSON, RESPONSE_JSON])
async def test_subscription_without_event_stream(client: httpx.AsyncClient, accept: str) -> None:
    response = await post(client, "subscription { count }", accept)
    assert response.status_code == 406
    assert "text/event-stream" in only_error(response)[1]


async def test_headers_of_the_context(client: httpx.AsyncClient) -> None:
    response = await post(client, "mutation { login }")
    assert response.headers["set-cookie"] == "session=1; HttpOnly"


async def test_browser_gets_the_playground(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"accept": BROWSER})
    assert response.text == "<h1>Playground</h1>"
    response = await client.get(
        "/graphql", params={"query": "{ hello }"}, headers={"accept": BROWSER}
    )
    assert response.json() == {"data": {"hello": "Hello world"}}
    response = await client.get("/graphql", headers={"accept": "*/*"})
    assert response.status_code == 400


async def test_refused(client: httpx.AsyncClient, toy: Toy) -> None:
    toy.gateway.failure = Refused(4403, "Session expired")
    response = await post(client, "{ hello }")
    assert response.status_code == 401
    assert only_error(response) == ("UNAUTHENTICATED", "Session expired")


@pytest.mark.parametrize("accept", [JSON, RESPONSE_JSON])
async def test_unknown_exception(
    client: httpx.AsyncClient, toy: Toy, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    toy.gateway.failure = ValueError("secret")
    with caplog.at_level(logging.ERROR):
        response = await post(client, "{ hello }", accept)
    assert response.status_code == 200
    assert only_error(response)[0] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in response.text
    assert "secret" in caplog.text


async def test_client_that_leaves_while_sending(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", toy.port)
    head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: 100\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
