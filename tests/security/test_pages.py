"""What browsers are told, and what other sites cannot make them do."""

import re

import httpx
import pytest
import redis

from tests.security.callers import LOG_IN, RESPONSE_JSON, bearer, errors, post
from tests.security.conftest import Started
from tests.servers import start_server

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LOG_OUT = {"query": "mutation { logout { user { id } } }"}
QUERY = {"query": "{ me { id } }"}
INTERNAL = re.compile(
    r"Traceback|\.py\b|\bline \d|site-packages|starlette|uvicorn|graphql-core|strawberry|redis|"
    r"valkey|hiredis|orjson|pydantic|asyncio|username:|total_users|WRONGTYPE|codec|0x[0-9a-f]{6}",
    re.IGNORECASE,
)


def test_headers_of_every_answer(started: Started) -> None:
    server = started(TRUSTED_PROXIES="127.0.0.1")
    for scheme in ("http", "https"):
        with httpx.Client(base_url=server.url, headers={"x-forwarded-proto": scheme}) as client:
            for answer in (
                client.get("/", headers=BROWSER),
                client.get("/graphql", headers=BROWSER),
                client.get("/graphql", params=QUERY),
                client.post("/graphql", json=QUERY),
                client.post("/graphql", content=b"x"),
                client.get("/healthz"),
                client.get("/nowhere"),
                client.put("/healthz"),
                client.get("/assets/nowhere.js"),
            ):
                headers = answer.headers
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["referrer-policy"] == "same-origin"
                assert "camera=()" in headers["permissions-policy"]
                assert headers["cross-origin-opener-policy"] == "same-origin"
                assert "frame-ancestors 'none'" in headers["content-security-policy"]
                assert "server" not in headers
                secured = headers.get("strict-transport-security")
                assert secured == ("max-age=31536000" if scheme == "https" else None)


def test_scripts_of_pages(started: Started) -> None:
    """Neither page may run a script that is not a file of ours."""
    server = started()
    for path in ("/", "/r/room:0", "/graphql"):
        answer = httpx.get(f"{server.url}{path}", headers=BROWSER)
        if answer.status_code == 503:
            pytest.fail("The pages are not built: `make client playground`.", pytrace=False)
        policy = dict(
            directive.split(" ", 1)
            for directive in answer.headers["content-security-policy"].split("; ")
        )
        assert policy.get("script-src", policy["default-src"]) == "'self'"
        assert policy["object-src"] == policy["base-uri"] == "'none'"
        for script in re.findall(r"<script[^>]*>", answer.text):
            assert re.search(r'src="/[^/]', script)


def test_private_answers_are_kept_by_nobody(started: Started) -> None:
    server = started()
    headers = bearer(server)
    for answer in (
        post(server, LOG_IN),
        post(server, "{ me { id } }", headers=headers),
        post(server, "{ nothing }", headers=headers),
        httpx.get(f"{server.url}/graphql", params=QUERY, headers=headers),
        httpx.get(f"{server.url}/healthz"),
        httpx.get(f"{server.url}/readyz"),
    ):
        assert answer.headers["cache-control"] == "no-store"
    stream = {"accept": "text/event-stream", **headers}
    live = {"query": "subscription { presenceChanged { id } }"}
    with httpx.stream("POST", f"{server.url}/graphql", json=live, headers=stream) as answer:
        assert answer.headers["cache-control"] == "no-store"


