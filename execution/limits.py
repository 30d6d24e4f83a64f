"""What one operation may ask for, measured before it is validated.

Each fragment is measured once and counted wherever it is spread, so that measuring is linear in
the document however often its fragments spread each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from execution.errors import VALIDATION_FAILED, RequestError

_LARGEST = 10**9
"""Counts stop here: a fragment that spreads the next one twice soon has hundreds of digits."""

_KEPT_COSTS = 64
"""Of one operation, by the sizes that its variables give."""

_INTROSPECTION = {"__schema", "__type"}
_PAGE_ARGUMENTS = ("first", "last")


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """The most that an operation may have of each; what is not said has no limit.

    What is in a fragment counts wherever it is spread. Introspection has no depth and no cost:
    what it answers is the schema, whatever the data.
    """

    depth: int = _LARGEST
    """Fields inside of fields."""
    aliases: int = _LARGEST
    directives: int = _LARGEST
    root_fields: int = _LARGEST
    fields: int = _LARGEST
    """Of one selection. To see whether they can be merged, each is compared with each."""
    fragments: int = _LARGEST
    """Of one document, spread or not. Where they meet, each is compared with each, too."""
    cost: int = _LARGEST
    """Objects in the response. What is selected in a field with `first` or `last`, or with a list
    as an argument, counts as often as that says."""
    default_page: int = 50
    """What a field with `first` or `last` returns if neither is given."""
    max_page: int = _LARGEST
    """The largest page that the resolvers allow; asking for more is an error of theirs."""


@dataclass(frozen=True, slots=True)
class _Size:
    """How many objects a field may return: the largest of what its arguments say."""

    known: int | None
    variables: tuple[str, ...] = ()

    def of(self, sizes: Mapping[str, int | None], limits: OperationLimits) -> int:
        given = [size for name in self.variables if (size := sizes.get(name)) is not None]
        if self.known is not None:
            given.append(self.known)
        return min(max(0, *given) if given else limits.default_page, limits.max_page)


@dataclass(frozen=True, slots=True)
class _Step:
    """The cost of a selection that variables decide, by its place in the program."""

    index: int


_Cost = int | _Step
_ONCE = _Size(1)


@dataclass(frozen=True, slots=True)
class _Measure:
    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    """Of the selection itself, fragments included."""
    cost: _Cost = 0


@dataclass(slots=True)
class _Program:
    """Costs that depend on variables, each after those that it needs."""

    limits: OperationLimits
    steps: list[tuple[int, list[tuple[_Size, _Cost]]]] = field(default_factory=list)

    def add(self, fixed: int, parts: list[tuple[_Size, _Cost]]) -> _Cost:
        if not parts:
            return min(fixed, _LARGEST)
        self.steps.append((fixed, parts))
        return _Step(len(self.steps) - 1)

    def run(self, cost: _Cost, sizes: Mapping[str, int | None]) -> int:
        values: list[int] = []

        def value(cost: _Cost) -> int:
            return cost if isinstance(cost, int) else values[cost.index]

        if isinstance(cost, _Step):
            for fixed, parts in self.steps[: cost.index + 1]:
                total = fixed + sum(size.of(sizes, self.limits) * value(of) for size, of in parts)
                values.append(min(total, _LARGEST))
        return value(cost)


class OperationCost:
    """How many objects an operation may return, by the values of its variables."""

    def __init__(self, program: _Program, cost: _Cost, definition: OperationDefinitionNode) -> None:
        self._program = program
        self._cost = cost
        self._definition = definition
        self._kept: dict[tuple[int | None, ...], int] = {}

    def check(self, variables: Mapping[str, Any]) -> None:
        """Raises RequestError (GRAPHQL_VALIDATION_FAILED) for more than the limit."""
        cost = self.of(variables)
        if cost > self._program.limits.cost:
            message = _over(f"The operation may return {cost:,} objects", self._program.limits.cost)
            raise RequestError.of(message, VALIDATION_FAILED)

    def of(self, variables: Mapping[str, Any]) -> int:
        if isinstance(self._cost, int):
            return self._cost
        sizes = {name: _given_size(variables, name, of) for name, of in self._defaults.items()}
        key = tuple(sizes.values())
        cost = self._kept.get(key)
        if cost is None:
            cost = self._program.run(self._cost, sizes)
            if len(self._kept) < _KEPT_COSTS:
                self._kept[key] = cost
        return cost

    @cached_property
    def _defaults(self) -> dict[str, int | None]:
        """The variables that decide sizes, with their default values' sizes."""
        deciding = {
            name for _, parts in self._program.steps for size, _ in parts for name in size.variables
        }
        return {
            variable.variable.name.value: _literal_size(variable.default_value)
            for variable in self._definition.variable_definitions or ()
            if variable.variable.name.value in deciding
        }


