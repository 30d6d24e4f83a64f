"""The engine: from a request to a response, or to a stream of them."""

from collections.abc import AsyncIterator, Callable, Collection
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
    execute_subscription_event,
    located_error,
    specified_rules,
)
from graphql.execution import Executor

from execution.document import Documents
from execution.encode import encode
from execution.errors import RequestError
from execution.request import GraphQLRequest
from execution.stream import ResponseStream
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

    async def subscribe(self, operation: Operation, context: object) -> ResponseStream:
        """The response stream of a subscription.

        Raises RequestError like `execute`. When the resolver or its stream fails, the error is the
        last response: with `data: null`, as the error was in a field.
        """
        executor = self._executor(operation, context)
        source = create_source_event_stream(executor)
        if isawaitable(source):
            source = await source
        last = None
        if isinstance(source, ExecutionResult):
            last, source = encode(self._response(source)), _nothing()

        def failed(error: Exception) -> bytes:
            located = _located(error, operation.definition)
            return encode(self._response(ExecutionResult(None, [located])))

        return ResponseStream(aiter(source), _CorePlan(self, operation), context, failed, last)

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


async def _nothing() -> AsyncIterator[object]:
    return
    yield


class _CorePlan:
    """Events executed by graphql-core."""

    depends_on_viewer = True

    def __init__(self, engine: Engine, operation: Operation) -> None:
        self._engine = engine
        self._operation = operation
        request = operation.request
        self.key = (request.query, request.operation_name, encode(request.variables))

    async def execute_event(self, event: object, context: object) -> bytes:
        executor = self._engine._executor(self._operation, context)
        result = execute_subscription_event(executor.build_per_event_executor(event))
        return encode(self._engine._response(await result if isawaitable(result) else result))


def _located(error: Exception, operation: OperationDefinitionNode) -> GraphQLError:
    """An error of the stream as one of the subscription's only root field."""
    nodes = operation.selection_set.selections
    for field in nodes:
        if isinstance(field, FieldNode):
            return located_error(error, [field], [(field.alias or field.name).value])
    return located_error(error, [operation])  # The field is in a fragment.
