"""The engine: from a request to a response, or to a stream of them, as JSON."""

from collections.abc import Collection
from typing import Any

from graphql import (
    ASTValidationRule,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    assert_valid_schema,
    specified_rules,
)
from graphql.execution import Executor

from execution.document import Documents
from execution.errors import MAX_ERRORS, RequestError
from execution.execute import Execution, FormatError, MayPass
from execution.limits import OperationLimits
from execution.merging import MergingRule
from execution.observer import Observer
from execution.operation import Operation
from execution.persisted import AutomaticTexts, Texts
from execution.request import GraphQLRequest
from execution.stream import ResponseStream
from execution.subscription import SubscriptionPlan
from execution.variables import coercion_error

_NO_LIMITS = OperationLimits()


class Engine:
    """Executes the operations of a schema.

    Responses are the JSON of a response map: `data` and, if there are any, `errors` (GraphQL,
    section 7.1); compact UTF-8 in one line.

    `format_error` makes the entry of `errors` for whatever a resolver raised; it is where unknown
    exceptions are masked. Request errors are made here and have their code.

    `texts` knows documents by their hash; without any, those that clients have sent. Without
    `introspection` nobody is told the schema, not by suggestions in errors either.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        format_error: FormatError,
        may_pass: MayPass = lambda error: False,
        observer: Observer | None = None,
        executor_class: type[Executor[Any]] | None = None,
        validation_rules: Collection[type[ASTValidationRule]] = specified_rules,
        texts: Texts | None = None,
        max_tokens: int = 2_000,
        limits: OperationLimits = _NO_LIMITS,
        introspection: bool = True,
        cache_size: int = 512,
    ) -> None:
        assert_valid_schema(schema)
        self._schema = schema
        self._executor_class = executor_class or Executor
        self._observer = observer or Observer()
        self._execution = Execution(format_error, may_pass, self._observer)
        self._texts = texts or AutomaticTexts()
        self._hide_suggestions = not introspection
        rules = [
            MergingRule if rule is OverlappingFieldsCanBeMergedRule else rule
            for rule in validation_rules
        ]
        if not introspection:
            rules.append(NoSchemaIntrospectionCustomRule)
        self._documents = Documents(
            schema,
            rules,
            max_tokens,
            limits,
            cache_size,
            self._hide_suggestions,
        )

    def prepare(self, request: GraphQLRequest) -> Operation:
        """The operation that a request asks for.

        Raises RequestError: GRAPHQL_PARSE_FAILED (also for too many tokens, lines
        or characters),
        GRAPHQL_VALIDATION_FAILED (also over a limit, and when the operation's name is missing or
        unknown), or what `Texts.of` raises.
        """
        try:
            document = self._documents.get(self._texts.of(request))
            if document.errors:
                raise RequestError(document.errors)
            operation = Operation.of(document.operation(request.operation_name), request)
            operation.prepared.cost.check(operation.variables)
        except RequestError as error:
            self._observer.refused(error)
            raise
        return operation

    async def execute(self, operation: Operation, context: object) -> bytes:
        """The response to a query or mutation.

        Raises RequestError (BAD_USER_INPUT) when variables cannot be coerced. Errors in resolvers
        are in the response.
        """
        with self._observer.executing(operation):
            return await self._execution.run(operation, self._executor(operation, context))

    def plan(self, operation: Operation) -> SubscriptionPlan:
        """How a subscription is executed, event by event. Raises RequestError like `execute`."""
        return SubscriptionPlan(operation, self._executor(operation, None), self._execution)

    async def subscribe(self, operation: Operation, context: object) -> ResponseStream:
        """The response stream of a subscription.

        Raises RequestError like `execute`. When the resolver or its stream fails, the error is the
        last response: with `data: null`, as the error was in a field.
        """
        with self._observer.executing(operation):
            plan = self.plan(operation)
            return ResponseStream(plan, await plan.open(context), context)

    def _executor(self, operation: Operation, context: object) -> Executor[Any]:
        built = self._executor_class.build(
            self._schema,
            operation.document,
            context_value=context,
            raw_variable_values=operation.variables,
            operation_name=operation.name,
            max_coercion_errors=MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        if isinstance(built, list):
            raise coercion_error(
                self._schema,
                operation.definition,
                operation.variables,
                built,
                hide_suggestions=self._hide_suggestions,
            )
        return built
