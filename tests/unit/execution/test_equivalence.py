"""Compiled plans against graphql-core: the same operations, the same data and errors."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import orjson
import pytest
from graphql import GraphQLError, GraphQLObjectType, GraphQLSchema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.engine import Engine
from execution.errors import RequestError
from execution.execute import Execution
from execution.observer import Observer
from execution.operation import Operation
from execution.request import GraphQLRequest
from execution.run import completed
from tests.unit.execution import zoo
from tests.unit.execution.operations import Writer
from tests.unit.schema import fakes


def format_error(error: GraphQLError) -> dict[str, Any]:
    return {**error.formatted, "class": type(error.original_error).__name__}


class Subject:
    """A schema, and what of its operations was seen."""

    def __init__(
        self,
        schema: GraphQLSchema,
        context: Callable[[], Any],
        is_async: Callable[[Any], bool] = lambda context: True,
    ) -> None:
        self.schema = schema
        self.context = context
        self.is_async = is_async
        self.engine = Engine(schema, format_error=format_error)
        self.seen: Counter[str] = Counter()
        self._reference = Execution(format_error, lambda error: False, Observer())

    def written(self, random: Random, root: GraphQLObjectType) -> Operation | None:
        writer = Writer(self.schema, random, root)
        try:
            return self.engine.prepare(GraphQLRequest(writer.document, writer.variables))
        except RequestError:
            self.seen["invalid"] += 1
            return None

    async def reference(self, operation: Operation, context: object) -> bytes:
        """What graphql-core says."""
        executor = self.engine._executor(operation, context)
        return self._reference.respond(operation, await completed(executor))

    async def check(self, operation: Operation) -> None:
        results: list[Any] = []
        contexts = self.context(), self.context()
        executes = self.engine.execute, self.reference
        for execute, context in zip(executes, contexts, strict=True):
            try:
                results.append(await execute(operation, context))
            except TypeError as error:
                results.append(str(error))  # A text that is no UTF-8.
        ours, theirs = results
        plan = operation.prepared.plan(self.engine._executor(operation, None))
        self.seen["compiled"] += plan is not None
        self.seen["errors"] += '"errors"' in str(theirs)
        if any(map(self.is_async, contexts)):
            assert_same(ours, theirs)
        else:
            assert ours == theirs


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
    groups = [_errors_by_null(response) for response in (left, right)]
    assert groups[0].keys() == groups[1].keys()
    for at, errors in groups[0].items():
        for path, error in errors.items():
            assert groups[1][at].get(path, error) == error


def _errors_by_null(response: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """The errors of a response by their path, and these by the place of the null they led to."""
    places: dict[Any, dict[str, Any]] = {}
    for error in response.get("errors", ()):
        path = error["path"]
        place = _null(response["data"], path)
        places.setdefault(place, {})[orjson.dumps(path).decode()] = error
    return places


def _null(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    for length, key in enumerate(path):
        if data is None:
            return tuple(path[:length])
        data = data[key]
    assert data is None
    return tuple(path)


ZOO = Subject(zoo.SCHEMA, zoo.Context, lambda context: bool(context.is_async))
PARLEY = Subject(fakes.SCHEMA, lambda: fakes.context_of(fakes.FakeChat()))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """What graphql-core leaves behind is collected here, where it is ignored: not in another test,
    whenever the garbage collector comes to it."""
    yield
    gc.collect()


# graphql-core itself leaves coroutines behind when it cancels fields that have not begun.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("subject", "root", "examples"),
    [
        (ZOO, ZOO.schema.query_type, 1_500),
        (ZOO, ZOO.schema.mutation_type, 500),
        (PARLEY, PARLEY.schema.query_type, 800),
        (PARLEY, PARLEY.schema.mutation_type, 200),
    ],
    ids=["queries", "mutations", "Parley's queries", "Parley's mutations"],
)
def test_generated_operations(subject: Subject, root: GraphQLObjectType, examples: int) -> None:
    @given(seed=st.integers(0, 2**32))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(seed: int) -> None:
        operation = subject.written(Random(seed), root)
        if operation is not None:
            try:
                loop.run_until_complete(subject.check(operation))
            except RequestError:
                subject.seen["bad variables"] += 1

    subject.seen.clear()
    loop = asyncio.new_event_loop()
    try:
        check()
    finally:
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
    assert subject.seen["compiled"] > 0.9 * examples, subject.seen
    assert subject.seen["errors"] > 0.1 * examples
