"""Fields of Strawberry types that are looked up for all objects of a level at once."""

import asyncio
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import strawberry
from strawberry.types import Info

from execution.marks import Load, batch_mark

_Key = tuple[int, tuple[tuple[str, Any], ...]]
"""Whose context and which arguments."""


def batched(load: Load, *, description: str | None = None) -> Any:
    """A field whose values `load(context, sources, **arguments)` finds for many objects at once.

    The field has the arguments that `load` has after the first two; scalars only. Its type is the
    annotation of the class:

        async def load_senders(context: Context, messages: Sequence[Message]) -> list[User]: ...

        @strawberry.type
        class Message:
            sender: User = batched(load_senders, description="Who sent it.")

    `load` gives the values in the order of the sources, an exception for one that fails; it may
    be a plain function where nothing has to be awaited.
    """
    return strawberry.field(
        resolver=_resolver(load), description=description, metadata=batch_mark(load)
    )


def _resolver(load: Load) -> Any:
    """The field for a single object, as graphql-core wants it."""
    gathering = _Gathering(load)

    async def resolve(self: Any, info: Info[Any, Any], **arguments: Any) -> Any:
        return await gathering.value(info.context, self, arguments)

    own = list(inspect.signature(resolve).parameters.values())[:2]
    given = list(inspect.signature(load).parameters.values())[2:]
    resolve.__signature__ = inspect.Signature([*own, *given])  # type: ignore[attr-defined]
    resolve.__annotations__ = {each.name: each.annotation for each in [*own, *given]}
    resolve.__name__ = load.__name__
    resolve.__module__ = load.__module__
    return resolve


class _Gathering:
    """Joins the calls of one turn of the event loop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._waiting: dict[_Key, list[tuple[Any, asyncio.Future[Any]]]] = {}

    async def value(self, context: object, source: object, arguments: dict[str, Any]) -> Any:
        loop = asyncio.get_running_loop()
        key = id(context), tuple(arguments.items())
        if key not in self._waiting:
            self._waiting[key] = []
            loop.call_soon(self._start, key, context, arguments)
        found: asyncio.Future[Any] = loop.create_future()
        self._waiting[key].append((source, found))
        return await found

    def _start(self, key: _Key, context: object, arguments: dict[str, Any]) -> None:
        waiting = self._waiting.pop(key)
        # Of its own: a field that is cancelled does not take it away from the others.
        task = asyncio.ensure_future(self._look_up(waiting, context, arguments))
        waiting[0][1].add_done_callback(lambda _: task)  # Somebody has to hold it.

    async def _look_up(
        self,
        waiting: list[tuple[Any, "asyncio.Future[Any]"]],
        context: object,
        arguments: dict[str, Any],
    ) -> None:
        sources = [source for source, _ in waiting]
        try:
            values = checked(await _loaded(self._load, context, sources, arguments), sources)
        except Exception as error:
            values = [error] * len(waiting)
        for (_, found), value in zip(waiting, values, strict=True):
            if found.done():
                continue
            if isinstance(value, Exception):
                found.set_exception(value)
            else:
                found.set_result(value)


def checked(values: Iterable[Any], sources: Sequence[Any]) -> list[Any]:
    """The values that a look-up gave. Raises TypeError unless there is one for each source."""
    values = list(values)
    if len(values) != len(sources):
        raise TypeError(f"A look-up gave {len(values)} values for {len(sources)} objects.")
    return values


async def _loaded(
    load: Load, context: object, sources: Sequence[Any], arguments: dict[str, Any]
) -> Sequence[Any]:
    values = load(context, sources, **arguments)
    return await values if inspect.isawaitable(values) else values
