"""How a socket comes to its end."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.websockets import WebSocketDisconnect

from application.transports.errors import unexpected
from application.transports.messages import Closure


class Ending:
    """Whoever finds that it is over says so, and the first one counts.

    It is over with a closure, or with None where there is nobody left to tell. As a context, it is
    over with whatever fails within.
    """

    __slots__ = ("_interrupted", "_reader", "closure", "is_over")

    def __init__(self) -> None:
        self.is_over = False
        self.closure: Closure | None = None
        self._reader: asyncio.Task[None] | None = None
        self._interrupted: asyncio.Task[None] | None = None

    def of_reader(self) -> Self:
        """The context for the task that reads: it is left, too, when something else is the end."""
        self._reader = asyncio.current_task()
        return self

    def come(self, closure: Closure | None) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.closure = closure
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._interrupted = self._reader
            self._reader.cancel()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._reader is asyncio.current_task():
            self._reader = None
        match error:
            case Closure():
                self.come(error)
            case WebSocketDisconnect():
                self.come(None)
            case asyncio.CancelledError():
                return self._has_interrupted()
            case Exception():
                error_id = unexpected("a WebSocket failed")["extensions"]["id"]
                self.come(Closure(4500, f"Internal server error {error_id}"))
            case _:
                return False
        return True

    def _has_interrupted(self) -> bool:
        """Whether the cancellation of this task was ours alone."""
        task = asyncio.current_task()
        return task is not None and task is self._interrupted and not task.uncancel()
