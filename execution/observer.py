"""What the engine tells of its work: for metrics and traces."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from execution.errors import RequestError
    from execution.operation import Operation

_NOTHING = nullcontext()


class Observer:
    """Hears of operations; one that wants to hear of something overrides it. None may raise."""

    def refused(self, error: "RequestError") -> None:
        """A request asks for nothing that can be executed."""

    def executing(self, operation: "Operation") -> AbstractContextManager[None]:
        """Entered while a query or mutation is executed, or a subscription opened.

        What leaves it is what `Engine.execute` and `subscribe` raise.
        """
        return _NOTHING

    def failed(self, operation: "Operation", errors: list[dict[str, Any]]) -> None:
        """A response has errors: the entries of `errors`. It may be that to one event."""
