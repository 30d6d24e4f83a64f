"""Subscriptions, one event at a time."""

from collections.abc import AsyncIterable
from inspect import isawaitable
from typing import Any, Self

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    create_source_event_stream,
    located_error,
)
from graphql.execution import Executor

from execution.execute import Execution
from execution.operation import Operation


class ResumableResponse(bytes):
    """The response to an event that has a `cursor`: where to resume after it."""

    cursor: str

    @classmethod
    def of(cls, response: bytes, cursor: str) -> Self:
        resumable = cls(response)
        resumable.cursor = cursor
        return resumable


class SubscriptionPlan:
    """A subscription whose variables are coerced: opens its source, executes its events.

    The response to an event depends on the event, on `selection_key` and, where
    `depends_on_viewer` says so, on whose the context is. Plans with the same key may therefore
    execute an event once for all of them, in a context of nobody in particular.
    """

    def __init__(self, operation: Operation, executor: Executor[Any], execution: Execution) -> None:
        self._operation = operation
        self._executor = executor
        self._execution = execution

    @property
    def selection_key(self) -> str:
        """The same for plans that select the same: the field with its alias, all that is in it and
        the values of the variables used there. The arguments of the field itself do not count."""
        operation = self._operation
        return operation.prepared.payload.key(operation.definition, operation.variables)

    @property
    def depends_on_viewer(self) -> bool:
        """Whether a selected field is marked so (see `execution.marks`)."""
        return self._operation.prepared.payload.depends_on_viewer

    async def open(self, context: object) -> AsyncIterable[Any] | bytes:
        """CreateSourceEventStream (GraphQL, section 6.2.3.1): the events that the resolver of the
        field yields, or the only response if it fails."""
        executor = self._executor.build_per_event_executor(None)
        executor.context_value = context
        source = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            return self._execution.respond(self._operation, source)
        return source

    async def execute_event(self, event: object, context: object) -> bytes:
        """ExecuteSubscriptionEvent (section 6.2.3.2): the response to one event of the source.

        A ResumableResponse where the event has an attribute `cursor`. Raises NotNow when a
        resolver failed with what may pass.
        """
        executor = self._executor.build_per_event_executor(event)
        executor.context_value = context
        response = await self._execution.run_event(self._operation, executor)
        cursor = getattr(event, "cursor", None)
        return response if cursor is None else ResumableResponse.of(response, cursor)

    def failure(self, error: Exception) -> bytes:
        """The last response when the source raises: an error of the field."""
        located = _located(error, self._operation.definition)
        return self._execution.respond(self._operation, ExecutionResult(None, [located]))


def _located(error: Exception, operation: OperationDefinitionNode) -> GraphQLError:
    for field in operation.selection_set.selections:
        if isinstance(field, FieldNode):
            return located_error(error, [field], [(field.alias or field.name).value])
    return located_error(error, [operation])  # The field is in a fragment.
