"""The reference of the API in Markdown, from the descriptions in the schema."""

from collections.abc import Iterable, Iterator, Mapping
from inspect import getdoc

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)
from graphql.utilities.get_default_value_ast import get_default_value_ast

from execution.errors import PARSE_FAILED, VALIDATION_FAILED
from execution.persisted import NOT_FOUND, NOT_SUPPORTED
from services.errors import ChatError

_INTRO = """\
# API reference

Written by `make schema` from the descriptions in [schema.graphql](../schema.graphql).
[Clients](clients.md) says how to talk to the server, [bots](bots.md) how programs take part.

`!` marks what is never null. An id is opaque, and so is a cursor."""

_ERRORS = """\
Every error has its code in `extensions.code`. BAD_USER_INPUT has `extensions.field` as well, and
RATE_LIMITED `extensions.retryAfter`, in seconds."""

_PROTOCOL_ERRORS = {
    PARSE_FAILED: "The document is not GraphQL, or longer than allowed.",
    VALIDATION_FAILED: "The document does not fit the schema, or asks for more than allowed.",
    NOT_FOUND: "The server does not know the document of this hash: send the text along.",
    NOT_SUPPORTED: "Documents are not found by such hashes.",
    "INTERNAL_SERVER_ERROR": "Nobody foresaw it; `extensions.id` stands in the server's log, too.",
}

_Inputs = Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]


def write_reference(schema: GraphQLSchema) -> str:
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    others = [
        type_
        for type_ in sorted(schema.type_map.values(), key=lambda type_: type_.name)
        if type_ not in roots
        and not is_introspection_type(type_)
        and not is_specified_scalar_type(type_)
    ]
    parts = [_INTRO]
    for title, root in zip(("Queries", "Mutations", "Subscriptions"), roots, strict=True):
        if root is not None:
            names = [f"{root.name}.{name}" for name in root.fields]
            parts += [f"## {title}", _contents(names), *_operations(root)]
    for title, kinds in (
        ("Objects", GraphQLObjectType),
        ("Interfaces", GraphQLInterfaceType),
        ("Inputs", GraphQLInputObjectType),
        ("Enums", GraphQLEnumType),
        ("Scalars", GraphQLScalarType),
    ):
        types = [type_ for type_ in others if isinstance(type_, kinds)]
        parts += [f"## {title}", _contents(type_.name for type_ in types)]
        for type_ in types:
            parts += _type(type_, schema)
    parts += ["## Errors", _ERRORS, _errors()]
    return "\n\n".join(parts) + "\n"


def _contents(names: Iterable[str]) -> str:
    return " · ".join(
        f"[{name.rpartition('.')[2]}](#{name.replace('.', '').lower()})" for name in names
    )


def _operations(root: GraphQLObjectType) -> Iterator[str]:
    for name, field in root.fields.items():
        yield f"### {root.name}.{name}"
        yield f"{field.description} Returns {_link(field.type)}."
        if field.args:
            yield _inputs("argument", field.args)


def _type(type_: GraphQLNamedType, schema: GraphQLSchema) -> Iterator[str]:
    yield f"### {type_.name}"
    yield str(type_.description)
    match type_:
        case GraphQLObjectType():
            if type_.interfaces:
                yield f"Implements {', '.join(map(_link, type_.interfaces))}."
            yield _fields(type_.fields)
        case GraphQLInterfaceType():
            of = schema.get_implementations(type_).objects
            yield f"Of {', '.join(_link(each) for each in sorted(of, key=lambda each: each.name))}."
            yield _fields(type_.fields)
        case GraphQLInputObjectType():
            yield _inputs("field", type_.fields)
        case GraphQLEnumType():
            values = type_.values.items()
            yield _table("value", ((f"`{name}`", value.description) for name, value in values))
        case GraphQLScalarType():
            yield f"Specified by {type_.specified_by_url}."


def _fields(fields: Mapping[str, GraphQLField]) -> str:
    rows = [
        (f"`{name}`{_arguments(field)}", _link(field.type), field.description)
        for name, field in fields.items()
    ]
    return _table("field | type", rows)


def _arguments(field: GraphQLField) -> str:
    if not field.args:
        return ""
    return f"({', '.join(f'`{name}`: {_link(arg.type)}' for name, arg in field.args.items())})"


def _inputs(kind: str, inputs: _Inputs) -> str:
    has_defaults = any(map(_default, inputs.values()))
    rows = [
        (f"`{name}`", _link(each.type), *[_default(each)] * has_defaults, each.description)
        for name, each in inputs.items()
    ]
    return _table(f"{kind} | type{' | default' * has_defaults}", rows)


def _default(of: GraphQLArgument | GraphQLInputField) -> str:
    value = get_default_value_ast(of)
    return "" if value is None else f"`{print_ast(value)}`"


def _link(type_: GraphQLType) -> str:
    named = get_named_type(type_)
    if is_specified_scalar_type(named):
        return f"`{type_}`"
    return f"[`{type_}`](#{named.name.lower()})"


def _errors() -> str:
    domain = {
        kind.code: " ".join((getdoc(kind) or "").split()) for kind in ChatError.__subclasses__()
    }
    rows = ((f"`{code}`", text) for code, text in {**domain, **_PROTOCOL_ERRORS}.items())
    return _table("code", rows)


def _table(columns: str, rows: Iterable[tuple[str | None, ...]]) -> str:
    head = f"| {columns} | |"
    line = "| " + " | ".join("---" for _ in head.split("|")[1:-1]) + " |"
    written = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join([head, line, *written])


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")
