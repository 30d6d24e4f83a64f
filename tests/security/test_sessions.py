"""Sessions: renewed, expiring, listed and ended."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
import redis
from gql.transport.exceptions import TransportError
from websockets.asyncio.client import connect

from tests.api.client import ACCEPT, User, subscription
from tests.security.accounts import LOG_IN, refusal
from tests.security.conftest import Serve, Visit
from tests.servers import Server

SESSIONS = "{ sessions { id createdAt lastUsedAt expiresAt device isCurrent } }"
END = "mutation($input: EndSessionInput!) { endSession(input: $input) { session { id } } }"
END_OTHERS = "mutation { endOtherSessions { sessions { id } } }"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
Aged = Callable[[User, int], None]
DAY = 24 * 3600
EVENTS = "subscription { events { __typename } }"
CREDENTIALS = {"username": "Mary", "password": "password123"}


async def me(user: User) -> str | None:
    viewer = (await user("{ me { username } }"))["me"]
    return None if viewer is None else str(viewer["username"])


def key_of(user: User) -> str:
    return f"parley:{{user:3}}:session:{hashlib.sha256(str(user.token).encode()).hexdigest()}"


@pytest.fixture
def aged(store_url: str) -> Aged:
    """Makes so many seconds pass for the session of a user's token."""

    def age(user: User, seconds: int) -> None:
        with redis.Redis.from_url(store_url) as client:
            record = json.loads(client.get(key_of(user)))
            older = {
                name: record[name] - seconds for name in ("created", "used", "expires", "ends")
            }
            left = client.pttl(key_of(user)) - seconds * 1000
            client.set(key_of(user), json.dumps({**record, **older}), px=max(1, left))
            if left <= 0:
                client.delete(key_of(user))  # As its expiry does.

    return age


async def end_of(stream: AsyncGenerator[dict[str, Any]]) -> str:
    """Why a subscription ends, which it has to."""
    async with asyncio.timeout(20):
        try:
            async for _ in stream:
                pass
        except TransportError as error:
            return f"{error!r} {error.__cause__!r}"
    return "completed"


def browser(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=server.url, headers={"accept": ACCEPT, "user-agent": FIREFOX}, timeout=30
    )


async def ask(browser: httpx.AsyncClient, document: str, **variables: Any) -> httpx.Response:
    return await browser.post("/graphql", json={"query": document, "variables": variables})


async def test_a_log_in_is_always_a_new_token(serve: Serve, visit: Visit) -> None:
    server = serve()
    tokens = {(await visit(server).log_in("Mary")).token for _ in range(5)}
    assert len(tokens) == 5


async def test_a_log_in_ends_the_browsers_old_session(serve: Serve, visit: Visit) -> None:
    server = serve()
    async with browser(server) as firefox:

        async def log_in(name: str) -> User:
            user = visit(server)
            response = await ask(firefox, LOG_IN, input={**CREDENTIALS, "username": name})
            user.token = response.json()["data"]["login"]["token"]
            return user

        program = await visit(server).log_in("Mary")
        old, new = await log_in("Mary"), await log_in("Mary")
        assert [await me(user) for user in (program, old, new)] == ["Mary", None, "Mary"]
        # Somebody else's session is not the one that is renewed.
        joe = await log_in("Joe")
        assert [await me(user) for user in (new, joe)] == ["Mary", "Joe"]
        viewer = (await ask(firefox, "{ me { username } }")).json()["data"]["me"]
        assert viewer == {"username": "Joe"}


async def test_a_session_that_is_used_lasts_on(serve: Serve, visit: Visit, aged: Aged) -> None:
    server = serve()
    used, unused = await visit(server).log_in("Mary"), await visit(server).log_in("Mary")
    for _ in range(5):
        aged(used, 29 * DAY)
        assert await me(used) == "Mary"
    aged(unused, 31 * DAY)
    assert await me(unused) is None


