"""What one operation may ask for, on a running server with its own limits."""

from typing import Any

from graphql import get_introspection_query

from tests.security.callers import bearer, errors, hear, opened, post, subscribe
from tests.security.conftest import Started

INVALID = "GRAPHQL_VALIDATION_FAILED"
DEEP = "room { messages { nodes { " * 4 + "id" + " } } }" * 4
SPREADS = "".join(f"fragment F{n} on User {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))


REFUSED = [
    (
        '{ room(id: "room:0") { messages { nodes { ' + DEEP + " } } } }",
        INVALID,
        "The operation nests fields 16 deep; at most 12 are allowed.",
    ),
    (
        "{" + " __typename" * 1_000 + "}",
        "GRAPHQL_PARSE_FAILED",
        "Syntax Error: Document contains more than 1000 tokens. Parsing aborted.",
    ),
    (
        "{ me {" + "".join(f" a{n}: id" for n in range(31)) + "} }",
        INVALID,
        "The operation has 31 aliases; at most 30 are allowed.",
    ),
    (
        "{ me { ...F0 } }" + SPREADS + "fragment F30 on User { a: id }",
        INVALID,
        "The operation has 1,000,000,000 aliases; at most 30 are allowed.",
    ),
    (
        "{" + " me { id }" * 21 + "}",
        INVALID,
        "The operation has 21 root fields; at most 20 are allowed.",
    ),
    (
        "{ me { id" + " @skip(if: true)" * 51 + "} }",
        INVALID,
        "The operation has 51 directives; at most 50 are allowed.",
    ),
    (
        "{ me {" + " id" * 101 + "} }",
        INVALID,
        "The operation selects 101 fields of one object; at most 100 are allowed.",
    ),
    (
        "{ rooms(first: 100) { nodes { messages(last: 100) { nodes { id } } } } }",
        INVALID,
        "The operation may return 10,201 objects; at most 10,000 are allowed.",
    ),
    (
        "{ rooms { nodes { members { nodes { id } } messages { edges { node { id } } }"
        " ...M } } } fragment M on Room { more: messages { edges { node { id } } } }",
        INVALID,
        "The operation may return 12,701 objects; at most 10,000 are allowed.",
    ),
]


def test_the_limits_of_an_operation(started: Started) -> None:
    server = started()
    headers = bearer(server)
    with opened(server) as client:
        for number, (query, code, message) in enumerate(REFUSED):
            response = post(server, query, headers=headers)
            assert response.status_code == 400
            refused = [(given, text.partition("\n")[0]) for given, text in errors(response)]
            assert (code, message) in refused
            subscribe(client, str(number), query)
            told = hear(client)
            assert (told["type"], told["id"]) == ("error", str(number))
            assert {error["extensions"]["code"] for error in told["payload"]} == {code}


def test_variables_count(started: Started) -> None:
    server = started()
    headers = bearer(server)
    query = (
        "query ($n: Int = 100, $m: Int) {"
        " rooms(first: $n) { nodes { messages(first: $m) { nodes { id } } } } }"
    )
    refused = "The operation may return 10,201 objects; at most 10,000 are allowed."

    def answer(**variables: Any) -> list[tuple[str, str]] | None:
        response = post(server, query, variables, headers=headers)
        return errors(response) if "errors" in response.json() else None

    assert answer(m=100) == [(INVALID, refused)]
    assert answer(n=100, m=100) == [(INVALID, refused)]
    assert answer(n=100, m=50) is None
    # What the page sizes allow is another question.
    (code, _), *_ = answer(n=2, m=101) or [("", "")]
    assert code == "BAD_USER_INPUT"


def test_the_limits_are_settings(started: Started) -> None:
    server = started(
        MAX_QUERY_TOKENS=30,
        MAX_QUERY_DEPTH=3,
        MAX_QUERY_ALIASES=1,
        MAX_QUERY_ROOT_FIELDS=1,
        MAX_QUERY_DIRECTIVES=0,
        MAX_QUERY_COST=5,
    )
    for query, words in {
        "{" + " id" * 30 + "}": "more than 30 tokens",
        "{ me { a { b { c } } } }": "at most 3 ",
        "{ me { a: id b: id } }": "at most 1 ",
        "{ me { id } __typename }": "at most 1 ",
        "{ me { id @skip(if: true) } }": "at most 0 ",
        "{ users(first: 5) { nodes { id } } }": "at most 5 ",
    }.items():
        [(_, message)] = errors(post(server, query))
        assert words in message


def test_the_tools_introspection_passes(started: Started) -> None:
    server = started(MAX_QUERY_DEPTH=3, MAX_QUERY_COST=1, MAX_QUERY_ALIASES=0)
    everything = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    for query in (get_introspection_query(descriptions=False), everything):
        response = post(server, query)
        assert response.status_code == 200
        assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


def test_a_schema_that_is_kept_back(started: Started) -> None:
    server = started(INTROSPECTION="off")
    for query in ("{ __schema { types { name } } }", '{ __type(name: "User") { name } }'):
        code, message = errors(post(server, query))[0]
        assert code == INVALID
        assert "introspection has been disabled" in message
    for query, variables in (
        ("{ mee { id } }", {}),
        ("{ me { usrname } }", {}),
        ("mutation ($i: LoginInput!) { login(input: $i) { token } }", {"i": {"usernam": "x"}}),
        ("query ($k: RoomKnd) { me { id } }", {}),
    ):
        response = post(server, query, variables)
        assert errors(response)
        assert "Did you mean" not in response.text
    assert post(server, "{ __typename }").json() == {"data": {"__typename": "Query"}}
