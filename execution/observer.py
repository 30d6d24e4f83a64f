"""What the engine tells of its work: for metrics and traces."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from execution.errors import RequestError
    from execution.operation import Operation

_NOTHING = nullcontext(None)


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


def observed_by(*observers: Observer | None) -> Observer:
    """All that there are as one."""
    several = tuple(observer for observer in observers if observer is not None)
    if len(several) > 1:
        return _Several(several)
    return several[0] if several else Observer()


class _Several(Observer):
    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def refused(self, error: "RequestError") -> None:
        for observer in self._observers:
            observer.refused(error)

    @contextmanager
    def executing(self, operation: "Operation") -> Iterator[None]:
        with ExitStack() as stack:
            for observer in self._observers:
                stack.enter_context(observer.executing(operation))
            yield

    def failed(self, operation: "Operation", errors: list[dict[str, Any]]) -> None:
        for observer in self._observers:
            observer.failed(operation, errors)
