"""Operations, counted by type, name and the code of their errors."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from execution.errors import RequestError
from execution.observer import Observer
from execution.operation import Operation
from services.durations import Durations

OTHERS = "(other)"
"""No operation can have this name."""

MOST_NAMES = 50
"""Names are the clients' choice, and each takes memory here and in whatever collects metrics."""

_LONGEST_NAME = 64

_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_UNEXPECTED = "INTERNAL_SERVER_ERROR"


class Tally:
    """Of the operations of one type and name."""

    __slots__ = ("begun", "durations", "errors")

    def __init__(self) -> None:
        self.begun = 0
        self.durations = Durations(_BOUNDS)
        """Of queries and mutations that are over."""
        self.errors: Counter[str] = Counter()
        """By the code of a response's first error."""


class OperationTallies(Observer):
    """A tally for each name that was executed, up to `MOST_NAMES`; the rest have one together.

    Names that are known before, as those of the web client, have their place in any case.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.refused_requests: Counter[str] = Counter()
        """By the code of the first error."""
        self._known = frozenset(known)
        self._strangers: set[str] = set()
        self._tallies: dict[tuple[str, str], Tally] = {}

    def __iter__(self) -> Iterator[tuple[str, str, Tally]]:
        """Type, name and tally; the name of anonymous ones is empty."""
        return iter([(type_, name, tally) for (type_, name), tally in self._tallies.items()])

    def refused(self, error: RequestError) -> None:
        self.refused_requests[_code(error)] += 1

    def executing(self, operation: Operation) -> AbstractContextManager[None]:
        tally = self._of(operation)
        tally.begun += 1
        return _Executing(tally, is_timed=operation.type != "subscription")

    def failed(self, operation: Operation, errors: list[dict[str, Any]]) -> None:
        self._of(operation).errors[errors[0]["extensions"]["code"]] += 1

    def _of(self, operation: Operation) -> Tally:
        key = (operation.type, operation.name or "")
        tally = self._tallies.get(key)
        if tally is None:
            key = (operation.type, self._admitted(key[1]))
            tally = self._tallies.setdefault(key, Tally())
        return tally

    def _admitted(self, name: str) -> str:
        if name == "" or name in self._known or name in self._strangers:
            return name
        if len(self._strangers) == MOST_NAMES or len(name) > _LONGEST_NAME:
            return OTHERS
        self._strangers.add(name)
        return name


class _Executing(AbstractContextManager[None]):
    __slots__ = ("_began", "_is_timed", "_tally")

    def __init__(self, tally: Tally, *, is_timed: bool) -> None:
        self._tally = tally
        self._is_timed = is_timed

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_timed:
            self._tally.durations.add(time.perf_counter() - self._began)
        if isinstance(error, RequestError):
            self._tally.errors[_code(error)] += 1
        elif isinstance(error, Exception):
            self._tally.errors[_UNEXPECTED] += 1


def _code(error: RequestError) -> str:
    return str(error.formatted[0]["extensions"]["code"])
