"""Errors that arise outside of the engine, as entries of `errors`."""

from typing import Any

from application.transports.gateway import Refused

_RETRIED = {1012, 1013}
"""Close codes that tell of the server, not of the credentials."""


def error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


INTERNAL_ERROR = error("Internal server error.", "INTERNAL_SERVER_ERROR")
"""For exceptions that nobody foresaw: whoever answers with it logs them."""


def ending(code: int, reason: str) -> dict[str, Any]:
    """The error for a connection that has no close codes."""
    return error(reason, "UNAVAILABLE" if code in _RETRIED else "UNAUTHENTICATED")


def refusal(refused: Refused) -> dict[str, Any]:
    return ending(refused.code, refused.reason)
