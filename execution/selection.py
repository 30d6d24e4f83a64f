"""What the payloads of a subscription consist of, whoever follows it and with what arguments.

Two subscriptions with the same payload selection, and the same values of the variables in it, have
the same response to an event: it can be made once for both, unless something in it depends on the
viewer.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    print_ast,
    visit,
)

from execution.marks import depends_on_viewer
from execution.names import names_in


@dataclass(frozen=True, slots=True)
class PayloadSelection:
    """The root field without its arguments, and all that is selected in it."""

    text: str
    """The same for documents that differ in spacing, comments, unused parts and names only."""
    variables: tuple[str, ...]
    """Names of the variables in it, in the order of their names."""
    depends_on_viewer: bool
    """Whether a field in it is marked so (see `execution.marks`), included or not."""

    @classmethod
    def of(
        cls, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> "PayloadSelection":
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        roots = [
            _without_arguments(field)
            for field in _root_fields(operation.selection_set, fragments, set())
        ]
        used = _used_fragments(roots, fragments)
        names = sorted({name for node in [*roots, *used] for name in names_in(node).variables})
        types = [
            f"${definition.variable.name.value}: {print_ast(definition.type)}"
            for definition in operation.variable_definitions or ()
            if definition.variable.name.value in names
        ]
        return cls(
            text="\n".join([*sorted(types), *(print_ast(node) for node in [*roots, *used])]),
            variables=tuple(names),
            depends_on_viewer=_is_any_marked(schema, operation, fragments),
        )

    def key(self, definition: OperationDefinitionNode, given: Mapping[str, Any]) -> str:
        """A digest of the selection and the values of its variables, as a client gave them."""
        defaults = {
            node.variable.name.value: print_ast(node.default_value)
            for node in definition.variable_definitions or ()
            if node.default_value is not None
        }
        values = [
            [name, given[name]] if name in given else [name, None, defaults.get(name)]
            for name in self.variables
        ]
        text = orjson.dumps([self.text, values], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()


def _root_fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[FieldNode]:
    """The nodes of the root field: one, or several that are merged."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in seen:
                seen.add(name)
                yield from _root_fields(fragments[name].selection_set, fragments, seen)
        else:
            yield from _root_fields(selection.selection_set, fragments, seen)  # type: ignore[attr-defined]


def _without_arguments(field: FieldNode) -> FieldNode:
    return FieldNode(
        alias=field.alias,
        name=field.name,
        arguments=(),
        directives=field.directives,
        selection_set=field.selection_set,
    )


def _used_fragments(
    nodes: Iterable[Node], fragments: Mapping[str, FragmentDefinitionNode]
) -> list[FragmentDefinitionNode]:
    """All that the nodes spread and what these spread, in the order of their appearance."""
    used: dict[str, FragmentDefinitionNode] = {}
    waiting = list(nodes)
    while waiting:
        for name in names_in(waiting.pop(0)).fragments:
            if name not in used:
                used[name] = fragments[name]
                waiting.append(fragments[name])
    return list(used.values())


class _Marked(Visitor):
    """Whether a field of the selection is marked, in its type or in one that implements it."""

    def __init__(self, schema: GraphQLSchema, type_info: TypeInfo) -> None:
        super().__init__()
        self._schema = schema
        self._type_info = type_info
        self.found = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        field, parent = self._type_info.get_field_def(), self._type_info.get_parent_type()
        if field is not None and parent is not None:
            candidates = [field, *self._of_implementations(parent, node.name.value)]
            self.found = self.found or any(map(depends_on_viewer, candidates))

    def _of_implementations(self, parent: GraphQLNamedType, name: str) -> list[GraphQLField]:
        if not isinstance(parent, GraphQLInterfaceType):
            return []
        types = self._schema.get_possible_types(parent)
        return [type_.fields[name] for type_ in types if name in type_.fields]


def _is_any_marked(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> bool:
    type_info = TypeInfo(schema)
    marked = _Marked(schema, type_info)
    for node in [operation, *_used_fragments([operation], fragments)]:
        visit(node, TypeInfoVisitor(type_info, marked))
    return marked.found
