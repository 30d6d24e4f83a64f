"""The schema holds the API's core to the letter, describes everything, and its file is current."""

import re
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    build_ast_schema,
    parse,
    print_ast,
)
from graphql import (
    build_schema as build_schema_of,
)

from resolvers.export import REFERENCE_FILE, SCHEMA_FILE
from resolvers.reference import write_reference
from resolvers.root import build_schema

SCHEMA = build_schema()
CORE = parse((Path(__file__).parent / "core.graphql").read_text())
Fielded = GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text() == f"{SCHEMA.as_str()}\n", "run `make schema`"


def test_the_committed_reference_is_current() -> None:
    assert REFERENCE_FILE.read_text() == write_reference(SCHEMA._schema), "run `make schema`"


def test_each_link_of_the_reference_leads_somewhere() -> None:
    text = REFERENCE_FILE.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = [heading.replace(".", "").replace(" ", "-").lower() for heading in headings]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)
    assert {name for name in SCHEMA._schema.type_map if not name.startswith("__")} <= {
        *headings, "Query", "Mutation", "Subscription", "ID", "String", "Int", "Boolean",
    }  # fmt: skip


def test_the_reference_shows_defaults() -> None:
    schema = build_schema_of('type Query { "A." a("B." b: [Int!] = [1, 2], "C." c: Int): Int }')
    assert "| `b` | `[Int!]` | `[1, 2]` | B. |\n| `c` | `Int` |  | C. |" in write_reference(schema)


def test_the_committed_schema_builds_by_itself() -> None:
    build_ast_schema(parse(SCHEMA_FILE.read_text()))


def signature(field: FieldDefinitionNode) -> tuple[str, dict[str, str]]:
    """A field's type and its arguments' types."""
    arguments = {
        argument.name.value: print_ast(argument.type) for argument in field.arguments or ()
    }
    return print_ast(field.type), arguments


@pytest.mark.parametrize(
    "definition", CORE.definitions, ids=lambda definition: definition.name.value
)
def test_the_core_is_there_as_written(definition: DocumentNode) -> None:
    match definition:
        case ScalarTypeDefinitionNode():
            scalar = SCHEMA._schema.type_map[definition.name.value]
            assert getattr(scalar, "specified_by_url", None)
        case EnumTypeDefinitionNode():
            enum = SCHEMA._schema.type_map[definition.name.value]
            assert isinstance(enum, GraphQLEnumType)
            assert set(enum.values) >= {value.name.value for value in definition.values or ()}
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            type_ = SCHEMA._schema.type_map[definition.name.value]
            assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
            for interface in definition.interfaces or ():
                assert interface.name.value in {each.name for each in type_.interfaces}
            for node in definition.fields or ():
                wanted, arguments = signature(node)
                field = type_.fields[node.name.value]
                assert str(field.type) == wanted
                for name, argument in arguments.items():
                    assert str(field.args[name].type) == argument
        case InputObjectTypeDefinitionNode():
            type_ = SCHEMA._schema.type_map[definition.name.value]
            assert isinstance(type_, GraphQLInputObjectType)
            for value in definition.fields or ():
                assert str(type_.fields[value.name.value].type) == print_ast(value.type)
        case _:
            pytest.fail(f"unexpected {definition.kind}")


@pytest.mark.parametrize("name", ["User", "Room", "Message"])
def test_connections_follow_the_specification(name: str) -> None:
    types = SCHEMA._schema.type_map
    connection, edge = types[f"{name}Connection"], types[f"{name}Edge"]
    assert isinstance(connection, GraphQLObjectType)
    assert isinstance(edge, GraphQLObjectType)
    assert {field: str(node.type) for field, node in connection.fields.items()} == {
        "edges": f"[{name}Edge!]!",
        "nodes": f"[{name}!]!",
        "pageInfo": "PageInfo!",
    }
    assert {field: str(node.type) for field, node in edge.fields.items()} == {
        "cursor": "String!",
        "node": f"{name}!",
    }


def test_page_info_follows_the_specification() -> None:
    page_info = SCHEMA._schema.type_map["PageInfo"]
    assert isinstance(page_info, GraphQLObjectType)
    assert {field: str(node.type) for field, node in page_info.fields.items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


@pytest.mark.parametrize(
    "type_",
    [type_ for name, type_ in SCHEMA._schema.type_map.items() if not name.startswith("__")],
    ids=str,
)
def test_everything_has_a_description(type_: GraphQLNamedType) -> None:
    assert type_.description
    if isinstance(type_, GraphQLEnumType):
        assert all(value.description for value in type_.values.values())
    if isinstance(type_, Fielded):
        for name, field in type_.fields.items():
            assert field.description, name
            for argument_name, argument in getattr(field, "args", {}).items():
                assert argument.description, f"{name}({argument_name})"
