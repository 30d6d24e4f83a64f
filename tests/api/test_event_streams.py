"""Server-Sent Events of the chat: their ids are cursors, and a client resumes after the last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from tests.api.client import User
from tests.api.conftest import Visitor

pytestmark = pytest.mark.on_cluster

TEXTS = "subscription($after: String) { messageAdded(after: $after) { node { text } } }"
EVENTS = """subscription($after: String) { events(after: $after) {
    __typename ... on MessageAdded { edge { node { text } } } ... on CaughtUp { replayed } } }"""


@dataclass
class Event:
    id: str | None
    kind: str
    data: Any


@asynccontextmanager
async def following(user: User, query: str, **headers: str) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of a subscription, whose variables stay as they were at first."""
    async with user.http.stream(
        "POST",
        "/graphql",
        json={"query": query, "variables": {"after": user.cursor}},
        headers={"accept": "text/event-stream", **user.headers, **headers},
    ) as response:
        assert response.status_code == 200
        yield _events(response)


async def _events(response: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            data = orjson.loads(fields["data"]) if fields["data"] else None
            yield Event(fields.get("id"), fields["event"], data)
            fields = {}
        else:
            fields = {}  # A comment, to keep the connection alive.


async def upcoming(events: AsyncIterator[Event]) -> Event:
    return await asyncio.wait_for(anext(events), 10)


def text(event: Event) -> str:
    return str(event.data["data"]["messageAdded"]["node"]["text"])


async def test_ids_are_cursors_for_everybody_and_resume(visitor: Visitor) -> None:
    pablo, mary = [await visitor().log_in(name) for name in ("Pablo", "Mary")]
    before = await pablo.send("room:0", "before")
    pablo.cursor = mary.cursor = before["edge"]["cursor"]
    async with following(pablo, TEXTS) as his, following(mary, TEXTS) as hers:
        sent = [await pablo.send("room:0", text) for text in ("replayed or live", "live")]
        for events in (his, hers):
            heard = [await upcoming(events) for _ in sent]
            assert [text(event) for event in heard] == ["replayed or live", "live"]
            for event, each in zip(heard, sent, strict=True):
                # On a Redis Cluster it says more: what may not have been told yet.
                assert str(event.id).startswith(each["edge"]["cursor"])
    await mary.send("room:0", "missed")
    async with following(pablo, TEXTS, **{"last-event-id": str(heard[-1].id)}) as his:
        assert text(await upcoming(his)) == "missed"


async def test_what_is_not_kept_has_no_id(visitor: Visitor) -> None:
    pablo, mary = [await visitor().log_in(name) for name in ("Pablo", "Mary")]
    async with following(pablo, EVENTS) as events:
        caught_up = await upcoming(events)
        assert caught_up.data["data"]["events"] == {"__typename": "CaughtUp", "replayed": 0}
        assert caught_up.id is not None
        async with following(mary, EVENTS) as hers:
            await upcoming(hers)
            kinds = {}
            while "PresenceChanged" not in kinds:
                event = await upcoming(events)
                kinds[event.data["data"]["events"]["__typename"]] = event.id
    assert kinds["PresenceChanged"] is None
    sent = await mary.send("room:0", "missed")
    async with following(pablo, EVENTS, **{"last-event-id": caught_up.id}) as events:
        missed = await upcoming(events)
        assert missed.data["data"]["events"]["edge"]["node"]["text"] == "missed"
        assert str(missed.id).startswith(sent["edge"]["cursor"])


@pytest.mark.parametrize("last", ["nonsense", "0" * 39, "user:1"])
async def test_an_id_that_was_never_handed_out(visitor: Visitor, last: str) -> None:
    pablo = await visitor().log_in("Pablo")
    async with following(pablo, TEXTS, **{"last-event-id": last}) as events:
        [error] = (await upcoming(events)).data["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await upcoming(events)).kind == "complete"
