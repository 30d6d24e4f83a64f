"""Compiled plans against graphql-core: the same operations, the same data and errors."""

from collections import Counter
from random import Random
from typing import Any

import orjson
import pytest
from graphql import GraphQLError, GraphQLObjectType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.engine import Engine
from execution.errors import RequestError
from execution.execute import Execution
from execution.operation import Operation
from execution.request import GraphQLRequest
from execution.run import completed
from tests.unit.execution.operations import Writer
from tests.unit.execution.zoo import SCHEMA, Context


def format_error(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "class": type(error.original_error).__name__}


ENGINE = Engine(SCHEMA, format_error=format_error)
REFERENCE = Execution(format_error, lambda error: False)
SEEN: Counter[str] = Counter()


async def reference(operation: Operation, context: object) -> bytes:
    """What graphql-core says."""
    return REFERENCE.respond(await completed(ENGINE._executor(operation, context)))


async def both(operation: Operation) -> tuple[Any, Any, bool]:
    """Ours, graphql-core's, and whether anything was awaited."""
    results: list[Any] = []
    contexts = Context(), Context()
    for execute, context in zip((ENGINE.execute, reference), contexts, strict=True):
        try:
            results.append(await execute(operation, context))
        except TypeError as error:
            results.append(str(error))  # A text that is no UTF-8.
    return results[0], results[1], any(context.is_async for context in contexts)


def nulled(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    """The place of the null that an error has led to."""
    for length, key in enumerate(path):
        if data is None:
            return tuple(path[:length])
        data = data[key]
    assert data is None
    return tuple(path)


def assert_same(ours: Any, theirs: Any) -> None:
    """The same data; for each null that errors have led to, errors that graphql-core may report.

    Of several concurrent fields that null the same parent, it reports those that fail before the
    first one has got there, which is a matter of time.
    """
    if isinstance(ours, str) or isinstance(theirs, str):
        assert ours == theirs
        return
    left, right = orjson.loads(ours), orjson.loads(theirs)
    assert left["data"] == right["data"]
    groups: list[dict[Any, dict[str, Any]]] = []
    for response in (left, right):
        places: dict[Any, dict[str, Any]] = {}
        for error in response.get("errors", ()):
            at = nulled(response["data"], error["path"])
            places.setdefault(at, {})[orjson.dumps(error["path"]).decode()] = error
        groups.append(places)
    assert groups[0].keys() == groups[1].keys()
    for at, errors in groups[0].items():
        for path, error in errors.items():
            assert groups[1][at].get(path, error) == error


def written(random: Random, root: GraphQLObjectType) -> Operation | None:
    writer = Writer(SCHEMA, random, root)
    try:
        return ENGINE.prepare(GraphQLRequest(writer.document, writer.variables))
    except RequestError:
        SEEN["invalid"] += 1
        return None


# graphql-core itself leaves coroutines behind when it cancels fields that have not begun.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("root", [SCHEMA.query_type, SCHEMA.mutation_type], ids=str)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)
async def test_generated_operations(root: GraphQLObjectType, seed: int) -> None:
    operation = written(Random(seed), root)
    if operation is None:
        return
    try:
        ours, theirs, is_async = await both(operation)
    except RequestError:
        SEEN["bad variables"] += 1
        return
    SEEN["compiled" if operation.prepared.plan(ENGINE._executor(operation, None)) else "not"] += 1
    SEEN["errors"] += '"errors"' in str(theirs)
    SEEN["async"] += is_async
    if is_async:
        assert_same(ours, theirs)
    else:
        assert ours == theirs
