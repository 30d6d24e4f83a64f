"""Several coroutines at the same time, without tasks."""

from asyncio import Future, gather
from collections.abc import Awaitable, Coroutine, Generator, Iterable
from typing import Any, Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


async def together(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """The results of both. What they ask the store first goes out in this order and shares its
    round trip; then each goes on in its turn.

    An error of the first goes before one of the second, which is then left where it waits. Tasks
    would go on at the same time, and cost more than many a coroutine does. None may be within an
    `asyncio.timeout` when it first waits: that would cancel the other one.
    """
    begun, other = _Begun(first), _Begun(second)
    try:
        result = await begun
    except BaseException:
        other.close()
        raise
    return result, await other


async def all_together(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, as `together`; of coroutines that do not raise.

    Where several have to wait they are tasks from then on: they may have to wait again.
    """
    begun = [_Begun(coroutine) for coroutine in coroutines]
    if sum(not each.is_done for each in begun) > 1:
        return await gather(*map(_finished, begun))
    try:
        return [await each for each in begun]
    except BaseException:
        for each in begun:
            each.close()
        raise


async def _finished(begun: "_Begun[T]") -> T:
    return await begun


class _Begun(Awaitable[T], Generic[T]):
    """A coroutine that has run until it first had to wait; awaiting it runs the rest."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._failure: BaseException | None = None
        self.is_done = False
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as stop:
            self.is_done, self._result = True, stop.value
        except BaseException as error:
            self.is_done, self._failure = True, error

    def close(self) -> None:
        """Leave it where it waits."""
        self._coroutine.close()
        if not self.is_done and isinstance(self._waits_for, Future):
            self._waits_for.cancel()

    def __await__(self) -> Generator[Any, Any, T]:
        if self._failure is not None:
            raise self._failure
        if self.is_done:
            return self._result  # type: ignore[no-any-return]
        coroutine, waits_for = self._coroutine, self._waits_for
        if isinstance(waits_for, Future):
            # Its mark that it is awaited, which is gone when somebody else awaits it, too.
            waits_for._asyncio_future_blocking = True
        try:
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = coroutine.throw(error)
                else:
                    waits_for = coroutine.send(sent)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
