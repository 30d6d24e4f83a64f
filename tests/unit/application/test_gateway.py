"""Credentials of requests and connections, and how a connection's session ends."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, cast

import pytest
from starlette.requests import HTTPConnection

from application.gateway import ChatGateway
from application.transports.gateway import Refused
from execution.engine import Engine
from services.accounts.sessions import Counted
from services.chat import Chat
from services.redis.store import Store

Connection = HTTPConnection[Any]


def connection(scheme: str = "http", **headers: str) -> Connection:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return HTTPConnection(
        {"type": "http", "scheme": scheme, "path": "/graphql", "query_string": b"", "headers": raw}
    )


def bearer(token: str) -> str:
    return f"Bearer {token}"


def cookie(token: str) -> str:
    return f"theme=dark; parley_session={token}"


@pytest.fixture
def gateway(chat: Chat) -> ChatGateway:
    # The engine is none of the gateway's business but to hand on.
    return ChatGateway(chat, cast(Engine, None))


@pytest.fixture
async def token(chat: Chat) -> str:
    token, _ = await chat.sessions.create("1")
    return token


async def is_online(chat: Chat, user_id: str) -> bool:
    (presence,) = await chat.presence.many([user_id])
    return presence.online


async def test_a_request_is_its_tokens_users(gateway: ChatGateway, token: str) -> None:
    for request in (
        connection(authorization=bearer(token)),
        connection(authorization=f"bearer  {token} "),
        connection(cookie=cookie(token)),
        connection(authorization="Basic cHJveHk6cHJveHk=", cookie=cookie(token)),
    ):
        context = await gateway.http_context(request)
        assert (await context.viewer()).user_id == "1"


async def test_a_request_without_a_token_that_holds_is_nobodys(
    gateway: ChatGateway, token: str
) -> None:
    for request in (
        connection(),
        connection(authorization=bearer("1." + "x" * 43)),
        connection(authorization=bearer("nonsense"), cookie=cookie(token)),
        connection(cookie=cookie("nonsense")),
        connection(cookie="parley_session="),
    ):
        context = await gateway.http_context(request)
        assert await context.optional_viewer() is None


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookies_go_into_the_response(gateway: ChatGateway, scheme: str) -> None:
    context = await gateway.http_context(connection(scheme))
    assert context.cookies is not None
    context.cookies.clear()
    ((name, value),) = context.response_headers
    assert name == "set-cookie"
    assert ("Secure" in value) == (scheme == "https")


async def test_a_connections_user_is_online(gateway: ChatGateway, chat: Chat, token: str) -> None:
    opened = [
        await gateway.open(connection(), {"authorization": bearer(token)}),
        await gateway.open(connection(), {"Authorization": bearer(token), "other": 1}),
        await gateway.open(connection(authorization=bearer(token)), None),
        await gateway.open(connection(cookie=cookie(token)), {}),
    ]
    for one in opened:
        assert (await one.context().viewer()).user_id == "1"
        assert await is_online(chat, "1")
        await one.close()
    assert not await is_online(chat, "1")


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_behind_tls_only_the_cookie_with_the_prefix_counts(
    gateway: ChatGateway, token: str, scheme: str
) -> None:
    opened = [
        await gateway.open(connection(scheme, cookie=f"__Host-{name}={token}"), None)
        for name in ("parley_session", "other")
    ]
    opened.append(await gateway.open(connection(scheme, cookie=cookie(token)), None))
    viewers = [await each.context().optional_viewer() for each in opened]
    assert [viewer is not None for viewer in viewers] == [True, False, False]
    for each in opened:
        await each.close()


async def test_the_payload_goes_before_the_handshake(
    gateway: ChatGateway, chat: Chat, token: str
) -> None:
    marys, _ = await chat.sessions.create("3")
    opened = await gateway.open(
        connection(authorization=bearer(token), cookie=cookie(token)),
        {"authorization": bearer(marys)},
    )
    assert (await opened.context().viewer()).user_id == "3"
    await opened.close()


@pytest.mark.parametrize("bad", ["nonsense", "1." + "x" * 43])
async def test_a_token_that_a_program_sends_has_to_hold(
    gateway: ChatGateway, chat: Chat, bad: str
) -> None:
    with pytest.raises(Refused) as caught:
        await gateway.open(connection(), {"authorization": bearer(bad)})
    assert caught.value.code == 4403
    with pytest.raises(Refused):
        await gateway.open(connection(authorization=bearer(bad)), None)
    assert not await is_online(chat, "1")


async def test_a_browsers_old_cookie_is_no_token(gateway: ChatGateway) -> None:
    for payload in (None, {}, {"authorization": ""}, {"authorization": None}, {"else": "x"}):
        opened = await gateway.open(connection(cookie=cookie("1." + "x" * 43)), payload)
        assert await opened.context().optional_viewer() is None
        assert not opened.ended.done()
        await opened.close()


async def test_logging_out_ends_it(gateway: ChatGateway, chat: Chat, token: str) -> None:
    opened = await gateway.open(connection(), {"authorization": bearer(token)})
    other_token, _ = await chat.sessions.create("1")
    other = await gateway.open(connection(), {"authorization": bearer(other_token)})
    session = await chat.sessions.resolve(token)
    assert session is not None
    await chat.sessions.end(session)
    # At once for what it asks, as soon as it is heard for what it is told.
    assert await opened.context().optional_viewer() is None
    assert await asyncio.wait_for(opened.ended, 5) == (4401, "logged out")
    await opened.close()
    assert not other.ended.done()
    assert await is_online(chat, "1")
    await other.close()


async def test_ended_while_it_is_being_opened(
    gateway: ChatGateway, chat: Chat, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = chat.sessions.resolve

    async def resolve_and_end(token: str, counted: Collection[Counted] = ()) -> object:
        session = await resolve(token, counted)
        assert session is not None
        await chat.sessions.end(session)
        await asyncio.sleep(0.1)
        return session

    monkeypatch.setattr(chat.sessions, "resolve", resolve_and_end)
    with pytest.raises(Refused):
        await gateway.open(connection(), {"authorization": bearer(token)})
    assert not await is_online(chat, "1")


@pytest.fixture
async def forgetful(store_url: str, chat: Chat) -> AsyncIterator[Chat]:
    """A server whose sessions last a second."""
    forgetful = Chat(Store.from_url(store_url), bcrypt_cost=4, session_ttl=1)
    await forgetful.open()
    yield forgetful
    await forgetful.close()


async def test_expiring_ends_it(gateway: ChatGateway, forgetful: Chat) -> None:
    token, _ = await forgetful.sessions.create("1")
    opened = await gateway.open(connection(), {"authorization": bearer(token)})
    assert await asyncio.wait_for(opened.ended, 5) == (4403, "token expired or unknown")
    await opened.close()


async def test_stopping_ends_all_and_lets_nobody_in(gateway: ChatGateway, token: str) -> None:
    opened = [
        await gateway.open(connection(), payload)
        for payload in (None, {"authorization": bearer(token)})
    ]
    closed = await gateway.open(connection(), None)
    await closed.close()
    gateway.stop()
    for one in opened:
        assert await one.ended == (1012, "server stopping")
        await one.close()
    assert not closed.ended.done()
    with pytest.raises(Refused) as caught:
        await gateway.open(connection(), None)
    assert caught.value.code == 1012


async def test_without_a_store_it_is_to_be_tried_again() -> None:
    absent = Chat(Store.from_url("redis://127.0.0.1:1"))
    gateway = ChatGateway(absent, cast(Engine, None))
    with pytest.raises(Refused) as caught:
        await gateway.open(connection(), {"authorization": bearer("1." + "x" * 43)})
    assert caught.value.code == 1013
    await absent.store.close()
    absent.passwords.close()
