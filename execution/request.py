"""The parameters of a request, as every transport carries them."""

from dataclasses import dataclass
from typing import Any

from execution.errors import RequestError


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None


def parse_request(body: object) -> GraphQLRequest:
    """The request in a decoded JSON value (GraphQL over HTTP, "Request Parameters").

    Raises RequestError (BAD_USER_INPUT) when it is none. Entries of other names are ignored.
    """
    if isinstance(body, list):
        raise RequestError.of("Batches are not supported: send one request at a time.")
    if not isinstance(body, dict):
        raise RequestError.of("The request must be a JSON object.")
    query = body.get("query")
    if not isinstance(query, str):
        raise RequestError.of("The parameter 'query' must be a string.")
    operation_name = body.get("operationName")
    if not isinstance(operation_name, str | None):
        raise RequestError.of("The parameter 'operationName' must be a string or null.")
    return GraphQLRequest(
        query=query,
        variables=_optional_object(body, "variables"),
        operation_name=operation_name,
        extensions=_optional_object(body, "extensions"),
    )


def _optional_object(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = body.get(name)
    if not isinstance(value, dict | None):
        raise RequestError.of(f"The parameter '{name}' must be an object or null.")
    return value
