"""Operations: what is known of one by its document alone, and one that somebody asks for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from execution.request import GraphQLRequest
from execution.selection import PayloadSelection

OperationType = Literal["query", "mutation", "subscription"]


class PreparedOperation:
    """An operation of a valid document; what is found out about it is kept with the document."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, definition: OperationDefinitionNode
    ) -> None:
        self.document = document
        self.definition = definition
        self._schema = schema

    @cached_property
    def payload(self) -> PayloadSelection:
        """What a subscription's payloads consist of."""
        return PayloadSelection.of(self._schema, self.document, self.definition)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that is valid for the schema; its variables are not yet coerced."""

    request: GraphQLRequest
    prepared: PreparedOperation

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
