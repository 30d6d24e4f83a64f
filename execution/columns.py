"""Columns that are resolved: by calling resolvers, or by one look-up for all objects.

What they have found so far is kept as outcomes, in the order of the objects. Where there is
trouble graphql-core goes on from these, so that nothing is resolved twice.
"""

import asyncio
from asyncio import FIRST_EXCEPTION, ensure_future
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql.execution.values import get_argument_values

from execution.batching import checked
from execution.levels import Column
from execution.plan import are_immutable
from execution.reading import Attribute, Batch, Method, Resolver
from execution.shapes import Trouble

Future = asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Raised:
    """The outcome of a resolver that has raised."""

    error: Exception


@dataclass(frozen=True, slots=True)
class InBatch:
    """The outcome for one object of a look-up that goes on."""

    batch: Future
    place: int

    async def value(self) -> Any:
        # The look-up is that of the other objects, too: cancelling one's field leaves it alone.
        return (await asyncio.shield(self.batch))[self.place]


@dataclass(frozen=True, slots=True)
class Settled:
    """An outcome that was awaited: a value or Raised.

    For graphql-core it is awaited once more, as it treats what fails at once differently: it
    cancels the fields beside it only if these and it are awaited together.
    """

    outcome: Any

    async def value(self) -> Any:
        if isinstance(self.outcome, Raised):
            raise self.outcome.error
        return self.outcome


class Resolved(Protocol):
    column: Column
    outcomes: list[Any]
    """Values, Raised, awaitables; fewer than objects where it came to trouble."""

    def start(self) -> bool:
        """Call what is to be called; returns whether it has to be awaited. Raises Trouble."""

    async def wait(self) -> None:
        """Wait for the values; without any task, where nothing else is awaited and there is but
        one to wait for. Raises Trouble, at once when one fails."""

    def share(self) -> None:
        """Make futures of what is awaited: others run meanwhile, and may come to trouble."""

    def joined(self) -> Future:
        """Of what is shared: done when there is something to `take`."""

    def take(self) -> None:
        """What is there of what is shared. Raises Trouble when one has failed."""

    def leave(self) -> None:
        """Wait no longer. What is shared goes on."""

    def handed_over(self) -> Sequence[Any]:
        """The outcomes for graphql-core, Settled and InBatch among them."""


class Called:
    """A method, or a resolver, called for each object."""

    def __init__(self, column: Column, reading: Method | Resolver) -> None:
        self.column = column
        self.outcomes: list[Any] = []
        self._reading = reading
        self._awaited: list[int] = []
        self._futures: list[Future] = []
        self._joining: asyncio.Task[None] | None = None
        self._settled: set[int] = set()

    def start(self) -> bool:
        try:
            if isinstance(self._reading, Method):
                for source in self.column.level.sources:
                    self.outcomes.append(self._reading.call(source))
            else:
                self._resolve(self._reading.resolve or self.column.executor.field_resolver)
        except Exception as error:
            self.outcomes.append(Raised(error))
            raise Trouble from None
        if any(hasattr(class_, "__await__") for class_ in set(map(type, self.outcomes))):
            is_awaitable = self.column.executor.is_awaitable
            self._awaited = [i for i, each in enumerate(self.outcomes) if is_awaitable(each)]
        return bool(self._awaited)

    def _resolve(self, resolve: Callable[..., Any]) -> None:
        column = self.column
        arguments = _arguments(column)
        for source, path in zip(column.level.sources, column.paths(), strict=True):
            self.outcomes.append(resolve(source, column.info(path), **arguments()))

    async def wait(self) -> None:
        if len(self._awaited) > 1:
            self.share()
            await self._join()
            self.take()
            return
        (place,) = self._awaited
        self._settled.add(place)
        try:
            self.outcomes[place] = await self.outcomes[place]
        except Exception as error:
            self.outcomes[place] = Raised(error)
            raise Trouble from None

    def share(self) -> None:
        for place in self._awaited:
            self.outcomes[place] = _noted(ensure_future(self.outcomes[place]))
        self._futures = [self.outcomes[place] for place in self._awaited]

    def joined(self) -> Future:
        if len(self._futures) == 1:
            return self._futures[0]
        self._joining = asyncio.create_task(self._join())
        return self._joining

    async def _join(self) -> None:
        await asyncio.wait(self._futures, return_when=FIRST_EXCEPTION)

    def leave(self) -> None:
        if self._joining is not None:
            self._joining.cancel()

    def take(self) -> None:
        has_failed = False
        for place, future in zip(self._awaited, self._futures, strict=True):
            if not future.done():
                has_failed = True
                continue
            self._settled.add(place)
            if (error := future.exception()) is None:
                self.outcomes[place] = future.result()
            elif isinstance(error, Exception):
                self.outcomes[place] = Raised(error)
                has_failed = True
            else:
                raise error
        if has_failed:
            raise Trouble

    def handed_over(self) -> Sequence[Any]:
        return [
            Settled(outcome) if place in self._settled else outcome
            for place, outcome in enumerate(self.outcomes)
        ]


