"""Mutations run to their end, whatever becomes of who asked; and what runs when a session ends."""

import asyncio

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from application.transports.limits import Limits
from tests.unit.transports.sockets import (
    PROTOCOL,
    all_gone,
    closed,
    hear,
    limited,
    logged,
    narrow_socket,
    reset,
    subscribe,
    tell,
)
from tests.unit.transports.toy import DIARY, Toy, heard, serving

STOPPING = (1012, "server stopping")


async def test_a_complete_does_not_stop_it(toy: Toy) -> None:
    async with limited() as (_, client):
        await subscribe(client, "1", "mutation { transfer }")
        await heard("begun")
        await tell(client, {"id": "1", "type": "complete"})
        await subscribe(client, "1", "{ hello }")
        assert (await hear(client))["payload"] == {"data": {"hello": "Hello world"}}
        assert await hear(client) == {"id": "1", "type": "complete"}
        await heard("done")
        await tell(client, {"type": "ping"})
        assert await hear(client) == {"type": "pong"}  # Nothing of the mutation before it.


async def test_it_counts_as_running_until_it_is_done() -> None:
    async with limited(max_operations=1) as (_, client):
        await subscribe(client, "1", "mutation { transfer }")
        await heard("begun")
        await tell(client, {"id": "1", "type": "complete"})
        await subscribe(client, "2", "{ hello }")
        assert (await hear(client))["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("end", ["close", "drop", "malformed", "server"])
async def test_the_end_of_its_socket_does_not_stop_it(
    end: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with limited() as (toy, client):
        await subscribe(client, "1", "mutation { transfer }")
        await subscribe(client, "2", "{ slow }")
        await heard("begun")
        await heard("slow started")
        if end == "close":
            await client.close()
        elif end == "drop":
            client.transport.abort()
        elif end == "malformed":
            await client.send("nonsense")
        else:
            # What uvicorn does to every socket when it is not ours that stops it.
            (connection,) = toy.state.connections
            connection.shutdown()
        await heard("slow stopped")
        assert "done" not in DIARY.told
        assert not toy.gateway.sessions[0].closed
        await heard("done")
        await all_gone(toy)
        assert toy.gateway.sessions[0].closed
        assert not logged(caplog)


async def test_http_and_event_streams_do_not_stop_it(toy: Toy) -> None:
    for accept in ("application/json", "text/event-stream"):
        DIARY.clear()
        body = b'{"query": "mutation { transfer }"}'
        with await narrow_socket(toy) as client:
            await asyncio.get_running_loop().sock_sendall(
                client,
                b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                b"accept: %s\r\ncontent-length: %d\r\n\r\n%s" % (accept.encode(), len(body), body),
            )
            await heard("begun")
            reset(client)
        await heard("done")
        await all_gone(toy)


@pytest.mark.parametrize("ending", [STOPPING, (4401, "logged out")])
async def test_what_runs_is_answered_before_the_end(ending: tuple[int, str]) -> None:
    async with limited() as (toy, client):
        await subscribe(client, "live", "subscription { silence }")
        await subscribe(client, "mutation", "mutation { transfer }")
        await subscribe(client, "query", "{ late }")
        await heard("started")
        await heard("begun")
        toy.gateway.sessions[0].ended.set_result(ending)
        await heard("closed")
        await subscribe(client, "new", "mutation { transfer }")
        refused = await hear(client)
        assert (refused["id"], refused["type"]) == ("new", "error")
        answers = [await hear(client) for _ in range(4)]
        assert {(answer["id"], answer["type"]) for answer in answers} == {
            ("mutation", "next"),
            ("mutation", "complete"),
            ("query", "next"),
            ("query", "complete"),
        }
        # No `complete` for the subscription: it is for the client to resume it elsewhere.
        assert await closed(client) == ending
        assert DIARY.told.count("done") == 1


async def test_a_query_may_not_hold_up_the_end() -> None:
    async with limited(drain_seconds=0.1) as (toy, client):
        await subscribe(client, "1", "{ slow }")
        await heard("slow started")
        toy.gateway.sessions[0].ended.set_result(STOPPING)
        assert await closed(client) == STOPPING
        await heard("slow stopped")


async def test_stopping_does_not_wait_for_sockets_without_a_session() -> None:
    async with (
        serving(Limits()) as toy,
        connect(toy.ws, subprotocols=PROTOCOL) as before,
    ):
        await tell(before, {"type": "ping"})
        await hear(before)
        toy.endpoint.stop(*STOPPING)
        assert await closed(before) == STOPPING
        async with connect(toy.ws, subprotocols=PROTOCOL) as after:
            assert await closed(after) == STOPPING


async def test_stopping_leaves_sessions_to_the_gateway() -> None:
    async with limited() as (toy, client):
        toy.endpoint.stop(*STOPPING)
        await subscribe(client, "1", "{ hello }")
        assert (await hear(client))["type"] == "next"
        await end(toy, client)


async def end(toy: Toy, client: ClientConnection) -> None:
    toy.gateway.sessions[0].ended.set_result(STOPPING)
    assert await hear(client) == {"id": "1", "type": "complete"}
    assert await closed(client) == STOPPING


async def test_closing_with_an_http_client() -> None:
    async with serving() as toy, httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.post(toy.http, json={"query": "mutation { transfer }"}))
        await heard("begun")
        (connection,) = toy.state.connections
        connection.shutdown()
        response = await asking
        assert response.json() == {"data": {"transfer": True}}
        assert response.headers["connection"] == "close"
