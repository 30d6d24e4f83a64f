"""What one operation may ask for: how it is counted, and that counting costs little."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query

from execution.engine import Engine
from execution.errors import RequestError
from execution.limits import OperationLimits
from execution.request import GraphQLRequest

SCHEMA = build_schema("""
    type Query { me: User nodes(ids: [ID!]!): [User] users(first: Int, last: Int): Users! }
    type Users { nodes: [User!]! edges: [Edge!]! total: Int }
    type Edge { node: User! }
    type User { id: ID! name: String best: User friends(first: Int, last: Int): Users! }
    type Subscription { news: User }
""")

LIMITS = OperationLimits(
    depth=6,
    aliases=3,
    directives=2,
    root_fields=4,
    fields=10,
    fragments=3,
    cost=500,
    default_page=20,
    max_page=100,
)


def engine(limits: OperationLimits = LIMITS) -> Engine:
    return Engine(
        SCHEMA,
        format_error=lambda error: dict(error.formatted),
        max_tokens=10_000,
        limits=limits,
    )


def problems(query: str, **variables: Any) -> list[str]:
    """What is refused, each with the code of a validation error."""
    try:
        engine().prepare(GraphQLRequest(query, variables))
    except RequestError as error:
        assert {entry["extensions"]["code"] for entry in error.formatted} == {
            "GRAPHQL_VALIDATION_FAILED"
        }
        return [entry["message"] for entry in error.formatted]
    return []


def cost(query: str, **variables: Any) -> int:
    unlimited = engine(OperationLimits(default_page=20, max_page=100))
    return unlimited.prepare(GraphQLRequest(query, variables)).prepared.cost.of(variables)


def bomb(times: int, last: str) -> str:
    """A fragment for 2 to the power of `times` selections of `last`."""
    spreads = "".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(times))
    return f"{spreads} fragment F{times} on User {{ {last} }}"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "{ me { best { best { best { best { best { id } } } } } } }",
            "The operation nests fields 7 deep; at most 6 are allowed.",
        ),
        (
            "{ me { ...A } } fragment A on User { best { best { best { ... { best { best { id }"
            " } } } } } }",
            "The operation nests fields 7 deep; at most 6 are allowed.",
        ),
        (
            "{ me { a: id b: id c: id d: id } }",
            "The operation has 4 aliases; at most 3 are allowed.",
        ),
        (
            "{ me { ...A best { ...A } } } fragment A on User { a: id b: id }",
            "The operation has 4 aliases; at most 3 are allowed.",
        ),
        (
            "{ me @skip(if: false) { ... @include(if: true) { id @skip(if: true) } } }",
            "The operation has 3 directives; at most 2 are allowed.",
        ),
        (
            "{ me { id } ...A ... { me { id } } } fragment A on Query { me { id } me { id }"
            " __typename }",
            "The operation has 5 root fields; at most 4 are allowed.",
        ),
        (
            "{ me { id id id id id id ... { id id id id id } } }",
            "The operation selects 11 fields of one object; at most 10 are allowed.",
        ),
        (
            "{ users(first: 100) { nodes { friends(first: 100) { nodes { id } } } } }",
            "The operation may return 10,201 objects; at most 500 are allowed.",
        ),
        (
            "{ me { ...A } }" + " fragment A on User { id }" * 4,
            "The document has 4 fragments; at most 3 are allowed.",
        ),
    ],
)
def test_over_a_limit(query: str, message: str) -> None:
    assert problems(query) == [message]


@pytest.mark.parametrize(
    "query",
    [
        "{ me { best { best { best { best { id } } } } } }",
        "{ a: me { b: id c: name } }",
        "{ me @skip(if: false) { id @skip(if: true) } }",
        "{ me { id } me { id } me { id } __typename }",
        "{ users(last: 100) { nodes { best { id } } total } }",
        "subscription { news { friends(first: 100) { nodes { id } } } }",
    ],
)
def test_at_the_limit(query: str) -> None:
    assert problems(query) == []


@pytest.mark.parametrize(
    ("query", "variables", "objects"),
    [
        ("{ __typename }", {}, 0),
        ("{ me { id } }", {}, 1),
        ("{ users { total } }", {}, 1),
        ("{ users { nodes { id } } }", {}, 1 + 20),
        ("{ users(first: 3) { nodes { id best { id } } } }", {}, 1 + 3 * 2),
        ("{ users(first: 3) { edges { node { id } } } }", {}, 1 + 3 * 2),
        ("{ users(first: 3, last: 5) { nodes { id } } }", {}, 1 + 5),
        ("{ users(first: null) { nodes { id } } }", {}, 1 + 20),
        ("{ users(first: 101) { nodes { id } } }", {}, 1 + 100),
        ("{ users(first: -7) { nodes { id } } }", {}, 1),
        ('{ nodes(ids: ["a", "b"]) { id best { id } } }', {}, 2 * 2),
        ('{ nodes(ids: "a") { id } }', {}, 1),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {}, 1 + 20),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {"n": None}, 1 + 20),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {"n": 7}, 1 + 7),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {"n": 7.0}, 1 + 7),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {"n": 1e300}, 1 + 100),
        ("query ($n: Int) { users(first: $n) { nodes { id } } }", {"n": {"a": []}}, 1 + 20),
        ("query ($n: Int = 7) { users(first: $n) { nodes { id } } }", {}, 1 + 7),
        ("query ($n: Int = 7) { users(first: $n) { nodes { id } } }", {"n": 5}, 1 + 5),
        ("query ($n: Int, $m: Int) { users(first: $n, last: $m) { total } }", {"n": 5}, 1),
        ("query ($i: [ID!]!) { nodes(ids: $i) { id } }", {"i": ["a", "b", "c"]}, 3),
        ("query ($i: ID!) { nodes(ids: [$i, $i]) { id } }", {"i": "a"}, 2),
    ],
)
def test_cost(query: str, variables: dict[str, Any], objects: int) -> None:
    assert cost(query, **variables) == objects


def test_variables_decide_through_fragments_and_operations() -> None:
    query = """
        query A($n: Int = 2) { users(first: $n) { nodes { ...F } } me { ...F } }
        query B($n: Int = 3) { me { ...F } }
        fragment F on User { friends(first: $n) { nodes { id } } }
    """
    unlimited = engine(OperationLimits())

    def objects(name: str, **variables: Any) -> int:
        request = GraphQLRequest(query, variables, name)
        return unlimited.prepare(request).prepared.cost.of(variables)

    assert objects("A") == 1 + 2 * (1 + 1 + 2) + 1 + 1 + 2
    assert objects("A", n=10) == 1 + 10 * (1 + 1 + 10) + 1 + 1 + 10
    assert objects("B") == 1 + 1 + 3
    assert objects("B", n=0) == 2


def test_the_same_document_is_refused_by_its_variables_alone() -> None:
    query = "query ($n: Int) { users(first: $n) { nodes { friends(last: $n) { nodes { id } } } } }"
    assert problems(query, n=5) == []
    assert problems(query, n=100) == [
        "The operation may return 10,201 objects; at most 500 are allowed."
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ me { ...F0 } }" + bomb(100, "best { id }"),
        "query ($n: Int) { me { ...F0 } }" + bomb(100, "friends(first: $n) { nodes { id } }"),
        "{ me { ...F0 } }" + bomb(100, "a: id @skip(if: true)"),
    ],
)
def test_bombs_are_counted_in_no_time(query: str) -> None:
    with counted_calls() as calls:
        refused = problems(query, n=100)
    assert any("1,000,000,000" in message for message in refused)
    assert len(calls) < 200_000


FRAGMENTS = "".join(f" fragment F{n} on User {{ id }}" for n in range(90))
SPREAD = "".join(f" ...F{n}" for n in range(90))


@pytest.mark.parametrize(
    "query",
    [
        "{ me {" + SPREAD + " } }" + FRAGMENTS,
        "{" + (" me {" + SPREAD + " }") * 5 + " }" + FRAGMENTS,
        "{" + (" me {" + " id" * 99 + " }") * 8 + " }",
        "{ me { id } } fragment Unused on User {" + " id" * 900 + " }",
        "{ me { id } } fragment Unused on User {" + SPREAD + " }" + FRAGMENTS,
    ],
    ids=["fragments", "merged fragments", "merged fields", "unused", "unused fragments"],
)
def test_merging_has_a_bounded_price(query: str) -> None:
    with counted_calls() as calls, pytest.raises(RequestError, match="at most 10,000 comparisons"):
        engine(OperationLimits()).prepare(GraphQLRequest(query))
    assert len(calls) < 150_000


@contextmanager
def counted_calls() -> Iterator[list[None]]:
    """One item for each call of a function in Python."""
    calls: list[None] = []

    def count(frame: object, event: str, argument: object) -> None:
        if event == "call":
            calls.append(None)

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(
    "query",
    [
        "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
        "{ me { ...Nowhere } }",
        "{ me { ...A } } fragment A on Nothing { id }",
        "{ nothing(first: 100) { at { all } } }",
        "mutation { nothing }",
        f"{{ users(first: {'9' * 5_000}) {{ total }} }}",
    ],
)
def test_what_is_not_valid_is_left_to_the_validation(query: str) -> None:
    assert problems(query)
    assert not any("at most" in message for message in problems(query))


def test_fragments_that_are_deeper_than_the_interpreter() -> None:
    chain = "".join(f"fragment F{n} on User {{ best {{ ...F{n + 1} }} }}" for n in range(200))
    assert (
        "at most 6 are allowed"
        in problems(f"{{ me {{ ...F0 }} }} {chain} fragment F200 on User {{ id }}")[0]
    )


def test_introspection_is_not_punished() -> None:
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True
    )
    assert engine(OperationLimits(depth=1, cost=1, aliases=0)).prepare(GraphQLRequest(query))


def test_the_schema_can_be_kept_back() -> None:
    closed = Engine(SCHEMA, format_error=lambda error: dict(error.formatted), introspection=False)
    for query in ("{ __schema { types { name } } }", '{ __type(name: "User") { name } }'):
        with pytest.raises(RequestError, match="introspection has been disabled"):
            closed.prepare(GraphQLRequest(query))
    for query in ("{ mee { id } }", "{ me { nam } }", "{ users(frst: 1) { total } }"):
        with pytest.raises(RequestError) as refused:
            closed.prepare(GraphQLRequest(query))
        assert "Did you mean" not in str(refused.value)
    assert closed.prepare(GraphQLRequest("{ __typename me { id } }"))
