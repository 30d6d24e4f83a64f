"""A schema with everything that can go wrong, deterministically.

What a field gives depends on the number of its object and on its name only, so two executions of
an operation see the same.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from random import Random
from typing import Annotated, Any, Union

import strawberry
from strawberry.schema.config import StrawberryConfig

from execution.batching import batched


class Text(str):
    """Not exactly a string."""


@strawberry.enum
class Kind(Enum):
    BIG = "big"
    SMALL = "small"


Moment = strawberry.scalar(name="Moment", serialize=lambda value: value.isoformat())


@strawberry.input
class Wish:
    text: str = "wish"
    times: int | None = 2
    kinds: list[Kind] | None = None


class Context:
    """Of one execution."""

    def __init__(self) -> None:
        self.is_async = False
        self.calls: list[tuple[str, Any]] = []


Info = strawberry.Info[Context, Any]

_SEED = 7


def dice(number: int, field: str) -> Random:
    return Random(f"{_SEED} {number} {field}")


def outcome(number: int, field: str, value: Any) -> Any:
    """The value, or now and then null or an error."""
    match dice(number, field).randrange(12):
        case 0:
            return None
        case 1:
            raise ValueError(f"{field} of {number}")
        case 2:
            return LookupError(f"{field} of {number}, returned")
    return value


def oddity(number: int, field: str, *values: Any) -> Any:
    """One of the values, mostly the first."""
    random = dice(number, field)
    return values[0] if random.random() < 0.75 else random.choice(values)


def things(number: int, field: str) -> list[Any]:
    random = dice(number, field + " items")
    made = [made_node(number * 5 + i + 1) for i in range(random.randrange(4))]
    return [None if random.random() < 0.1 else each for each in made]


@strawberry.interface
class Node:
    number: strawberry.Private[int]
    id: strawberry.ID
    label: str | None

    @strawberry.field
    def title(self) -> str:
        return str(outcome(self.number, "title", f"title {self.number}"))


async def _ticks(context: Context, number: int, field: str) -> None:
    context.is_async = True
    for _ in range(dice(number, field + " ticks").randrange(4)):
        await asyncio.sleep(0)


def load_sync(context: Context, sources: Sequence[Any]) -> list[Any]:
    context.is_async = True  # As a field of its own, which waits for others.
    context.calls.append(("near", [source.number for source in sources]))
    return [_or_exception(source.number, "near", Thing.of(source.number + 1)) for source in sources]


async def load_owner(context: Context, sources: Sequence[Any]) -> list[Any]:
    context.calls.append(("owner", [source.number for source in sources]))
    await _ticks(context, 1, "owner")
    return [_or_exception(source.number, "owner", Person.of(source.number)) for source in sources]


async def load_friends(
    context: Context, sources: Sequence[Any], first_few: int = 2, kind: Kind | None = None
) -> list[Any]:
    context.calls.append(("friends", [source.number for source in sources]))
    await _ticks(context, first_few, "friends")
    if first_few == 3:
        raise RuntimeError("no friends at all")
    suffix = "" if kind is None else kind.value
    return [
        _or_exception(source.number, "friends" + suffix, things(source.number, "f")[:first_few])
        for source in sources
    ]


def _or_exception(number: int, field: str, value: Any) -> Any:
    try:
        return outcome(number, field, value)
    except ValueError as error:
        return error


@strawberry.type
class Person(Node):
    name: str
    age: int | None

    @classmethod
    def of(cls, number: int) -> "Person":
        return cls(
            number=number,
            id=strawberry.ID(f"person:{number}"),
            label=oddity(number, "label", "label", None, 7, object()),
            name=oddity(number, "name", f'näme "{number}"\n\u2028', None, Text("text"), True, b"x"),
            age=oddity(number, "age", number, None, 2**31, 7.0, "8", True, "x"),
        )

    @strawberry.field
    async def boss(self, info: Info) -> "Person | None":
        await _ticks(info.context, self.number, "boss")
        return outcome(self.number, "boss", Person.of(self.number + 1))  # type: ignore[no-any-return]

    @strawberry.field
    async def motto(self, info: Info, wish: Wish | None = None) -> str:
        await _ticks(info.context, self.number, "motto")
        return outcome(self.number, "motto", f"motto {wish}")  # type: ignore[no-any-return]


@strawberry.type
class Thing(Node):
    size: int
    weight: float | None
    flag: bool
    kind: Kind
    made: Annotated[datetime, Moment]
    numbers: list[int | None] | None
    matrix: list[list[int]]
    inner: "Thing | None"

    near: "Thing | None" = batched(load_sync)
    owner: Person = batched(load_owner, description="Whose it is.")
    friends: list[Annotated[Union["Thing", Person], strawberry.union("Friend")] | None] | None = (
        batched(load_friends)
    )

    @classmethod
    def of(cls, number: int) -> "Thing":
        return cls(
            number=number,
            id=strawberry.ID(f"thing:{number}"),
            label=oddity(number, "label", "label", None, "\ud800", ValueError("label")),
            size=oddity(number, "size", number, 2**40, None, -1.5, False),
            weight=oddity(number, "weight", 1.5, None, 3, float("nan"), "x"),
            flag=oddity(number, "flag", True, False, None, 1, "x"),
            kind=oddity(number, "kind", Kind.BIG, Kind.SMALL, None, "HUGE"),
            made=oddity(number, "made", datetime(2026, 1, 1, tzinfo=UTC), None, 7),
            numbers=oddity(number, "numbers", [1, 2], None, [], (3, None), {4}, "12", [1, "x"], 5),
            matrix=oddity(number, "matrix", [[1], []], [[1, 2], None], [[None]], None, [7]),
            inner=Thing.of(number // 2) if number % 3 == 1 else None,
        )

    @strawberry.field
    def half(self) -> "Thing":
        return outcome(self.number, "half", Thing.of(self.number // 2))  # type: ignore[no-any-return]

    @strawberry.field
    def echo(
        self, text: str = "echo", wish: Wish | None = None, many: list[int] | None = None
    ) -> str:
        return outcome(self.number, "echo", f"{text} {wish} {many}")  # type: ignore[no-any-return]

    @strawberry.field
    def where(self, info: Info) -> str:
        raw = info._raw_info
        places = [f"{node.loc.start}" for node in raw.field_nodes if node.loc]
        return f"{raw.path.as_list()} {raw.path} {raw.parent_type} {places}"

    @strawberry.field
    def parts(self) -> list[Node]:
        return outcome(self.number, "parts", things(self.number, "parts"))  # type: ignore[no-any-return]

    @strawberry.field
    def twin(self, info: Info) -> Node | None:
        return outcome(self.number, "twin", made_node(self.number + 2))  # type: ignore[no-any-return]

    @strawberry.field
    async def later(self, info: Info) -> list["Thing | None"]:
        await _ticks(info.context, self.number, "later")
        made = [Thing.of(self.number + 1), None, Thing.of(self.number + 2)]
        return outcome(self.number, "later", made)  # type: ignore[no-any-return]


def made_node(number: int) -> Node:
    return Thing.of(number) if number % 2 else Person.of(number)


@strawberry.type
class Query:
    @strawberry.field
    def thing(self, number: int = 1) -> Thing:
        return Thing.of(number)

    @strawberry.field
    def maybe(self, number: int = 1) -> Thing | None:
        return outcome(number, "maybe", Thing.of(number))  # type: ignore[no-any-return]

    @strawberry.field
    def nodes(self, first: int = 3) -> list[Node | None]:
        return [made_node(number) for number in range(first)]

    @strawberry.field
    async def people(self, info: Info, first: int = 3) -> list[Person]:
        await _ticks(info.context, first, "people")
        return [Person.of(number) for number in range(first)]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def write(self, info: Info, number: int = 1) -> Thing | None:
        info.context.calls.append(("write", number))
        await _ticks(info.context, number, "write")
        return outcome(number, "write", Thing.of(number))  # type: ignore[no-any-return]

    @strawberry.mutation
    def strictly(self, info: Info, number: int = 2) -> Thing:
        info.context.calls.append(("strictly", number))
        return outcome(number, "strictly", Thing.of(number))  # type: ignore[no-any-return]


SCHEMA = strawberry.Schema(
    Query, Mutation, types=[Thing, Person], config=StrawberryConfig(scalar_map={})
)._schema
