"""Compiled execution: what is called how often, what is cancelled, what is left to graphql-core."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
import strawberry
from graphql import GraphQLError, build_schema

from execution import run
from execution.batching import batched
from execution.engine import Engine
from execution.marks import batch_mark
from execution.request import GraphQLRequest


class Context:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.waits: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)


Info = strawberry.Info[Context, Any]


async def load_size(context: Context, items: Sequence["Item"]) -> list[int]:
    context.calls.append(f"size of {[item.name for item in items]}")
    await context.waits()
    return [len(item.name) for item in items]


def load_shout(context: Context, items: Sequence["Item"], mark: str = "!") -> list[Any]:
    context.calls.append(f"shout of {[item.name for item in items]}")
    return [item.name.upper() + mark for item in items]


@strawberry.type
class Item:
    name: str
    inner: list["Item"]
    size: int = batched(load_size)
    shout: str = batched(load_shout, description="Loud.")

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("broken")

    @strawberry.field
    def strictly_broken(self) -> str:
        raise ValueError("strictly broken")

    @strawberry.field
    async def slow(self, info: Info) -> str | None:
        info.context.calls.append("slow begins")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            info.context.calls.append("slow is cancelled")
            raise
        return "slow"

    @strawberry.field
    async def fails(self, info: Info) -> str:
        await info.context.waits()
        raise ValueError("fails")


def made(name: str) -> Item:
    return Item(name=name, inner=[Item(name=name * 2, inner=[]), Item(name=name * 3, inner=[])])


@strawberry.type
class Query:
    @strawberry.field
    def items(self, info: Info) -> list[Item]:
        info.context.calls.append("items")
        return [made("a"), made("b")]

    @strawberry.field
    async def item(self, info: Info) -> Item | None:
        info.context.calls.append("item")
        await info.context.waits()
        return made("a")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, name: str) -> Item | None:
        info.context.calls.append(f"{name} begins")
        await asyncio.sleep(0)
        info.context.calls.append(f"{name} is added")
        return made(name)

    @strawberry.mutation
    def strict(self, info: Info) -> Item:
        info.context.calls.append("strict")
        return made("s")


def format_error(error: GraphQLError) -> dict[str, Any]:
    return {"message": error.message, "path": error.path}


ENGINE = Engine(strawberry.Schema(Query, Mutation)._schema, format_error=format_error)


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mock]:
    """Called whenever graphql-core executes."""
    completed = Mock(wraps=run.completed)
    monkeypatch.setattr(run, "completed", completed)
    monkeypatch.setattr("execution.execute.completed", completed)
    return completed


async def execute(
    document: str, context: Context | None = None, variables: dict[str, Any] | None = None
) -> bytes:
    operation = ENGINE.prepare(GraphQLRequest(document, variables))
    return await ENGINE.execute(operation, context or Context())


async def test_a_level_is_looked_up_at_once(handed_over: Mock) -> None:
    context = Context()
    assert await execute("{ items { size inner { size } } }", context) == (
        b'{"data":{"items":[{"size":1,"inner":[{"size":2},{"size":3}]},'
        b'{"size":1,"inner":[{"size":2},{"size":3}]}]}}'
    )
    sizes = ["size of ['a', 'b']", "size of ['aa', 'aaa', 'bb', 'bbb']"]
    assert context.calls == ["items", *sizes]
    assert not handed_over.called


async def test_graphql_core_looks_a_level_up_at_once_as_well() -> None:
    context = Context()
    await execute("{ items { broken size shout(mark: $m) } }".replace("$m", '"?"'), context)
    assert context.calls.count("size of ['a', 'b']") == 1
    operation = ENGINE.prepare(GraphQLRequest("{ items { size shout inner { shout } } }"))
    executor = ENGINE._executor(operation, context := Context())
    result = await run.completed(executor)
    assert result.errors is None
    assert sorted(context.calls) == [
        "items",
        "shout of ['a', 'b']",
        "shout of ['aa', 'aaa', 'bb', 'bbb']",
        "size of ['a', 'b']",
    ]


async def test_nothing_is_resolved_twice_for_an_error(handed_over: Mock) -> None:
    context = Context()
    assert await execute("{ item { size broken shout } }", context) == (
        b'{"data":{"item":{"size":1,"broken":null,"shout":"A!"}},'
        b'"errors":[{"message":"broken","path":["item","broken"]}]}'
    )
    assert sorted(context.calls) == ["item", "shout of ['a']", "size of ['a']"]
    assert handed_over.called


async def test_mutations_are_serial_and_made_once(handed_over: Mock) -> None:
    context = Context()
    document = 'mutation { a: add(name: "a") { name } b: add(name: "b") { size broken } }'
    await execute(document, context)
    added = ["a begins", "a is added", "b begins", "b is added"]
    assert context.calls == [*added, "size of ['b']"]
    assert handed_over.called


async def test_what_follows_a_failed_mutation_is_not_made() -> None:
    context = Context()
    document = 'mutation { strict { strictlyBroken } add(name: "a") { name } }'
    assert b'"data":null' in await execute(document, context)
    assert context.calls == ["strict"]


async def test_siblings_of_what_fails_are_cancelled() -> None:
    context = Context()
    response = await execute("{ item { slow fails } }", context)
    assert response.startswith(b'{"data":{"item":null}')
    assert context.calls == ["item", "slow begins", "slow is cancelled"]


async def test_who_is_cancelled_cancels_what_it_awaits() -> None:
    context = Context()
    context.waits = asyncio.Event().wait  # type: ignore[assignment]
    for document in ("{ item { name } }", "{ items { slow fails } }", "{ items { size slow } }"):
        task = asyncio.create_task(execute(document, context))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert context.calls.count("slow begins") == context.calls.count("slow is cancelled") == 4
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_where_nothing_waits_there_is_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Mock(wraps=asyncio.tasks.Task)
    asyncio.get_running_loop().set_task_factory(lambda loop, coro, **_: tasks(coro, loop=loop))
    assert b"errors" not in await execute("{ items { name shout inner { name size } } }")
    assert b"errors" not in await execute("{ item { size } }")
    asyncio.get_running_loop().set_task_factory(None)
    assert not tasks.called


async def test_there_is_a_plan_for_each_set_of_conditions(handed_over: Mock) -> None:
    document = "query ($a: Boolean!, $b: Boolean = true) {"
    document += " item { name @skip(if: $a) ...F @include(if: $b) } } fragment F on Item { size }"
    assert await execute(document, variables={"a": True}) == b'{"data":{"item":{"size":1}}}'
    given = {"a": False, "b": False}
    assert await execute(document, variables=given) == b'{"data":{"item":{"name":"a"}}}'
    given = {"a": True, "b": False}
    assert await execute(document, variables=given) == b'{"data":{"item":{}}}'
    assert not handed_over.called


async def test_more_sets_of_conditions_are_left_to_graphql_core(handed_over: Mock) -> None:
    names = [f"v{number}" for number in range(5)]
    document = f"query ({' '.join(f'${name}: Boolean!' for name in names)}) {{ item {{ name "
    document += " ".join(f"{name}: size @include(if: ${name})" for name in names) + " } }"
    for number in range(32):
        given = {name: bool(number >> index & 1) for index, name in enumerate(names)}
        assert b"errors" not in await execute(document, variables=given)
    assert handed_over.call_count == 16


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Item") { name } items { name } }',
        "{ items { ...F0 } } "
        + " ".join(
            f"fragment F{n} on Item {{ a: inner {{ ...F{n + 1} }} b: inner {{ ...F{n + 1} }} }}"
            for n in range(12)
        )
        + " fragment F12 on Item { name }",
    ],
    ids=["schema", "type", "too many fields"],
)
async def test_what_is_not_compiled(document: str, handed_over: Mock) -> None:
    assert b"errors" not in await execute(document)
    assert handed_over.called


async def test_a_look_up_that_fails_or_miscounts() -> None:
    async def fail() -> None:
        raise ValueError("no sizes")

    context = Context()
    context.waits = fail
    response = await execute("{ item { name inner { size } } }", context)
    assert b"no sizes" in response

    async def too_few(context: Context, items: Sequence[Any]) -> list[int]:
        return []

    @strawberry.type
    class Root:
        count: int | None = batched(too_few)

    @strawberry.type
    class Few:
        @strawberry.field
        def root(self) -> Root:
            return Root()

    engine = Engine(strawberry.Schema(Few)._schema, format_error=format_error)
    operation = engine.prepare(GraphQLRequest("{ root { count } }"))
    message = "A look-up gave 0 values for 1 objects."
    error = f'{{"message":"{message}","path":["root","count"]}}'
    expected = f'{{"data":{{"root":{{"count":null}}}},"errors":[{error}]}}'
    assert await engine.execute(operation, None) == expected.encode()
    result = await run.completed(engine._executor(operation, None))
    assert result.errors is not None
    assert [error.message for error in result.errors] == [message]


async def test_schemas_without_strawberry() -> None:
    schema = build_schema("type Query { a: Int b: B } type B { c: [String!] }")
    assert schema.query_type
    schema.query_type.fields["a"].resolve = lambda root, info: 1
    schema.query_type.fields["b"].resolve = lambda root, info: {"c": ["x"]}
    engine = Engine(schema, format_error=format_error)
    operation = engine.prepare(GraphQLRequest("{ a b { c __typename } }"))
    expected = b'{"data":{"a":1,"b":{"c":["x"],"__typename":"B"}}}'
    assert await engine.execute(operation, None) == expected


async def test_fields_may_wait_for_one_future() -> None:
    """As those do that ask a data loader for the same key."""
    schema = build_schema("type Query { a: Int b: Int c: Int }")
    assert schema.query_type
    for field in schema.query_type.fields.values():
        field.resolve = lambda root, info: info.context
    engine = Engine(schema, format_error=format_error)
    operation = engine.prepare(GraphQLRequest("{ a b c }"))
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 1)
    assert await engine.execute(operation, future) == b'{"data":{"a":1,"b":1,"c":1}}'


async def test_permissions_are_asked_before_a_look_up() -> None:
    class Never(strawberry.BasePermission):
        message = "Not for you."

        def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
            return False

    @strawberry.type
    class Secret:
        number: int | None = strawberry.field(
            resolver=lambda: 1,
            permission_classes=[Never],
            metadata=batch_mark(lambda context, sources: [7]),
        )

    @strawberry.type
    class Secrets:
        @strawberry.field
        def secret(self) -> Secret:
            return Secret()

    engine = Engine(strawberry.Schema(Secrets)._schema, format_error=format_error)
    operation = engine.prepare(GraphQLRequest("{ secret { number } }"))
    assert b"Not for you." in await engine.execute(operation, None)
