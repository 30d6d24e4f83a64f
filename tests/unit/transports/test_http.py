"""GraphQL over HTTP on a real server."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import orjson
import pytest

from application.transports.gateway import Refused
from tests.unit.transports.toy import Toy, serving

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


async def test_compressed_bodies(client: httpx.AsyncClient) -> None:
    body = gzip.compress(b'{"query": "{ hello }"}')
    headers = {"content-type": JSON, "content-encoding": "gzip"}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"
    assert only_error(response)[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"content-type": "text/plain"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"apollo-require-preflight": ""}, 403),
        ({"apollo-require-preflight": "true"}, 200),
        ({"x-apollo-operation-name": "A"}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"authorization": "Bearer x"}, 200),
    ],
)
async def test_a_get_with_a_cookie_is_not_another_sites(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    response = await client.get(
        "/graphql", params={"query": "{ hello }"}, headers={"cookie": "session=1", **headers}
    )
    assert response.status_code == status
    if status == 403:
        assert only_error(response) == (
            "FORBIDDEN",
            "With a cookie, send the content type application/json or the header"
            " apollo-require-preflight.",
        )


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


# Documents by their hash


def by_hash(query: str, version: int = 1) -> dict[str, Any]:
    name = sha256(query.encode()).hexdigest()
    return {"persistedQuery": {"version": version, "sha256Hash": name}}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_persisted_queries(client: httpx.AsyncClient, method: str) -> None:
    async def ask(**request: Any) -> httpx.Response:
        headers = {"accept": RESPONSE_JSON}
        if method == "POST":
            return await client.post("/graphql", json=request, headers=headers)
        request["extensions"] = orjson.dumps(request["extensions"]).decode()
        return await client.get("/graphql", params=request, headers=headers)

    query = "{ hello }"
    response = await ask(extensions=by_hash(query))
    assert response.status_code == 400
    assert only_error(response) == ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    response = await ask(query=query, extensions=by_hash("{ other }"))
    assert (response.status_code, only_error(response)[0]) == (400, "BAD_USER_INPUT")
    for request in ({"query": query}, {}):
        response = await ask(**request, extensions=by_hash(query))
        assert response.json() == {"data": {"hello": "Hello world"}}
    response = await ask(extensions=by_hash(query, version=2))
    assert only_error(response)[0] == "PERSISTED_QUERY_NOT_SUPPORTED"


async def test_no_persisted_mutation_by_get(client: httpx.AsyncClient) -> None:
    query = "mutation { login }"
    assert (await post(client, query, extensions=by_hash(query))).status_code == 200
    client.cookies.clear()
    parameters = {"extensions": orjson.dumps(by_hash(query)).decode()}
    assert (await client.get("/graphql", params=parameters)).status_code == 405


# Batches


@pytest.fixture
async def batches() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(max_batch_size=3) as toy,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{toy.port}") as client,
    ):
        yield client


async def test_a_batch_is_answered_in_its_order(batches: httpx.AsyncClient) -> None:
    batch = [{"query": "mutation { login }"}, {"query": "{ late }"}, {"query": "{ hello }"}]
    response = await batches.post("/graphql", json=batch)
    assert response.status_code == 200
    assert response.json() == [
        {"data": {"login": True}},
        {"data": {"late": "late"}},
        {"data": {"hello": "Hello world"}},
    ]
    assert response.headers["set-cookie"] == "session=1; HttpOnly"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (7, "BAD_USER_INPUT"),
        ({}, "BAD_USER_INPUT"),
        ([{"query": "{ hello }"}], "BAD_USER_INPUT"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ broken }"}, "INTERNAL_SERVER_ERROR"),
        ({"query": "subscription { count }"}, "BAD_USER_INPUT"),
        ({"extensions": by_hash("{ unheard }")}, "PERSISTED_QUERY_NOT_FOUND"),
    ],
)
async def test_each_request_of_a_batch_has_its_own_errors(
    batches: httpx.AsyncClient, item: Any, code: str
) -> None:
    response = await batches.post("/graphql", json=[item, {"query": "{ hello }"}])
    assert response.status_code == 200
    failed, fine = response.json()
    assert [error["extensions"]["code"] for error in failed["errors"]] == [code]
    assert fine == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize("size", [0, 4])
async def test_batches_are_bounded(batches: httpx.AsyncClient, size: int) -> None:
    response = await batches.post("/graphql", json=[{"query": "{ hello }"}] * size)
    assert response.status_code == 400
    assert only_error(response) == ("BAD_USER_INPUT", "A batch has 1 to 3 requests.")


async def test_batches_are_off_unless_set(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json=[{"query": "{ hello }"}])
    assert response.status_code == 400
    assert "one request at a time" in only_error(response)[1]
