"""The engine: from a request to a response, or to a stream of them."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Literal

from graphql import (
    ASTValidationRule,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    assert_valid_schema,
    create_source_event_stream,
    execute_root_selection_set,
    located_error,
    map_source_to_response_event,
    specified_rules,
)
from graphql.execution import Executor

from execution.document import Documents
from execution.errors import RequestError
from execution.request import GraphQLRequest
from execution.variables import coercion_error

Response = dict[str, Any]
"""The response map: `data` and, if there are any, `errors` (GraphQL, section 7.1)."""

FormatError = Callable[[GraphQLError], dict[str, Any]]

OperationType = Literal["query", "mutation", "subscription"]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is valid for the schema; its variables are not yet coerced."""

    request: GraphQLRequest
    document: DocumentNode
    definition: OperationDefinitionNode

    @property
    def type(self) -> OperationType:
        return self.definition.operation.value

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None


class Engine:
    """Executes the operations of a schema.

    `format_error` makes the entry of `errors` for whatever a resolver raised; it is where unknown
    exceptions are masked. Request errors are made here and have their code.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        format_error: FormatError,
        executor_class: type[Executor[Any]] | None = None,
        validation_rules: Collection[type[ASTValidationRule]] = specified_rules,
        max_tokens: int = 2_000,
        cache_size: int = 512,
    ) -> None:
        assert_valid_schema(schema)
        self._schema = schema
        self._executor_class = executor_class or Executor
        self._format_error = format_error
        self._documents = Documents(schema, validation_rules, max_tokens, cache_size)

    def prepare(self, request: GraphQLRequest) -> Operation:
        """The operation that a request asks for.

        Raises RequestError: GRAPHQL_PARSE_FAILED (also for too many tokens) or
        GRAPHQL_VALIDATION_FAILED (also when the operation's name is missing or unknown).
        """
        document = self._documents.get(request.query)
        if document.errors:
            raise RequestError(document.errors)
        definition = document.operation(request.operation_name)
        return Operation(request, document.ast, definition)

    async def execute(self, operation: Operation, context: object) -> Response:
        """The response to a query or mutation.

        Raises RequestError (BAD_USER_INPUT) when variables cannot be coerced. Errors in resolvers
        are in the response.
        """
        result = execute_root_selection_set(self._executor(operation, context))
        return self._response(await result if isawaitable(result) else result)

    async def subscribe(self, operation: Operation, context: object) -> AsyncGenerator[Response]:
        """The response stream of a subscription.

        Raises RequestError like `execute`, at its first step. When the resolver or its stream
        fails, the error is the last response: with `data: null`, as the error was in a field.
        """
        executor = self._executor(operation, context)
        source = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield self._response(source)
            return
        async with aclosing(self._responses(executor, source)) as responses:
            async for response in responses:
                yield response

    async def _responses(
        self, executor: Executor[Any], source: AsyncIterable[Any]
    ) -> AsyncGenerator[Response]:
        async with aclosing(map_source_to_response_event(executor, source)) as results:
            while True:
                try:
                    result = await anext(results)
                except StopAsyncIteration:
                    return
                except Exception as error:
                    result = ExecutionResult(None, [_located(error, executor.operation)])
                    yield self._response(result)
                    return
                yield self._response(result)

    def _executor(self, operation: Operation, context: object) -> Executor[Any]:
        values = operation.request.variables or {}
        built = self._executor_class.build(
            self._schema,
            operation.document,
            context_value=context,
            raw_variable_values=values,
            operation_name=operation.name,
        )
        if isinstance(built, list):
            raise coercion_error(self._schema, operation.definition, values, built)
        return built

    def _response(self, result: ExecutionResult) -> Response:
        response: Response = {"data": result.data}
        if result.errors:
            response["errors"] = [self._format_error(error) for error in result.errors]
        return response


def _located(error: Exception, operation: OperationDefinitionNode) -> GraphQLError:
    """An error of the stream as one of the subscription's only root field."""
    nodes = operation.selection_set.selections
    for field in nodes:
        if isinstance(field, FieldNode):
            return located_error(error, [field], [(field.alias or field.name).value])
    return located_error(error, [operation])  # The field is in a fragment.
