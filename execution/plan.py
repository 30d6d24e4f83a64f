"""Plans: the selections of an operation, compiled for one set of its conditions.

A plan is a tree: for each object type that may be met at a place, the fields that are collected
there (GraphQL, section 6.3.2), each with its reading, its shape and what is selected in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Visitor,
    is_abstract_type,
    is_leaf_type,
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import (
    FieldDetailsList,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import get_argument_values

from execution.names import names_in
from execution.reading import Reading, reading_of
from execution.shapes import (
    AbstractShape,
    LeafShape,
    ListShape,
    ObjectShape,
    Shape,
    is_our_type_check,
)

_MAX_SIZE = 1_500
"""Of one plan. Fragments that spread others twice can stand for any number of fields, of which the
data may never need one."""

_IMMUTABLE = (str, int, float, bool, type(None))


Columns = Sequence[Sequence[Any]]

MakeObjects = Callable[[Columns], list[dict[str, Any]]]
"""The objects of a response, of the columns of their fields' values."""


class NotCovered(Exception):
    """Something that is left to graphql-core."""


@dataclass(eq=False, slots=True)
class FieldPlan:
    """A field of a selection."""

    key: str
    field: GraphQLField
    parent: GraphQLObjectType
    nodes: list[FieldNode]
    reading: Reading
    shape: Shape
    constant_arguments: dict[str, Any] | None
    """The coerced arguments where they are always the same; else they are coerced each time."""


@dataclass(eq=False, slots=True)
class SelectionPlan:
    """What is selected in the objects of one type at one place."""

    type: GraphQLObjectType
    fields: list[FieldPlan]
    make_objects: MakeObjects
    size: int
    """How many selections and fields there are, with all that is selected in it."""
    agreed: set[object] = field(default_factory=set)
    """Classes that `is_type_of` of the type has agreed to."""


def compiled(executor: Executor[Any]) -> SelectionPlan | None:
    """The plan of the executor's operation, for the values that its conditions have now; None for
    one that is not covered."""
    try:
        return _Compiler(executor).root()
    except (NotCovered, GraphQLError, RecursionError):
        return None


class _Compiler:
    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor
        self._size = 0
        """Of all selections that were begun."""

    def root(self) -> SelectionPlan:
        executor = self._executor
        root_type = executor.schema.get_root_type(executor.operation.operation)
        if root_type is None:
            raise NotCovered
        collected = collect_fields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            root_type,
            executor.operation,
            executor.hide_suggestions,
        )
        return self._selection(root_type, collected.grouped_field_set)

    def _selection(self, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> SelectionPlan:
        before = self._size
        self._grow()
        fields: list[FieldPlan] = []
        members: dict[str, str | None] = {}
        for key, details in grouped.items():
            name = details[0].node.name.value
            if name == "__typename":
                members[key] = type_.name
            else:
                members[key] = None
                fields.append(self._field(type_, key, name, details))
        return SelectionPlan(type_, fields, _object_maker(members), self._size - before)

    def _field(
        self, parent: GraphQLObjectType, key: str, name: str, details: FieldDetailsList
    ) -> FieldPlan:
        self._grow()
        field = self._executor.schema.get_field(parent, name)
        if field is None or name.startswith("__"):
            raise NotCovered
        for detail in details:
            if detail.defer_usage or detail.fragment_variable_values or _streams(detail.node):
                raise NotCovered
        return FieldPlan(
            key=key,
            field=field,
            parent=parent,
            nodes=[detail.node for detail in details],
            reading=reading_of(field, self._executor.schema),
            shape=self._shape(field.type, details),
            constant_arguments=self._constant_arguments(field, details[0].node),
        )

    def _grow(self) -> None:
        self._size += 1
        if self._size > _MAX_SIZE:
            raise NotCovered

    def _constant_arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Any] | None:
        if any(names_in(argument).variables for argument in node.arguments or ()):
            return None
        executor = self._executor
        arguments = get_argument_values(
            field, node, executor.variable_values, None, executor.hide_suggestions
        )
        return arguments if are_immutable(arguments) else None

    def _shape(
        self, type_: GraphQLOutputType, details: FieldDetailsList, nullable: bool = True
    ) -> Shape:
        if isinstance(type_, GraphQLNonNull):
            return self._shape(type_.of_type, details, nullable=False)
        if isinstance(type_, GraphQLList):
            return ListShape(self._shape(type_.of_type, details), nullable)
        if is_leaf_type(type_):
            return LeafShape(type_, nullable)
        if isinstance(type_, GraphQLObjectType):
            return ObjectShape(self._subselection(type_, details), nullable)
        if is_abstract_type(type_) and is_our_type_check(type_.resolve_type):
            selections = {
                possible.name: self._subselection(possible, details)
                for possible in self._executor.schema.get_possible_types(type_)
            }
            return AbstractShape(type_, selections, nullable)
        raise NotCovered

    def _subselection(self, type_: GraphQLObjectType, details: FieldDetailsList) -> SelectionPlan:
        if type_.is_type_of is not None and not is_our_type_check(type_.is_type_of):
            raise NotCovered
        executor = self._executor
        collected = collect_subfields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            executor.operation,
            type_,
            details,
            executor.hide_suggestions,
        )
        return self._selection(type_, collected.grouped_field_set)


def _object_maker(members: Mapping[str, str | None]) -> MakeObjects:
    """What makes objects with these keys in this order, each with a constant or a column's value.

    As code of its own, like that of a dataclass: `dict(zip(keys, row))` takes three times as long.
    Keys are names (GraphQL, section 2.1.9), so there is nothing to escape.
    """
    count = sum(constant is None for constant in members.values())
    if count == 0:
        return lambda columns: [dict(members)]
    values = iter(range(count))
    pairs = (
        f"{key!r}: v{next(values)}" if constant is None else f"{key!r}: {constant!r}"
        for key, constant in members.items()
    )
    row = "".join(f"v{number}, " for number in range(count))
    code = f"lambda columns: [{{{', '.join(pairs)}}} for {row} in zip(*columns)]"
    made: MakeObjects = eval(code, {"zip": zip})  # noqa: S307
    return made


def are_immutable(arguments: dict[str, Any]) -> bool:
    """Whether several calls may have the same arguments, whatever is done with them."""
    return all(isinstance(value, _IMMUTABLE) for value in arguments.values())


def _streams(node: FieldNode) -> bool:
    return any(directive.name.value == "stream" for directive in node.directives or ())


def condition_variables(document: DocumentNode) -> list[str]:
    """The variables in `@skip` and `@include`: what the collected fields depend on."""
    conditions = _Conditions()
    visit(document, conditions)
    return list(conditions.variables)


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            self.variables |= dict.fromkeys(names_in(node).variables)
