"""Executing an operation to the JSON of its response."""

from collections.abc import Callable
from typing import Any

from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor

from execution.encode import encode
from execution.errors import NotNow
from execution.observer import Observer
from execution.operation import Operation
from execution.run import completed, execute

FormatError = Callable[[GraphQLError], dict[str, Any]]

MayPass = Callable[[Exception], bool]
"""Whether what a resolver raised passes by itself, as when a store is away for a moment."""


class Execution:
    """Executes what an executor was built for, and formats the errors."""

    def __init__(self, format_error: FormatError, may_pass: MayPass, observer: Observer) -> None:
        self._format_error = format_error
        self._may_pass = may_pass
        self._observer = observer

    async def run(self, operation: Operation, executor: Executor[Any]) -> bytes:
        """The response of the operation."""
        result = await self._result(operation, executor)
        return result if isinstance(result, bytes) else self.respond(operation, result)

    async def run_event(self, operation: Operation, executor: Executor[Any]) -> bytes:
        """The response to one event, which is the executor's root value.

        Raises NotNow rather than answer with an error that passes: an event does not come again.
        """
        result = await self._result(operation, executor)
        if isinstance(result, bytes):
            return result
        for error in result.errors or ():
            if error.original_error is not None and self._may_pass(error.original_error):
                raise NotNow from error
        return self.respond(operation, result)

    async def _result(
        self, operation: Operation, executor: Executor[Any]
    ) -> bytes | ExecutionResult:
        plan = operation.prepared.plan(executor)
        return await (completed(executor) if plan is None else execute(plan, executor))

    def respond(self, operation: Operation, result: ExecutionResult) -> bytes:
        response: dict[str, Any] = {"data": result.data}
        if result.errors:
            response["errors"] = errors = [self._format_error(error) for error in result.errors]
            self._observer.failed(operation, errors)
        return encode(response)
