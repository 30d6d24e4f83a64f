"""What a schema says of its fields for the execution, beyond GraphQL.

In Strawberry as a field's metadata, `strawberry.field(metadata=DEPENDS_ON_VIEWER)`; in other
schemas of graphql-core as a field's extensions, `GraphQLField(..., extensions=DEPENDS_ON_VIEWER)`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLField
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Load = Callable[..., Awaitable[Sequence[Any]] | Sequence[Any]]
"""`load(context, sources, **arguments)`: the field's value for each of the sources, in their order,
an exception in the place of one that fails."""

DEPENDS_ON_VIEWER: Mapping[str, Any] = {"depends_on_viewer": True}
"""The field's value is not the same for everyone who may see its object: no response that has it
is shared."""

_LOAD = "load"


def strawberry_field(field: GraphQLField) -> StrawberryField | None:
    """The field's definition in Strawberry, if that is where it comes from."""
    found = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return found if isinstance(found, StrawberryField) else None


def batch_mark(load: Load) -> Mapping[str, Any]:
    """The mark of a field that can be looked up for many objects at once.

    Its resolver has to give the same for a single object; `execution.batching` makes one.
    """
    return {_LOAD: load}


def depends_on_viewer(field: GraphQLField) -> bool:
    return bool(_marks(field).get("depends_on_viewer"))


def load_of(field: GraphQLField) -> Load | None:
    found: Load | None = _marks(field).get(_LOAD)
    return found


def _marks(field: GraphQLField) -> Mapping[str, Any]:
    definition = strawberry_field(field)
    return field.extensions if definition is None else definition.metadata
