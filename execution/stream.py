"""The responses of one subscription."""

from collections.abc import AsyncIterator, Callable, Hashable
from typing import Any, Protocol, runtime_checkable

Listener = Callable[[bytes], bool]
"""Takes a response, or says that it cannot take one now."""


class EventPlan(Protocol):
    """How the events of a subscription are executed."""

    @property
    def key(self) -> Hashable:
        """The same for subscriptions that select the same of an event."""

    @property
    def depends_on_viewer(self) -> bool:
        """Whether the selection has a field whose value depends on who asks."""

    async def execute_event(self, event: object, context: Any) -> bytes:
        """The encoded response to an event (GraphQL, section 6.2.3.2)."""


@runtime_checkable
class SharedSource(Protocol):
    """A source whose live events are the same for many: they may be executed once for all.

    Both methods raise what ends the stream.
    """

    async def pull(self) -> object | None:
        """The next event; None when there is none yet, and what comes may be shared."""

    async def share(self, plan: EventPlan, listener: Listener) -> None:
        """Have live events executed together with others; over when the listener has refused."""


class ResponseStream:
    """What `Engine.subscribe` opens; to be closed.

    When the source fails, the error is the last response.
    """

    def __init__(
        self,
        source: AsyncIterator[object],
        plan: EventPlan,
        context: object,
        failed: Callable[[Exception], bytes],
        last: bytes | None = None,
    ) -> None:
        self._source = source
        self._plan = plan
        self._context = context
        self._failed = failed
        self._last = last
        """The response after which nothing follows."""
        self._is_over = False

    async def pull(self) -> bytes | None:
        """The next response; None when there is none yet, and what comes can be shared.

        Raises StopAsyncIteration at the end.
        """
        if self._is_over:
            raise StopAsyncIteration
        if self._last is None:
            try:
                return await self._next()
            except StopAsyncIteration:
                raise
            except Exception as error:
                self._last = self._failed(error)
        self._is_over = True
        return self._last

    async def share(self, listener: Listener) -> None:
        """Give the listener what is live, until it refuses: then there is something to pull."""
        if isinstance(self._source, SharedSource):
            try:
                await self._source.share(self._plan, listener)
            except Exception as error:
                self._last = self._failed(error)

    async def aclose(self) -> None:
        self._is_over = True
        aclose = getattr(self._source, "aclose", None)
        if aclose is not None:
            await aclose()

    async def _next(self) -> bytes | None:
        if isinstance(self._source, SharedSource):
            event = await self._source.pull()
        else:
            event = await anext(self._source)
        if event is None:
            return None
        return await self._plan.execute_event(event, self._context)
