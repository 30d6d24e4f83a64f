"""What a schema says of its fields for the execution, beyond GraphQL.

In Strawberry as a field's metadata, `strawberry.field(metadata=DEPENDS_ON_VIEWER)`; in other
schemas of graphql-core as a field's extensions, `GraphQLField(..., extensions=DEPENDS_ON_VIEWER)`.
"""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

DEPENDS_ON_VIEWER: Mapping[str, Any] = {"depends_on_viewer": True}
"""The field's value is not the same for everyone who may see its object: no response that has it
is shared."""


def strawberry_field(field: GraphQLField) -> StrawberryField | None:
    """The field's definition in Strawberry, if that is where it comes from."""
    found = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return found if isinstance(found, StrawberryField) else None


def depends_on_viewer(field: GraphQLField) -> bool:
    return bool(mark(field, "depends_on_viewer"))


def mark(field: GraphQLField, name: str) -> Any:
    """What the schema says of the field under this name; None if it says nothing."""
    definition = strawberry_field(field)
    return (field.extensions if definition is None else definition.metadata).get(name)
