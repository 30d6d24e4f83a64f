"""The responses of one subscription."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

from execution.errors import NotNow
from execution.subscription import SubscriptionPlan

_PAUSE_SECONDS = 0.2
"""Until what could not be executed is tried again."""

Listener = Callable[[bytes], bool]
"""Takes a response, or says that it cannot take one now."""


class SharedSource(ABC):
    """A source whose live events are the same for many: they may be executed once for all.

    Both methods raise what ends the stream.
    """

    @abstractmethod
    async def pull(self) -> object | None:
        """The next event; None when there is none yet, and what comes may be shared."""

    @abstractmethod
    async def share(self, plan: SubscriptionPlan, listener: Listener) -> None:
        """Have live events executed together with others; over when the listener has refused."""


class ResponseStream:
    """What `Engine.subscribe` opens; to be closed.

    When the source fails, the error is the last response.
    """

    def __init__(
        self, plan: SubscriptionPlan, source: AsyncIterable[Any] | bytes, context: object
    ) -> None:
        self._plan = plan
        self._context = context
        self._source: AsyncIterator[Any] | None = None
        self._last: bytes | None = None
        """The response after which nothing follows."""
        if isinstance(source, bytes):
            self._last = source
        else:
            self._source = aiter(source)

    async def pull(self) -> bytes | None:
        """The next response; None when there is none yet, and what comes can be shared.

        Raises StopAsyncIteration at the end.
        """
        if self._source is not None and self._last is None:
            try:
                event, is_there = await _next_event(self._source)
            except StopAsyncIteration:
                raise
            except Exception as error:
                self._last = self._plan.failure(error)
            else:
                return await self._executed(event) if is_there else None
        if self._last is None:
            raise StopAsyncIteration
        last, self._last = self._last, None
        await self.aclose()
        return last

    async def _executed(self, event: Any) -> bytes:
        """The response to an event, as soon as there can be one: it does not come again."""
        while True:
            try:
                return await self._plan.execute_event(event, self._context)
            except NotNow:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def share(self, listener: Listener) -> None:
        """Give the listener what is live, until it refuses: then there is something to pull."""
        if isinstance(self._source, SharedSource):
            try:
                await self._source.share(self._plan, listener)
            except Exception as error:
                self._last = self._plan.failure(error)

    async def aclose(self) -> None:
        source, self._source = self._source, None
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


async def _next_event(source: AsyncIterator[Any]) -> tuple[Any, bool]:
    """An event, and whether there is one."""
    if isinstance(source, SharedSource):
        event = await source.pull()
        return event, event is not None
    return await anext(source), True
