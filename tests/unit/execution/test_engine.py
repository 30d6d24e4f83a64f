import asyncio
import re
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from functools import partial
from typing import Any
from unittest.mock import Mock

import graphql
import orjson
import pytest
from graphql import GraphQLError, GraphQLSchema, build_schema

from execution import document
from execution.engine import Engine
from execution.errors import RequestError
from execution.observer import Observer, observed_by
from execution.operation import Operation
from execution.request import GraphQLRequest

SDL = """
    type Query {
        hello(name: String = "world", times: Int = 1): String
        greet(to: Name!): String
        broken: String!
    }
    type Mutation { add(number: Int!): Int }
    type Subscription { count(to: Int! = 3): Int  refused: Int  nothing: Int  failing: Int }
    input Name { first: String!  others: [Name!] }
"""


def made_schema() -> GraphQLSchema:
    schema = build_schema(SDL)
    assert schema.query_type
    assert schema.mutation_type
    assert schema.subscription_type

    async def add(_root: Any, info: Any, number: int) -> int:
        await asyncio.sleep(0)
        info.context["total"] += number
        return int(info.context["total"])

    def broken(_root: Any, _info: Any) -> str:
        raise ValueError("secret")

    async def count(_root: Any, info: Any, to: int) -> AsyncGenerator[dict[str, int]]:
        try:
            for number in range(to):
                yield {"count": number}
        finally:
            info.context["closed"] = True

    async def failing(_root: Any, _info: Any) -> AsyncGenerator[dict[str, int]]:
        yield {"failing": 1}
        raise ValueError("secret")

    async def refused(_root: Any, _info: Any) -> Any:
        raise GraphQLError("Sign in.", extensions={"code": "UNAUTHENTICATED"})

    query, mutation = schema.query_type.fields, schema.mutation_type.fields
    query["hello"].resolve = lambda _root, _info, name, times: f"Hello {name}" * times
    query["greet"].resolve = lambda _root, _info, to: f"Hello {to['first']}"
    query["broken"].resolve = broken
    mutation["add"].resolve = add
    subscription = schema.subscription_type.fields
    subscription["count"].subscribe = count
    subscription["failing"].subscribe = failing
    subscription["refused"].subscribe = refused
    subscription["nothing"].subscribe = lambda _root, _info: 7
    return schema


def format_error(error: GraphQLError) -> dict[str, Any]:
    return {"message": f"formatted: {error.message}", "path": error.path}


@pytest.fixture
def engine() -> Engine:
    return Engine(made_schema(), format_error=format_error)


async def execute(
    engine: Engine, query: str, variables: dict[str, Any] | None = None, name: str | None = None
) -> Any:
    operation = engine.prepare(GraphQLRequest(query, variables, name))
    return orjson.loads(await engine.execute(operation, {"total": 1}))


async def subscribe(engine: Engine, query: str) -> list[Any]:
    operation = engine.prepare(GraphQLRequest(query))
    responses = []
    async with aclosing(await engine.subscribe(operation, {})) as stream:
        with suppress(StopAsyncIteration):
            while (response := await stream.pull()) is not None:
                responses.append(orjson.loads(response))
    return responses


class Notes(Observer):
    def __init__(self) -> None:
        self.taken: list[str] = []

    def refused(self, error: RequestError) -> None:
        self.taken.append(f"refused: {error}")

    @contextmanager
    def executing(self, operation: Operation) -> Iterator[None]:
        self.taken.append(f"begin {operation.name}")
        try:
            yield
        except RequestError:
            self.taken.append("raised")
            raise
        finally:
            self.taken.append("end")

    def failed(self, operation: Operation, errors: list[dict[str, Any]]) -> None:
        self.taken.append(f"{operation.name}: {errors[0]['message']}")


