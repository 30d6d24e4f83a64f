"""The parameters of a request, as every transport carries them."""

from dataclasses import dataclass
from typing import Any

from execution.errors import RequestError

PERSISTED_QUERY = "persistedQuery"
"""The extension that names a document by its hash."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str | None = None
    """None where the extension `persistedQuery` stands for it."""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None


def parse_request(body: object) -> GraphQLRequest:
    """The request in a decoded JSON value (GraphQL over HTTP, "Request Parameters").

    Raises RequestError (BAD_USER_INPUT) when it is none. Entries of other names are ignored.
    """
    if not isinstance(body, dict):
        raise RequestError.of("The request must be a JSON object.")
    extensions = _optional_object(body, "extensions")
    query = body.get("query")
    is_named = extensions is not None and extensions.get(PERSISTED_QUERY) is not None
    if not isinstance(query, str) and (query is not None or not is_named):
        raise RequestError.of("The parameter 'query' must be a string.")
    operation_name = body.get("operationName")
    if not isinstance(operation_name, str | None):
        raise RequestError.of("The parameter 'operationName' must be a string or null.")
    return GraphQLRequest(
        query=query,
        variables=_optional_object(body, "variables"),
        operation_name=operation_name,
        extensions=extensions,
    )


def _optional_object(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if not isinstance(value, dict | None):
        raise RequestError.of(f"The parameter '{name}' must be an object or null.")
    return value