def test_other_sites_forms_and_links(started: Started) -> None:
    server = started()
    cookie = {"cookie": post(server, LOG_IN).headers["set-cookie"].partition(";")[0]}
    url = f"{server.url}/graphql"
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        forged = {**cookie, "origin": "https://evil.example", "content-type": content_type}
        answer = httpx.post(
            url, content=b'{"query": "mutation { logout { user { id } } }"}', headers=forged
        )
        assert (answer.status_code, errors(answer)[0][0]) == (415, "BAD_USER_INPUT")
    assert (
        httpx.get(url, params={"query": "mutation { logout { user { id } } }"}).status_code == 405
    )
    refused = httpx.get(url, params=QUERY, headers={**cookie, "sec-fetch-site": "cross-site"})
    assert (refused.status_code, errors(refused)[0][0]) == (403, "FORBIDDEN")
    assert httpx.get(url, params=QUERY, headers=cookie).status_code == 403
    for asked in ("apollo-require-preflight", "x-apollo-operation-name"):
        answer = httpx.get(url, params=QUERY, headers={**cookie, asked: "1"})
        assert answer.json() == {"data": {"me": {"id": "user:1"}}}
    own = httpx.get(url, params=QUERY, headers={**cookie, "content-type": "application/json"})
    assert own.json() == {"data": {"me": {"id": "user:1"}}}
    assert httpx.get(url, params=QUERY).json() == {"data": {"me": None}}


def preflight(url: str, origin: str) -> httpx.Response:
    return httpx.options(
        f"{url}/graphql",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type, apollo-require-preflight",
        },
    )


def test_other_sites_scripts(started: Started) -> None:
    """CORS is off; where it is on, only for the origins that are named."""
    closed, open_ = started(), started(ALLOWED_ORIGINS="https://chat.example")
    for server, origin, is_allowed in (
        (closed, "https://chat.example", False),
        (open_, "https://evil.example", False),
        (open_, "null", False),
        (open_, "https://chat.example", True),
    ):
        asked = preflight(server.url, origin)
        answered = post(server, "{ __typename }", headers={"origin": origin})
        for answer in (asked, answered):
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (origin if is_allowed else None)
        assert asked.is_success == is_allowed
    assert (
        post(open_, "{ __typename }", headers={"origin": "https://chat.example"}).headers[
            "access-control-allow-credentials"
        ]
        == "true"
    )


def test_the_playground_can_be_switched_off(started: Started) -> None:
    server = started(PLAYGROUND="off")
    assert "Playground" not in server.output
    page = httpx.get(f"{server.url}/graphql", headers=BROWSER)
    assert page.status_code == 400
    assert "html" not in page.headers["content-type"]
    assert httpx.get(f"{server.url}/playground/assets/index.js").status_code == 404
    assert post(server, "{ __typename }").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/assets/%00"),
        ("GET", "/assets/" + "x" * 5_000),
        ("GET", "/assets/..%2f..%2fapp.py"),
        ("GET", "/assets/%ff"),
        ("GET", "/playground/assets/%00"),
        ("GET", "/r/%00%ff"),
        ("DELETE", "/graphql"),
        ("POST", "/healthz"),
        ("GET", "/graphql?query=%ff%00"),
        ("GET", '/graphql?query={node(id:"%00"){id}}'),
        ("GET", "/graphql?query={me{id}}&variables=\\"),
    ],
)
def test_nothing_internal_in_answers(started: Started, method: str, path: str) -> None:
    server = started()
    for accept in ("*/*", RESPONSE_JSON, "text/html"):
        answer = httpx.request(method, f"{server.url}{path}", headers={"accept": accept})
        assert answer.status_code < 500 or answer.status_code == 503
        if "html" not in answer.headers.get("content-type", ""):
            assert not INTERNAL.search(answer.text), answer.text


def test_an_unexpected_error_has_an_id_that_is_in_the_log(embedded_url: str) -> None:
    server = start_server({"REDIS_ENDPOINT_URL": embedded_url})
    try:
        headers = bearer(server)
        with redis.Redis.from_url(embedded_url) as client:
            client.delete("user:2")
            client.set("user:2", "no hash")
        query = '{ user(id: "user:2") { username } }'
        answer = post(server, query, headers=headers)
        [error] = answer.json()["errors"]
        error_id = error["extensions"].pop("id")
        assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
        assert error["message"] == "Internal server error."
        assert not INTERNAL.search(answer.text)
    finally:
        server.stop()
    assert re.search(f"{error_id}.*Traceback", server.output)