async def test_it_ends_however_much_it_is_used(serve: Serve, visit: Visit, aged: Aged) -> None:
    mary = await visit(serve(SESSION_MAX_SECONDS=str(50 * DAY))).log_in("Mary")
    aged(mary, 29 * DAY)
    assert await me(mary) == "Mary"
    aged(mary, 20 * DAY)
    assert await me(mary) == "Mary"
    aged(mary, 2 * DAY)
    assert await me(mary) is None


async def test_using_it_writes_it_seldom(
    serve: Serve, visit: Visit, aged: Aged, store_url: str
) -> None:
    mary = await visit(serve()).log_in("Mary")
    with redis.Redis.from_url(store_url) as client:
        before = client.get(key_of(mary))
        for _ in range(5):
            assert await me(mary) == "Mary"
        assert client.get(key_of(mary)) == before
        aged(mary, 3700)
        assert await me(mary) == "Mary"
        assert json.loads(client.get(key_of(mary)))["used"] >= json.loads(before)["used"]


async def test_the_cookie_lasts_as_long_as_the_session(
    serve: Serve, visit: Visit, aged: Aged
) -> None:
    server = serve()
    async with browser(server) as firefox:
        logged_in = await ask(firefox, LOG_IN, input=CREDENTIALS)
        cookie = logged_in.headers["set-cookie"]
        assert re.search(f"Max-Age=({30 * DAY}|{30 * DAY - 1});", cookie)
        assert "set-cookie" not in (await ask(firefox, "{ me { id } }")).headers
        program = visit(server)
        program.token = logged_in.json()["data"]["login"]["token"]
        aged(program, 20 * DAY)
        renewed = (await ask(firefox, "{ me { id } }")).headers["set-cookie"]
        assert renewed.partition(";")[0] == cookie.partition(";")[0]
        assert re.search(f"Max-Age=({30 * DAY}|{30 * DAY - 1});", renewed)
        # Whoever brings the token along by himself gets no cookie.
        aged(program, 20 * DAY)
        response = await program.http.post(
            "/graphql", json={"query": "{ me { id } }"}, headers=program.headers
        )
        assert response.json()["data"]["me"] is not None
        assert "set-cookie" not in response.headers


async def test_live_subscriptions_end_when_the_session_expires(serve: Serve, visit: Visit) -> None:
    mary = await visit(serve(SESSION_TTL_SECONDS="3")).log_in("Mary")
    async with mary.socket() as socket:
        stream = socket.subscribe(subscription(EVENTS))
        await anext(stream)
        ended = asyncio.create_task(end_of(stream))
        for _ in range(9):
            await asyncio.sleep(0.5)
            # What is used lasts on, and so do the subscriptions that hang on it.
            if await me(mary) is not None:
                assert not ended.done()
        assert "4403" in await ended
    assert await me(mary) is None


async def test_sessions_are_listed(serve: Serve, visit: Visit) -> None:
    server = serve()
    await visit(server).log_in("Joe")
    program = visit(server)
    program.http.headers["user-agent"] = "my-bot/1.0 é" + "x" * 500
    await program.log_in("Mary")
    async with browser(server) as firefox:
        await ask(firefox, LOG_IN, input=CREDENTIALS)
        listed = (await ask(firefox, SESSIONS)).json()["data"]["sessions"]
    assert [(each["device"][:18], each["isCurrent"]) for each in listed] == [
        ("Firefox on Linux", True),
        ("my-bot/1.0  xxxxxx", False),
    ]
    assert all(len(each["device"]) <= 60 for each in listed)
    assert all(each["createdAt"] <= each["lastUsedAt"] < each["expiresAt"] for each in listed)
    hashed = hashlib.sha256(str(program.token).encode()).hexdigest()
    assert listed[1]["id"] not in str(program.token)
    assert listed[1]["id"] not in hashed


async def test_one_session_is_ended(serve: Serve, visit: Visit) -> None:
    server = serve()
    here, there = await visit(server).log_in("Mary"), await visit(server).log_in("Mary")
    (other,) = [each["id"] for each in (await here(SESSIONS))["sessions"] if not each["isCurrent"]]
    joe = await visit(server).log_in("Joe")
    assert (await refusal(joe, END, input={"sessionId": other}))["extensions"]["code"] == (
        "NOT_FOUND"
    )
    async with there.socket() as socket:
        stream = socket.subscribe(subscription(EVENTS))
        await anext(stream)
        assert (await here(END, input={"sessionId": other}))["endSession"]["session"] == {
            "id": other
        }
        assert "4401" in await end_of(stream)
    assert await me(there) is None
    assert await me(here) == "Mary"
    assert len((await here(SESSIONS))["sessions"]) == 1


