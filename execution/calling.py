"""Calling the function behind a Strawberry field, with the arguments that Strawberry would give it.

For each call Strawberry looks at each argument's type anew, makes every name of GraphQL's again,
and wraps what comes back twice. Here all that can be told by the schema is told once for a plan.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)
from strawberry import Schema
from strawberry.relay import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from execution.marks import strawberry_field

Convert = Callable[[Any], Any]
Resolve = Callable[..., Any]

_BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


class _NotPlain(Exception):
    """Something about the field that is left to Strawberry."""


def plain_call(field: GraphQLField, schema: GraphQLSchema) -> Resolve | None:
    """What resolves the field as Strawberry's resolver does; None where that does more than
    convert arguments and call a function."""
    definition, strawberry = strawberry_field(field), schema.extensions.get(_BACKREF)
    if type(definition) is not StrawberryField or not isinstance(strawberry, Schema):
        return None
    if definition.extensions or isinstance(get_named_type(field.type), GraphQLUnionType):
        return None  # Permissions, say; or members of a union that stand for exceptions.
    if field.subscribe is not None:
        return None  # The function makes the stream, and does not resolve its events.
    try:
        return _resolve(field, definition, strawberry.config.info_class)
    except _NotPlain:
        return None


def _resolve(field: GraphQLField, definition: StrawberryField, info_class: type[Any]) -> Resolve:
    resolver = definition.base_resolver
    if resolver is None:
        raise _NotPlain
    reserved = {each for each in resolver.reserved_parameters.values() if each is not None}
    has_self, info_parameter = resolver.self_parameter is not None, resolver.info_parameter
    info_name = None if info_parameter is None else info_parameter.name
    function = resolver.wrapped_func
    if reserved - {resolver.self_parameter, info_parameter} or not callable(function):
        raise _NotPlain
    converters = _converters(field, definition)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        converted = {}
        for name, value in arguments.items():
            python_name, convert = converters[name]
            converted[python_name] = value if convert is None else convert(value)
        if info_name is not None:
            converted[info_name] = info_class(_raw_info=info, _field=definition)
        return function(source, **converted) if has_self else function(**converted)

    return resolve


def _converters(
    field: GraphQLField, definition: StrawberryField
) -> dict[str, tuple[str, Convert | None]]:
    """By the arguments' names in GraphQL: those in Python, and what converts them."""
    return {
        name: (argument.python_name, _converter(field.args[name].type, argument.type))
        for name, argument in zip(field.args, definition.arguments, strict=True)
    }


def _converter(type_: GraphQLInputType, declared: object) -> Convert | None:
    """What converts a value that graphql-core has coerced; None where nothing is to be done."""
    if isinstance(declared, StrawberryOptional) and not isinstance(declared, StrawberryMaybe):
        declared = declared.of_type
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if isinstance(declared, StrawberryMaybe) or declared is GlobalID:
        raise _NotPlain
    if is_leaf_type(type_):
        return None
    if not isinstance(type_, GraphQLInputObjectType):
        raise _NotPlain
    return _input_converter(type_)


def _input_converter(type_: GraphQLInputObjectType) -> Convert:
    definition = type_.extensions.get(_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.from_input is not None:
        raise _NotPlain
    fields = {}
    for name, field in type_.fields.items():
        declared = field.extensions.get(_BACKREF)
        if not isinstance(declared, StrawberryField):
            raise _NotPlain
        fields[name] = declared.python_name, _converter(field.type, declared.type)
    make = definition.origin
    absent = _absent(definition)

    def convert(value: Mapping[str, Any] | None) -> Any:
        if value is None:
            return None
        members = dict(absent)
        for name, member in value.items():
            python_name, convert_member = fields[name]
            members[python_name] = member if convert_member is None else convert_member(member)
        return make(**members)

    return convert


def _absent(definition: StrawberryObjectDefinition) -> dict[str, None]:
    """Fields without a default, which Strawberry takes for null where they are left out."""
    return {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
