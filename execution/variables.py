"""What is wrong with the values of the variables, and where."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    is_input_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.pyutils import print_path_list
from graphql.utilities import validate_input_value

from execution.errors import BAD_USER_INPUT, RequestError, with_code


def coercion_error(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    values: Mapping[str, Any],
    reported: Sequence[GraphQLError],
    *,
    hide_suggestions: bool = False,
) -> RequestError:
    """The request error for values that graphql-core refused with the errors in `reported`.

    graphql-core tells the path in the message only, so the values are looked at once more: each
    error gets `extensions.field`, such as `input.username`. Without a node in `reported`, the
    looking was given up (too deep, too many errors), and is not repeated.
    """
    located: list[GraphQLError] = []
    if all(error.nodes for error in reported):
        for definition in operation.variable_definitions or ():
            located += _errors_of(schema, definition, values, hide_suggestions)
    return RequestError(located or [with_code(error, BAD_USER_INPUT) for error in reported])


def _errors_of(
    schema: GraphQLSchema,
    definition: VariableDefinitionNode,
    values: Mapping[str, Any],
    hide_suggestions: bool,
) -> list[GraphQLError]:
    name = definition.variable.name.value
    type_ = type_from_ast(schema, definition.type)
    value = values.get(name, Undefined)
    if not is_input_type(type_) or (value is Undefined and _may_be_absent(definition, type_)):
        return []
    errors: list[GraphQLError] = []

    def report(error: GraphQLError, path: list[str | int]) -> None:
        errors.append(
            GraphQLError(
                f"Variable '${name}' has invalid value{print_path_list(path)}: {error.message}",
                definition,
                extensions={
                    "code": BAD_USER_INPUT,
                    "field": ".".join([name, *map(str, path)]),
                },
            )
        )

    validate_input_value(value, type_, report, hide_suggestions)
    return errors


def _may_be_absent(definition: VariableDefinitionNode, type_: object) -> bool:
    return definition.default_value is not None or not is_non_null_type(type_)