@pytest.mark.parametrize("session_id", ["", "*", "x" * 5000, "session:1", "{user:3}"])
async def test_ids_of_no_session(
    server_without_limits: Server, visit: Visit, session_id: str
) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    error = await refusal(mary, END, input={"sessionId": session_id})
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert await me(mary) == "Mary"


async def test_all_others_are_ended(serve: Serve, visit: Visit) -> None:
    server = serve()
    users = [await visit(server).log_in("Mary") for _ in range(4)]
    joe = await visit(server).log_in("Joe")
    ended = (await users[2](END_OTHERS))["endOtherSessions"]["sessions"]
    assert len(ended) == 3
    assert [await me(user) for user in users] == [None, None, "Mary", None]
    assert await me(joe) == "Joe"


async def test_to_end_the_own_session_is_to_log_out(serve: Serve) -> None:
    async with browser(serve()) as firefox:
        await ask(firefox, LOG_IN, input=CREDENTIALS)
        (own,) = (await ask(firefox, SESSIONS)).json()["data"]["sessions"]
        response = await ask(firefox, END, input={"sessionId": own["id"]})
        assert "Max-Age=0" in response.headers["set-cookie"]
        assert (await ask(firefox, "{ me { id } }")).json()["data"] == {"me": None}


async def test_a_user_has_so_many_sessions_at_most(serve: Serve, visit: Visit) -> None:
    server = serve(SESSIONS_PER_USER="3")
    users = [await visit(server).log_in("Mary") for _ in range(5)]
    assert [await me(user) for user in users] == [None, None, "Mary", "Mary", "Mary"]
    assert len((await users[-1](SESSIONS))["sessions"]) == 3


async def test_sessions_are_for_who_is_logged_in(
    server_without_limits: Server, visit: Visit
) -> None:
    nobody = visit(server_without_limits)
    for document in (
        SESSIONS,
        END_OTHERS,
        'mutation { endSession(input: {sessionId: "x"}) { __typename } }',
    ):
        assert (await refusal(nobody, document))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_in_an_address_is_none(server_without_limits: Server, visit: Visit) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    nobody = visit(server_without_limits)
    names = ("token", "access_token", "authorization", "Authorization", "parley_session", "auth")
    for name in names:
        for value in (str(mary.token), f"Bearer {mary.token}"):
            response = await nobody.http.get(
                "/graphql", params={"query": "{ me { id } }", name: value}
            )
            assert response.json()["data"] == {"me": None}, name
    extensions = {"token": mary.token, "authorization": f"Bearer {mary.token}"}
    response = await nobody.http.post(
        "/graphql", json={"query": "{ me { id } }", "extensions": extensions, **extensions}
    )
    assert response.json()["data"] == {"me": None}


async def test_nor_is_one_in_a_sockets_address(server_without_limits: Server, visit: Visit) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    address = server_without_limits.url.replace("http", "ws", 1) + "/graphql"
    async with connect(
        f"{address}?token={mary.token}&access_token={mary.token}&authorization=Bearer+{mary.token}",
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.send('{"type":"subscribe","id":"1","payload":{"query":"{ me { id } }"}}')
        frames = [json.loads(await socket.recv()) for _ in range(2)]
    assert frames[1]["payload"]["data"] == {"me": None}


async def test_a_failed_log_in_leaves_the_session_alone(serve: Serve) -> None:
    async with browser(serve()) as firefox:
        await ask(firefox, LOG_IN, input=CREDENTIALS)
        failed = await ask(firefox, LOG_IN, input={**CREDENTIALS, "password": "wrong"})
        assert "set-cookie" not in failed.headers
        assert (await ask(firefox, "{ me { username } }")).json()["data"]["me"] == {
            "username": "Mary"
        }
