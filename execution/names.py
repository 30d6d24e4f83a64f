"""The names that stand in a part of a document."""

from typing import Any

from graphql import FragmentSpreadNode, Node, VariableNode, Visitor, visit


class _Names(Visitor):
    """Those of variables and of spread fragments, in the order of their appearance."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: list[str] = []
        self.fragments: list[str] = []

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.append(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.fragments.append(node.name.value)


def names_in(node: Node) -> _Names:
    names = _Names()
    visit(node, names)
    return names
