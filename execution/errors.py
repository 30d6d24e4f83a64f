"""The errors of a request: whatever prevents an operation from being executed at all."""

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

BAD_USER_INPUT = "BAD_USER_INPUT"
PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"

MAX_ERRORS = 20
"""Of one request; then the looking for more is given up, and the last one says so."""


class RequestError(Exception):
    """A request error: the response has `errors` and no `data` (GraphQL, section 7.1)."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(error.message for error in self.errors))

    @classmethod
    def of(cls, message: str, code: str = BAD_USER_INPUT) -> "RequestError":
        return cls([GraphQLError(message, extensions={"code": code})])

    @property
    def formatted(self) -> list[dict[str, Any]]:
        """The errors as the `errors` entry lists them; each has `extensions.code`."""
        return [dict(error.formatted) for error in self.errors]


class NotNow(Exception):
    """An event cannot be executed at present; executing it again later helps."""


def with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {**(error.extensions or {}), "code": code}
    return error
