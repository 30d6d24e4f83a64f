"""Errors that arise outside of the engine, as entries of `errors`."""

import logging
import secrets
from typing import Any

from application.transports.gateway import Refused

_log = logging.getLogger(__name__)

_CODES = {1012: "UNAVAILABLE", 1013: "UNAVAILABLE", 4429: "RATE_LIMITED"}
"""Of the close codes that do not tell of the credentials."""


def error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def unexpected(what: str) -> dict[str, Any]:
    """The error for the exception that is being handled, which is logged under the same id."""
    error_id = secrets.token_hex(8)
    _log.exception("Unexpected error %s: %s", error_id, what)
    entry = error("Internal server error.", "INTERNAL_SERVER_ERROR")
    entry["extensions"]["id"] = error_id
    return entry


def ending(code: int, reason: str) -> dict[str, Any]:
    """The error for a connection that has no close codes."""
    return error(reason, _CODES.get(code, "UNAUTHENTICATED"))


def refusal(refused: Refused) -> dict[str, Any]:
    return ending(refused.code, refused.reason)
