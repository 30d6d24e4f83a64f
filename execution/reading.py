"""How the values of a field are had: what can be told by the schema, once for all executions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import FunctionType
from typing import Any

from graphql import GraphQLField, GraphQLSchema, GraphQLUnionType, get_named_type

from execution.calling import plain_call
from execution.marks import Load, load_of, strawberry_field


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the object, and nothing else."""

    get: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A plain function of the object alone."""

    call: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """One look-up for all objects of a level."""

    load: Load
    names: Mapping[str, str]
    """What it calls the field's arguments, by their names in GraphQL."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """A resolver of graphql-core, called for each object; None is the executor's default one."""

    resolve: Callable[..., Any] | None


Reading = Attribute | Method | Batch | Resolver


def reading_of(field: GraphQLField, schema: GraphQLSchema) -> Reading:
    definition = strawberry_field(field)
    if definition is not None and definition.extensions:
        return Resolver(field.resolve)  # Permissions, say.
    load = load_of(field)
    if load is not None:
        return Batch(load, _argument_names(field))
    return _without_resolving(field) or Resolver(plain_call(field, schema) or field.resolve)


def _argument_names(field: GraphQLField) -> dict[str, str]:
    definition = strawberry_field(field)
    if definition is None:
        return {name: name for name in field.args}
    python_names = (argument.python_name for argument in definition.arguments)
    return dict(zip(field.args, python_names, strict=True))


def _without_resolving(field: GraphQLField) -> Attribute | Method | None:
    """What Strawberry's resolver would do, where that is next to nothing."""
    definition = strawberry_field(field)
    if definition is None or field.args:
        return None
    resolver = definition.base_resolver
    if resolver is None:
        is_plain = getattr(field.resolve, "_is_default", False)
        is_plain = is_plain and definition.default_resolver is getattr
        return Attribute(attrgetter(definition.python_name)) if is_plain else None
    reserved = {name for name in resolver.reserved_parameters.values() if name is not None}
    is_method = resolver.self_parameter is not None and reserved == {resolver.self_parameter}
    # A union may have members that stand for exceptions, which is for Strawberry to do.
    may_catch = isinstance(get_named_type(field.type), GraphQLUnionType)
    if resolver.is_async or not is_method or may_catch:
        return None
    call = resolver.wrapped_func
    return Method(call) if isinstance(call, FunctionType) else None