@pytest.mark.parametrize("others", [[], [Observer()], [None]])
async def test_an_observer_hears_of_everything(others: list[Observer | None]) -> None:
    notes = Notes()
    engine = Engine(made_schema(), format_error=format_error, observer=observed_by(notes, *others))
    await execute(engine, "query A { hello }")
    await execute(engine, "query B { hello broken }")
    with pytest.raises(RequestError):
        await execute(engine, "query C($times: Int!) { hello(times: $times) }")
    await subscribe(engine, "subscription D { failing }")
    with pytest.raises(RequestError):
        await execute(engine, "{")
    refused = notes.taken.pop()
    assert refused.startswith("refused: Syntax Error")
    assert notes.taken == [
        *("begin A", "end"),
        *("begin B", "B: formatted: secret", "end"),
        *("begin C", "raised", "end"),
        *("begin D", "end", "D: formatted: secret"),
    ]


def test_operation(engine: Engine) -> None:
    text = "query A { hello } mutation B { add(number: 1) } subscription C { count }"
    for name, type_ in (("A", "query"), ("B", "mutation"), ("C", "subscription")):
        operation = engine.prepare(GraphQLRequest(text, operation_name=name))
        assert (operation.name, operation.type) == (name, type_)
    anonymous = engine.prepare(GraphQLRequest("{ hello }"))
    assert (anonymous.name, anonymous.type) == (None, "query")


async def test_a_condition_that_is_null_is_not_one_that_is_false(engine: Engine) -> None:
    query = "query($no: Boolean = false) { hello @skip(if: $no) }"
    assert await execute(engine, query) == {"data": {"hello": "Hello world"}}
    null = await execute(engine, query, {"no": None})
    assert null["data"] is None
    assert "not to be None" in null["errors"][0]["message"]


async def test_a_condition_of_another_operation_may_be_anything(engine: Engine) -> None:
    text = "query A($x: Boolean!) { hello @skip(if: $x) } query B($x: Name!) { greet(to: $x) }"
    for first in ("you", "they"):
        response = await execute(engine, text, {"x": {"first": first}}, "B")
        assert response == {"data": {"greet": f"Hello {first}"}}
    assert await execute(engine, text, {"x": True}, "A") == {"data": {}}


@pytest.mark.parametrize(
    ("query", "name", "code", "message"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("", None, "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{" + "hello " * 3_000 + "}", None, "GRAPHQL_PARSE_FAILED", "tokens"),
        ("#\n" * 2_000 + "{ hello }", None, "GRAPHQL_PARSE_FAILED", "2,001 lines; at most 2,000"),
        ("\r" * 1_999 + "\r\n{", None, "GRAPHQL_PARSE_FAILED", "2,001 lines; at most 2,000"),
        (" " * 64_000 + "{", None, "GRAPHQL_PARSE_FAILED", "64,001 characters; at most 64,000"),
        ("{ a " * 300 + "}" * 300, None, "GRAPHQL_PARSE_FAILED", "too deeply"),
        ("{ other }", None, "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'other'"),
        ("{ hello(name: 7) }", None, "GRAPHQL_VALIDATION_FAILED", "String cannot represent"),
        ("{ hello }", "A", "GRAPHQL_VALIDATION_FAILED", "Unknown operation named 'A'."),
        ("query A { hello }", "", "GRAPHQL_VALIDATION_FAILED", "Unknown operation named ''."),
        (
            "query A { hello } query B { hello }",
            None,
            "GRAPHQL_VALIDATION_FAILED",
            "Must provide operation name",
        ),
    ],
)
def test_prepare_refuses(
    engine: Engine, query: str, name: str | None, code: str, message: str
) -> None:
    for _ in range(2):  # Cached or not.
        with pytest.raises(RequestError) as refused:
            engine.prepare(GraphQLRequest(query, operation_name=name))
        [error] = refused.value.formatted
        assert error["extensions"]["code"] == code
        assert message in error["message"]


_NAMES = [f"v{number}" for number in range(240)]