class LookedUp:
    """One look-up for all objects."""

    def __init__(self, column: Column, reading: Batch) -> None:
        self.column = column
        self.outcomes: list[Any] = []
        self._reading = reading
        self._awaited: Awaitable[list[Any]] | None = None
        self._future: Future | None = None

    def start(self) -> bool:
        column, names = self.column, self._reading.names
        sources, context = column.level.sources, column.executor.context_value
        try:
            arguments = {names[name]: value for name, value in _arguments(column)().items()}
            values = self._reading.load(context, sources, **arguments)
            if not isinstance(values, Sequence):
                self._awaited = self._checked(values)
                return True
            self.outcomes = checked(values, sources)
        except Exception as error:
            self._fail(error)
        return False

    async def _checked(self, values: Awaitable[Sequence[Any]]) -> list[Any]:
        return checked(await values, self.column.level.sources)

    async def wait(self) -> None:
        assert self._awaited is not None  # noqa: S101
        try:
            self.outcomes = await self._awaited
        except Exception as error:
            self._fail(error)

    def share(self) -> None:
        assert self._awaited is not None  # noqa: S101
        self._future = _noted(ensure_future(self._awaited))

    def joined(self) -> Future:
        assert self._future is not None  # noqa: S101
        return self._future

    def take(self) -> None:
        try:
            self.outcomes = self.joined().result()
        except Exception as error:
            self._fail(error)

    def leave(self) -> None:
        """It is nobody's but the look-up's own."""

    def handed_over(self) -> Sequence[Any]:
        future = self._future
        if future is not None and not self.outcomes:
            return [InBatch(future, place) for place in range(len(self.column.level.sources))]
        return [Settled(outcome) for outcome in self.outcomes]

    def _fail(self, error: Exception) -> None:
        self.outcomes = [Raised(error)] * len(self.column.level.sources)
        raise Trouble


def read_attributes(sources: Sequence[Any], reading: Attribute) -> list[Any]:
    """Raises Trouble."""
    try:
        return list(map(reading.get, sources))
    except Exception:
        raise Trouble from None


def _arguments(column: Column) -> Callable[[], dict[str, Any]]:
    """What gives the coerced arguments of each call: the same ones if nobody can change them.

    Raises GraphQLError.
    """
    plan, executor = column.plan, column.executor
    constant = plan.constant_arguments
    if constant is not None:
        return lambda: constant

    def coerced() -> dict[str, Any]:
        return get_argument_values(
            plan.field, plan.nodes[0], executor.variable_values, None, executor.hide_suggestions
        )

    first = coerced()
    return (lambda: first) if are_immutable(first) else coerced


def _noted(future: Future) -> Future:
    """Keep asyncio from reporting an error that nobody waits for any more."""
    future.add_done_callback(lambda future: future.cancelled() or future.exception())
    return future
