"""Operations: what is known of one by its document alone, and one that somebody asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution import Executor

from execution.limits import OperationCost
from execution.plan import SelectionPlan, compiled, condition_variables
from execution.request import GraphQLRequest
from execution.selection import PayloadSelection

OperationType = Literal["query", "mutation", "subscription"]

_MAX_PLANS = 16
"""Of one operation: more combinations of its conditions are left to graphql-core."""


class PreparedOperation:
    """An operation of a valid document; what is found out about it is kept with the document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        definition: OperationDefinitionNode,
        cost: OperationCost,
        weight: int,
        has_grown: Callable[[int], None],
    ) -> None:
        """`weight` is the document's; `has_grown` is told by how much, when more is kept."""
        self.document = document
        self.definition = definition
        self.cost = cost
        self.weight = weight
        """Of what is kept as long as it is: the document in tokens, and its own plans in selections
        and fields, which take as much memory."""
        self._schema = schema
        self._has_grown = has_grown
        self._plans: dict[tuple[Any, ...], SelectionPlan | None] = {}

    def plan(self, executor: Executor[Any]) -> SelectionPlan | None:
        """The plan for the values that the executor has of the variables in conditions; None for
        an operation that is left to graphql-core."""
        values = executor.variable_values.coerced
        # Other operations of the document may have a variable of the same name for something else.
        given = (values.get(name) for name in self._condition_variables)
        conditions = tuple(value if isinstance(value, bool) else None for value in given)
        if conditions not in self._plans:
            if len(self._plans) == _MAX_PLANS:
                return None
            plan = self._plans[conditions] = compiled(executor)
            self._grow(1 if plan is None else plan.size)
        return self._plans[conditions]

    def _grow(self, weight: int) -> None:
        self.weight += weight
        self._has_grown(weight)

    @cached_property
    def _condition_variables(self) -> list[str]:
        return condition_variables(self.document)

    @cached_property
    def variables(self) -> list[str]:
        """The names of the variables that it declares."""
        return [
            variable.variable.name.value for variable in self.definition.variable_definitions or ()
        ]

    @cached_property
    def payload(self) -> PayloadSelection:
        """What a subscription's payloads consist of."""
        return PayloadSelection.of(self._schema, self.document, self.definition)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is valid for the schema; its variables are not yet coerced.

    It may run for days, so it keeps nothing of the request but the variables that it declares.
    """

    prepared: PreparedOperation
    variables: dict[str, Any]

    @classmethod
    def of(cls, prepared: PreparedOperation, request: GraphQLRequest) -> Self:
        given = request.variables or {}
        return cls(prepared, {name: given[name] for name in prepared.variables if name in given})

    @property
    def document(self) -> DocumentNode:
        return self.prepared.document

    @property
    def definition(self) -> OperationDefinitionNode:
        return self.prepared.definition

    @property
    def type(self) -> OperationType:
        return self.definition.operation.value

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None