@pytest.mark.parametrize(
    "query",
    [
        "query (" + " ".join(f"${name}: Int" for name in _NAMES) + ") { hello }",
        "query (" + "$a: Int " * 240 + ") { hello }",
        "{ hello }" + " fragment A on Query { hello }" * 120,
        "{ " + " ".join(_NAMES) + " }",
        "query ("
        + " ".join(f"${name}: Int!" for name in _NAMES[:120])
        + ") { "
        + " ".join(f"{name}: hello(times: ${name})" for name in _NAMES[:120])
        + " }",
    ],
    ids=["unused variables", "one variable", "one fragment", "fields", "values"],
)
@pytest.mark.parametrize("blanks", [1_900, 250_000])
async def test_errors_are_few_and_located_quickly(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, query: str, blanks: int
) -> None:
    scanned = 0

    class Counted:
        """The pattern for the end of a line, as often as it is found."""

        @staticmethod
        def finditer(text: str) -> Iterator[re.Match[str]]:
            nonlocal scanned
            for match in re.finditer(r"\r\n|[\n\r]", text):
                scanned += 1
                yield match

    for module in (graphql.language.location, graphql.language.source):
        monkeypatch.setattr(module, "_re_newline", Counted)
    with pytest.raises(RequestError) as refused:
        await execute(engine, "\n" * blanks + query)
    assert len(refused.value.formatted) <= 21
    assert scanned < 50_000


async def test_an_operation_keeps_only_the_variables_that_it_declares(engine: Engine) -> None:
    class Ballast(dict[str, Any]):
        pass

    ballast = Ballast()
    query = "query ($name: String, $times: Int) { hello(name: $name, times: $times) }"
    operation = engine.prepare(GraphQLRequest(query, {"name": "Ann", "x": ballast}, None, ballast))
    assert operation.variables == {"name": "Ann"}
    kept = weakref.ref(ballast)
    del ballast
    assert kept() is None
    assert orjson.loads(await engine.execute(operation, {})) == {"data": {"hello": "Hello Ann"}}


def test_document_without_operation(engine: Engine) -> None:
    with pytest.raises(RequestError) as refused:
        engine.prepare(GraphQLRequest("fragment F on Query { hello }"))
    assert {e["extensions"]["code"] for e in refused.value.formatted} == {
        "GRAPHQL_VALIDATION_FAILED"
    }


async def test_execute(engine: Engine) -> None:
    assert await execute(engine, "{ hello }") == {"data": {"hello": "Hello world"}}
    query = "query ($n: String) { hello(name: $n) }"
    assert await execute(engine, query, {"n": "Ann"}) == {"data": {"hello": "Hello Ann"}}
    mutation = "mutation { a: add(number: 1) b: add(number: 2) }"
    assert await execute(engine, mutation) == {"data": {"a": 2, "b": 4}}


async def test_errors_of_resolvers_are_formatted(engine: Engine) -> None:
    assert await execute(engine, "{ broken }") == {
        "data": None,
        "errors": [{"message": "formatted: secret", "path": ["broken"]}],
    }


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        (None, ["input"]),
        ({"input": None}, ["input"]),
        ({"input": "x"}, ["input"]),
        ({"input": {}}, ["input"]),
        ({"input": {"first": 7}}, ["input.first"]),
        (
            {"input": {"first": 7, "others": [{"first": "x"}, {"first": 8}]}},
            ["input.first", "input.others.1.first"],
        ),
        ({"input": {"first": "x"}, "number": "y"}, ["number"]),
    ],
)
async def test_variables_that_cannot_be_coerced(
    engine: Engine, variables: dict[str, Any] | None, fields: list[str]
) -> None:
    query = """
        query ($input: Name!, $number: Int = 1) { greet(to: $input) hello(times: $number) }
    """
    with pytest.raises(RequestError) as refused:
        await execute(engine, query, variables)
    assert [e["extensions"]["field"] for e in refused.value.formatted] == fields
    assert {e["extensions"]["code"] for e in refused.value.formatted} == {"BAD_USER_INPUT"}
    assert all(e["message"].startswith("Variable '$") for e in refused.value.formatted)


async def test_variables_nested_too_deeply(engine: Engine) -> None:
    value: dict[str, Any] = {"first": "x"}
    for _ in range(900):
        value = {"first": "x", "others": [value]}
    with pytest.raises(RequestError) as refused:
        await execute(engine, "query ($input: Name!) { greet(to: $input) }", {"input": value})
    [error] = refused.value.formatted
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "too deeply" in error["message"]


async def test_subscribe(engine: Engine) -> None:
    assert await subscribe(engine, "subscription { count }") == [
        {"data": {"count": number}} for number in range(3)
    ]


