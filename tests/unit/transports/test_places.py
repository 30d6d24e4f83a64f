"""How many connections an address or a user may have open."""

import httpx
import pytest
from starlette.requests import HTTPConnection
from websockets.asyncio.client import connect

from application.transports.gateway import Refused
from application.transports.places import Places, address
from tests.unit.transports.sockets import PROTOCOL, all_gone, closed, hear, tell
from tests.unit.transports.toy import serving

STREAM = {"accept": "text/event-stream"}
TICKS = {"query": "subscription { ticks }"}


def test_each_has_its_own() -> None:
    places = Places(2, "for one user")
    for who in ("a", "a", "b"):
        places.take(who)
    with pytest.raises(Refused, match="At most 2 connections are allowed for one user") as refused:
        places.take("a")
    assert refused.value.code == 4429
    places.leave("a")
    with places.taken("a"), pytest.raises(Refused):
        places.take("a")
    places.take("a")
    for who in ("a", "a", "b"):
        places.leave(who)
    assert not places._taken


def test_without_a_limit() -> None:
    places = Places()
    for _ in range(10_000):
        places.take("a")


@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("somebody", "somebody"),
        (None, ""),
    ],
)
def test_addresses(host: str | None, who: str) -> None:
    client = None if host is None else (host, 1)
    assert address(HTTPConnection({"type": "http", "client": client})) == who


async def test_sockets_and_streams_share_them() -> None:
    async with serving(places=Places(2, "from one address")) as toy, httpx.AsyncClient() as http:
        async with (
            connect(toy.ws, subprotocols=PROTOCOL) as first,
            http.stream("POST", toy.http, json=TICKS, headers=STREAM) as stream,
        ):
            assert stream.status_code == 200
            async with connect(toy.ws, subprotocols=PROTOCOL) as third:
                message = "At most 2 connections are allowed from one address."
                assert await closed(third) == (4429, message)
            refused = await http.post(toy.http, json=TICKS, headers=STREAM)
            assert refused.status_code == 429
            [error] = refused.json()["errors"]
            assert error == {"message": message, "extensions": {"code": "RATE_LIMITED"}}
            await tell(first, {"type": "connection_init"})
            assert await hear(first) == {"type": "connection_ack"}
            # Queries are no connections.
            assert (await http.post(toy.http, json={"query": "{ hello }"})).status_code == 200
            await stream.aclose()
        await http.aclose()
        await all_gone(toy)
        async with connect(toy.ws, subprotocols=PROTOCOL) as again:
            await tell(again, {"type": "connection_init"})
            assert await hear(again) == {"type": "connection_ack"}


async def test_a_gateway_that_has_no_place_left() -> None:
    async with serving() as toy, httpx.AsyncClient() as http:
        toy.gateway.failure = Refused(4429, "At most 1 connections are allowed for one user.")
        refused = await http.post(toy.http, json=TICKS, headers=STREAM)
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
