"""Passwords and tokens are in no log, however much is logged."""

import json

import pytest
from websockets.asyncio.client import connect

from tests.api.client import User, subscription
from tests.security.accounts import LOG_IN, REGISTER, guess, refusal, register
from tests.security.conftest import Serve, Visit

PASSWORD = "an-unlikely-password"
WRONG = "a-password-that-is-wrong"


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_nothing_secret_is_logged(serve: Serve, visit: Visit, level: str) -> None:
    server = serve(LOG_LEVEL=level)
    registered = await register(visit(server), "Zoé", PASSWORD)
    zoe = await visit(server).log_in("Zoé", PASSWORD)
    tokens = [str(registered["token"]), str(zoe.token)]
    await guess(zoe, "Zoé", WRONG)
    await refusal(zoe, REGISTER, input={"username": "Zoé", "password": WRONG})
    await zoe.http.get(
        "/graphql",
        params={
            "query": LOG_IN,
            "variables": json.dumps({"input": {"username": "Zoé", "password": PASSWORD}}),
            "token": zoe.token,
        },
    )
    await zoe.http.post("/graphql", content=f'{{"password":"{PASSWORD}", {zoe.token}')
    async with zoe.socket() as socket:
        await socket.execute(subscription("{ me { id } }"))
    await _with_headers(zoe)
    async with zoe.http.stream(
        "GET",
        "/graphql",
        params={"query": "subscription { events { __typename } }", "access_token": zoe.token},
        headers={**zoe.headers, "accept": "text/event-stream"},
    ) as response:
        await anext(response.aiter_lines())
    await zoe("mutation { logout { user { id } } }")
    server.stop()
    for secret in (PASSWORD, WRONG, *(token.partition(".")[2] for token in tokens), "$2b$"):
        assert secret not in server.output


async def _with_headers(user: User) -> None:
    address = user.url.replace("http", "ws", 1) + f"/graphql?token={user.token}"
    async with connect(
        address,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers={**user.headers, "cookie": f"parley_session={user.token}"},
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        assert "connection_ack" in str(await socket.recv())