async def test_subscription_of_which_the_resolver_fails(engine: Engine) -> None:
    for field, message in (("refused", "Sign in."), ("nothing", "must return AsyncIterable")):
        [response] = await subscribe(engine, f"subscription {{ a: {field} }}")
        assert response["data"] is None
        [error] = response["errors"]
        assert message in error["message"]
        assert error["path"] == ["a"]


async def test_subscription_of_which_the_stream_fails(engine: Engine) -> None:
    first, last = await subscribe(engine, "subscription { a: failing }")
    assert first == {"data": {"a": 1}}
    assert last == {"data": None, "errors": [{"message": "formatted: secret", "path": ["a"]}]}
    query = "subscription { ...F } fragment F on Subscription { failing }"
    assert (await subscribe(engine, query))[-1]["errors"][0]["message"] == "formatted: secret"


async def test_subscription_with_bad_variables(engine: Engine) -> None:
    with pytest.raises(RequestError):
        await subscribe(engine, "subscription ($to: Int!) { count(to: $to) }")


async def test_closing_the_responses_closes_the_source(engine: Engine) -> None:
    operation = engine.prepare(GraphQLRequest("subscription { count }"))
    context: dict[str, Any] = {}
    async with aclosing(await engine.subscribe(operation, context)) as responses:
        assert await responses.pull() == b'{"data":{"count":0}}'
    assert context == {"closed": True}


ValidationsOf = Callable[[Engine, str], int]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> ValidationsOf:
    """How often an engine validates a document to prepare it: not at all when it is kept."""
    validate = Mock(wraps=graphql.validate)
    monkeypatch.setattr(document, "validate", validate)

    def validations_of(engine: Engine, text: str) -> int:
        before = validate.call_count
        with suppress(RequestError):
            engine.prepare(GraphQLRequest(text))
        return int(validate.call_count - before)

    return validations_of


def test_documents_are_kept_while_in_use(counted: ValidationsOf) -> None:
    validations_of = partial(
        counted, Engine(made_schema(), format_error=format_error, cache_size=2)
    )
    assert [validations_of("{ hello }"), validations_of("{ other }")] == [1, 1]
    assert [validations_of("{ hello }"), validations_of("{ other }")] == [0, 0]
    assert validations_of("{ hello }") == 0
    assert validations_of("{ a: hello }") == 1  # The least recently used one makes room.
    assert [validations_of("{ hello }"), validations_of("{ other }")] == [0, 1]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("query Q%d { hello " + "@skip(if: true) " * 160 + "}", 50_000 // (1_125 + 80)),
        ("query Q%d { hello }" + " " * 60_000, 50_000 // (5 + 1_875)),
    ],
    ids=["tokens", "blanks"],
)
def test_what_is_kept_has_a_bound(
    engine: Engine, counted: ValidationsOf, text: str, kept: int
) -> None:
    first, *others = [text % number for number in range(100, 101 + kept)]
    assert [counted(engine, each) for each in (first, *others)] == [1] * (kept + 1)
    assert [counted(engine, each) for each in others] == [0] * kept
    assert counted(engine, first) == 1


async def test_plans_are_kept_within_the_same_bound(counted: ValidationsOf) -> None:
    schema = build_schema("type Query { me: Query name: String }")
    engine = Engine(schema, format_error=format_error)
    depth = 8  # Each fragment spreads the next one twice: a few tokens, and a plan of 1,277.
    fragments = " ".join(
        f"fragment F{n} on Query {{ a: me {{ ...F{n + 1} }} b: me {{ ...F{n + 1} }} }}"
        for n in range(depth)
    )
    last = f"fragment F{depth} on Query {{ name }}"
    texts = [f"query Q{number} {{ ...F0 }} {fragments} {last}" for number in range(60)]
    assert [counted(engine, text) for text in texts] == [1] * 60
    assert [counted(engine, text) for text in texts] == [0] * 60
    for text in texts:
        operation = engine.prepare(GraphQLRequest(text))
        assert await engine.execute(operation, None) == b'{"data":{"a":null,"b":null}}'
    assert [counted(engine, texts[-1]), counted(engine, texts[0])] == [0, 1]
