"""The failures that a caller or an operator can do something about; everything else is a bug."""

from typing import ClassVar


class ChatError(Exception):
    """Base of the expected failures. `code` is what a client sees in `extensions.code`."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(ChatError):
    """Nobody is logged in, or the credentials are wrong."""

    code = "UNAUTHENTICATED"


class Forbidden(ChatError):
    """Logged in, but not allowed to."""

    code = "FORBIDDEN"


class NotFound(ChatError):
    """There is no such record, or the viewer may not know that there is."""

    code = "NOT_FOUND"


class BadUserInput(ChatError):
    """A value that cannot be used; `field` names it as the API does, e.g. `input.username`."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class Conflict(ChatError):
    """The name is taken, or the idempotency key was used for something else."""

    code = "CONFLICT"


class RateLimited(ChatError):
    """Too much at once; trying again after so many seconds helps."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(ChatError):
    """The store cannot be reached or does not take writes right now."""

    code = "UNAVAILABLE"


class CursorExpired(ChatError):
    """The history after the cursor is no longer kept: the client reloads."""

    code = "CURSOR_EXPIRED"


class OperatorError(Exception):
    """What only the operator can put right; the message is one line that says what to do."""
