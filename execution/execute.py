"""Executing an operation to the JSON of its response."""

from collections.abc import Callable
from typing import Any

from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor

from execution.encode import encode
from execution.operation import Operation
from execution.run import completed, execute

FormatError = Callable[[GraphQLError], dict[str, Any]]


class Execution:
    """Executes what an executor was built for, and formats the errors."""

    def __init__(self, format_error: FormatError) -> None:
        self._format_error = format_error

    async def run(self, operation: Operation, executor: Executor[Any]) -> bytes:
        """The response of the operation, or of one event that is the executor's root value."""
        plan = operation.prepared.plan(executor)
        result = await (completed(executor) if plan is None else execute(plan, executor))
        return result if isinstance(result, bytes) else self.respond(result)

    def respond(self, result: ExecutionResult) -> bytes:
        response: dict[str, Any] = {"data": result.data}
        if result.errors:
            response["errors"] = [self._format_error(error) for error in result.errors]
        return encode(response)
