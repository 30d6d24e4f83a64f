"""Errors as callers see them: a message, a code, nothing internal."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from services.errors import BadUserInput, ChatError, RateLimited

_log = logging.getLogger(__name__)


def format_error(error: GraphQLError) -> dict[str, Any]:
    """The entry of `errors`; an unexpected exception is masked, and logged under an id."""
    formatted = dict(error.formatted)
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, ChatError):
        extensions: dict[str, Any] = {"code": cause.code}
        if isinstance(cause, BadUserInput):
            extensions["field"] = cause.field
        elif isinstance(cause, RateLimited):
            extensions["retryAfter"] = cause.retry_after
        return {**formatted, "message": cause.message, "extensions": extensions}
    if cause is None and error.extensions and "code" in error.extensions:
        return formatted
    error_id = secrets.token_hex(8)
    _log.error("Unexpected error %s at %s", error_id, error.path, exc_info=cause or error)
    return {
        **formatted,
        "message": "Internal server error.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "id": error_id},
    }
