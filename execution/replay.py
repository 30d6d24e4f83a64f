"""Handing an execution over to graphql-core, which knows all about errors."""

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from graphql import GraphQLResolveInfo

from execution.columns import InBatch, Raised, Settled

Outcomes = dict[tuple[str | int, ...], Any]
_NOTHING = object()


class Replay:
    """A middleware for graphql-core that gives what was resolved before, once, instead of resolving
    it again; also what is still awaited."""

    def __init__(self, outcomes: Outcomes) -> None:
        self._outcomes = outcomes

    def resolve(
        self,
        next_: Callable[..., Any],
        source: Any,
        info: GraphQLResolveInfo[Any],
        **arguments: Any,
    ) -> Any:
        outcome = self._outcomes.pop(tuple(info.path.as_list()), _NOTHING)
        if outcome is _NOTHING:
            return next_(source, info, **arguments)
        if isinstance(outcome, Raised):
            raise outcome.error
        return outcome.value() if isinstance(outcome, InBatch | Settled) else outcome

    async def close(self) -> None:
        """Cancel what was awaited and is not needed: its place in the response is null."""
        await abandon(self._outcomes.values())


async def abandon(outcomes: Iterable[Any]) -> None:
    """Cancel what is still awaited, and see it end."""
    futures: set[asyncio.Future[Any]] = set()
    for outcome in outcomes:
        if inspect.iscoroutine(outcome):
            outcome.close()  # It has not begun.
        elif isinstance(outcome, InBatch):
            futures.add(outcome.batch)
        elif isinstance(outcome, asyncio.Future):
            futures.add(outcome)
    for future in futures:
        future.cancel()
    if futures:
        await asyncio.wait(futures)