class Measured:
    """The operations of a document, measured."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, limits: OperationLimits
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._program = _Program(limits)
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._measured: dict[str, _Measure] = {}
        self._most_fields = 0
        self.costs: list[OperationCost] = []
        """Of each operation, in the document's order."""
        self.errors: list[GraphQLError] = []
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._measure(definition)
        self._check_fragments(document)

    def _measure(self, operation: OperationDefinitionNode) -> None:
        root = self._schema.get_root_type(operation.operation)
        try:
            measure = self._selection(operation.selection_set, root)
        except RecursionError:
            # As deep as that, only fragments in fragments can be.
            measure = _Measure(depth=_LARGEST)
        directives = measure.directives + len(operation.directives or ())
        limits = self._limits
        cost = measure.cost if isinstance(measure.cost, int) else 0
        if measure.depth > limits.depth:
            self._refuse(operation, f"nests fields {measure.depth:,} deep", limits.depth)
        if measure.aliases > limits.aliases:
            self._refuse(operation, f"has {measure.aliases:,} aliases", limits.aliases)
        if directives > limits.directives:
            self._refuse(operation, f"has {directives:,} directives", limits.directives)
        if measure.fields > limits.root_fields:
            self._refuse(operation, f"has {measure.fields:,} root fields", limits.root_fields)
        if self._most_fields > limits.fields:
            what = f"selects {self._most_fields:,} fields of one object"
            self._refuse(operation, what, limits.fields)
        if cost > limits.cost:
            self._refuse(operation, f"may return {cost:,} objects", limits.cost)
        self.costs.append(OperationCost(self._program, measure.cost, operation))

    def _check_fragments(self, document: DocumentNode) -> None:
        # Not by their names: one name for all of them is for the validation to find.
        count = sum(isinstance(node, FragmentDefinitionNode) for node in document.definitions)
        if count > self._limits.fragments:
            what = f"The document has {count:,} fragments"
            self.errors.append(GraphQLError(_over(what, self._limits.fragments)))

    def _refuse(self, operation: OperationDefinitionNode, what: str, most: int) -> None:
        self.errors.append(GraphQLError(_over(f"The operation {what}", most), operation))

    def _selection(
        self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType | None
    ) -> _Measure:
        selections = selection_set.selections if selection_set else ()
        measure = self._sum(self._selected(selection, parent) for selection in selections)
        self._most_fields = max(self._most_fields, measure.fields)
        return measure

    def _sum(self, parts: Iterable[tuple[_Size, _Measure]]) -> _Measure:
        depth = aliases = directives = fields = fixed = 0
        open_parts: list[tuple[_Size, _Cost]] = []
        for size, part in parts:
            depth = max(depth, part.depth)
            aliases += part.aliases
            directives += part.directives
            fields += part.fields
            if isinstance(part.cost, int) and not size.variables:
                fixed += size.of({}, self._limits) * part.cost
            else:
                open_parts.append((size, part.cost))
        return _Measure(
            depth,
            min(aliases, _LARGEST),
            min(directives, _LARGEST),
            min(fields, _LARGEST),
            self._program.add(fixed, open_parts),
        )

    def _selected(
        self, node: SelectionNode, parent: GraphQLNamedType | None
    ) -> tuple[_Size, _Measure]:
        directives = len(node.directives or ())
        match node:
            case FieldNode():
                measure = self._field(node, parent)
            case InlineFragmentNode():
                measure = self._selection(node.selection_set, self._condition(node, parent))
            case FragmentSpreadNode():
                measure = self._fragment(node.name.value)
            case _:
                measure = _Measure()
        return _ONCE, replace(measure, directives=measure.directives + directives)

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> _Measure:
        name = node.name.value
        definition = None
        if is_composite_type(parent):
            definition = self._schema.get_field(parent, name)
        type_ = get_named_type(definition.type) if definition else None
        inside = self._selection(node.selection_set, type_)
        aliases = inside.aliases + (node.alias is not None)
        if name in _INTROSPECTION:
            return _Measure(1, aliases, inside.directives, 1)
        own = _Measure(cost=int(is_composite_type(type_)))
        size = _size_of(node, definition)
        is_list = definition is not None and is_list_type(get_nullable_type(definition.type))
        cost = self._sum([(size if is_list else _ONCE, own), (size, inside)]).cost
        return _Measure(1 + inside.depth, aliases, inside.directives, 1, cost)

    def _fragment(self, name: str) -> _Measure:
        if name not in self._measured:
            # One that spreads itself, or that is not there, is for the validation to find.
            self._measured[name] = _Measure()
            if (fragment := self._fragments.get(name)) is not None:
                self._measured[name] = self._selection(
                    fragment.selection_set, self._condition(fragment, None)
                )
        return self._measured[name]

    def _condition(
        self,
        fragment: FragmentDefinitionNode | InlineFragmentNode,
        parent: GraphQLNamedType | None,
    ) -> GraphQLNamedType | None:
        condition = fragment.type_condition
        return parent if condition is None else self._schema.get_type(condition.name.value)


def _size_of(node: FieldNode, definition: GraphQLField | None) -> _Size:
    """A page's size, or the length of a list that is given; once for any other field."""
    if definition is None:
        return _ONCE
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    is_page = any(name in definition.args for name in _PAGE_ARGUMENTS)
    sizing = [
        given.get(name)
        for name, argument in definition.args.items()
        if name in _PAGE_ARGUMENTS or is_list_type(get_nullable_type(argument.type))
    ]
    if not sizing:
        return _ONCE
    known = [size for value in sizing if (size := _literal_size(value)) is not None]
    variables = tuple(value.name.value for value in sizing if isinstance(value, VariableNode))
    if not is_page and not known and not variables:
        return _ONCE
    return _Size(max(known, default=None), variables)


def _literal_size(value: ValueNode | None) -> int | None:
    match value:
        case IntValueNode():
            # Python refuses to read a number of thousands of digits.
            return int(value.value) if len(value.value) < 10 else _LARGEST
        case ListValueNode():
            return len(value.values)
    return None


def _given_size(variables: Mapping[str, Any], name: str, default: int | None) -> int | None:
    """The size that a raw value gives; None for one that is to be refused anyway."""
    match variables.get(name, default):
        case bool():
            return None
        case int(value):
            return value
        case float(value) if value.is_integer():
            return int(value)
        case list(values):
            return len(values)
    return None


def _over(what: str, most: int) -> str:
    return f"{what}; at most {most:,} are allowed."
