"""Plans of subscriptions: which ones may share an execution, and executing single events."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError

from execution.engine import Engine
from execution.marks import DEPENDS_ON_VIEWER
from execution.request import GraphQLRequest
from execution.subscription import SubscriptionPlan


@strawberry.interface
class Node:
    id: str


@strawberry.type
class Message(Node):
    text: str
    size: int | None = None

    @strawberry.field
    def part(self, first: int = 3) -> str:
        return self.text[:first]

    @strawberry.field(metadata=DEPENDS_ON_VIEWER)
    def is_own(self, info: strawberry.Info) -> bool:
        return bool(info.context == self.id)

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("secret")


@strawberry.type
class Query:
    ok: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def said(self, room: str = "0", size: int = 1) -> AsyncGenerator[Message, None]:
        for number in range(size):
            yield Message(id=room, text=f"text {number}")

    @strawberry.subscription
    async def node(self) -> AsyncGenerator[Node, None]:
        yield Message(id="1", text="text")


ENGINE = Engine(
    strawberry.Schema(Query, subscription=Subscription, types=[Message])._schema,
    format_error=lambda error: {"message": error.message, "path": error.path},
)


def plan(document: str, variables: dict[str, Any] | None = None) -> SubscriptionPlan:
    return ENGINE.plan(ENGINE.prepare(GraphQLRequest(document, variables)))


def key(document: str, variables: dict[str, Any] | None = None) -> str:
    return plan(document, variables).selection_key


BASE = "subscription ($room: String) { said(room: $room) { text part } }"


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (BASE, {"room": "7"}),
        ("subscription Named($x: String) {\n said(room: $x) { text, part } # here\n}", {"x": "1"}),
        ('subscription { said(room: "3", size: 5) { text part } }', None),
        ("subscription { ...F } fragment F on Subscription { said { text part } }", None),
        ("subscription { ... { said { text part } } }", None),
        ("query Q { ok } subscription S { said { text part } }", None),
    ],
)
def test_selections_that_are_the_same(document: str, variables: dict[str, Any] | None) -> None:
    name = "S" if "subscription S" in document else None
    prepared = ENGINE.prepare(GraphQLRequest(document, variables, name))
    assert ENGINE.plan(prepared).selection_key == key(BASE)


@pytest.mark.parametrize(
    "document",
    [
        "subscription { said { text } }",
        "subscription { said { part text } }",
        "subscription { other: said { text part } }",
        "subscription { said { text part(first: 2) } }",
        "subscription { said { text ...F } } fragment F on Message { part }",
    ],
)
def test_selections_that_differ(document: str) -> None:
    assert key(document) != key(BASE)


def test_values_of_the_variables_in_the_selection_count() -> None:
    document = "subscription ($room: String, $n: Int = 3) { said(room: $room) { part(first: $n) } }"
    assert key(document, {"n": 1}) != key(document, {"n": 2})
    assert key(document, {"n": 1, "room": "1"}) == key(document, {"n": 1, "room": "2"})
    assert key(document) != key(document.replace("= 3", "= 4"))
    assert key(document, {"n": None}) != key(document)
    skipping = "subscription ($no: Boolean!) { said { text ...F @skip(if: $no) } }"
    skipping += " fragment F on Message { id }"
    assert key(skipping, {"no": True}) != key(skipping, {"no": False})
    nested = "subscription ($n: Int) { said { ...A } } fragment A on Message { ...B }"
    nested += " fragment B on Message { part(first: $n) }"
    assert key(nested, {"n": 1}) != key(nested, {"n": 2})


@pytest.mark.parametrize(
    ("document", "depends"),
    [
        (BASE, False),
        ("subscription { said { isOwn } }", True),
        ("subscription { said { ...F } } fragment F on Message { isOwn }", True),
        ("subscription { node { id } }", False),
        ("subscription { node { id ... on Message { a: isOwn @skip(if: true) } } }", True),
    ],
)
def test_whether_it_depends_on_the_viewer(document: str, depends: bool) -> None:
    assert plan(document).depends_on_viewer is depends


async def test_events_are_executed_one_by_one_and_for_anybody() -> None:
    said = plan(
        'subscription ($n: Int!) { a: said(room: "9") { part(first: $n) isOwn } }', {"n": 2}
    )
    event = Message(id="9", text="text")
    assert await said.execute_event(event, "9") == b'{"data":{"a":{"part":"te","isOwn":true}}}'
    assert await said.execute_event(event, "1") == b'{"data":{"a":{"part":"te","isOwn":false}}}'


async def test_errors_are_those_of_the_event() -> None:
    said = plan("subscription { said { broken } }")
    event = Message(id="9", text="text")
    for _ in range(2):
        assert await said.execute_event(event, None) == (
            b'{"data":{"said":{"broken":null}},'
            b'"errors":[{"message":"secret","path":["said","broken"]}]}'
        )


async def test_open() -> None:
    said = plan("subscription { said(size: 2) { text } }")
    source = await said.open(None)
    assert not isinstance(source, bytes)
    assert [event.text async for event in source] == ["text 0", "text 1"]
    assert said.failure(GraphQLError("over")) == (
        b'{"data":null,"errors":[{"message":"over","path":["said"]}]}'
    )
