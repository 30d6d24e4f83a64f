"""Shapes: how a field's values become those of a response (completion: GraphQL, section 6.4.3).

Each completes the values of all objects of a level at once. Whatever is out of the ordinary (a null
where none may be, an exception, something to await, a value that cannot be serialized) is Trouble:
graphql-core knows what to do about it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from math import isfinite
from types import GeneratorType, NoneType
from typing import TYPE_CHECKING, Any, Protocol

from graphql import (
    GraphQLAbstractType,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import Path
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

if TYPE_CHECKING:
    from execution.levels import Column, Level
    from execution.plan import SelectionPlan


class Trouble(Exception):
    """Left to graphql-core, with all that was resolved until then."""


class Rendering(Protocol):
    def render(self) -> Sequence[Any]:
        """What stands for each of the values in the response; all that it depends on is there."""


class Shape(Protocol):
    nullable: bool

    def complete(self, values: Sequence[Any], column: "Column") -> Rendering:
        """Raises Trouble. Levels of objects in the values are added to the column's."""

    def paths(self, path: Path, value: Any) -> Iterator[Path]:
        """Where the objects in a value are, in the order in which they are completed."""


@dataclass(eq=False, slots=True)
class Leaves:
    values: Sequence[Any]

    def render(self) -> Sequence[Any]:
        return self.values


@dataclass(eq=False, slots=True)
class LeafShape:
    type: GraphQLLeafType
    nullable: bool
    _plain: frozenset[Any] = field(init=False)
    """Classes all of whose values may be there and are left as they are by coercion."""

    def __post_init__(self) -> None:
        plain = _PLAIN.get(self.type, frozenset())
        self._plain = plain | {NoneType} if plain and self.nullable else plain

    def complete(self, values: Sequence[Any], column: "Column") -> Rendering:
        if self._plain.issuperset(map(type, values)):
            return Leaves(values)
        classes = _classes(values, self.nullable)
        try:
            if _are_as_they_are(self.type, classes, values):
                return Leaves(values)
            return Leaves(_coerced(self.type, values))
        except Exception:
            raise Trouble from None

    def paths(self, path: Path, value: Any) -> Iterator[Path]:
        return iter(())


_PLAIN: Mapping[object, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
}

_NUMBERS: Mapping[object, Set[type]] = {
    GraphQLInt: {int, NoneType},
    GraphQLFloat: {float, NoneType},
}


def _are_as_they_are(type_: GraphQLLeafType, classes: set[type], values: Sequence[Any]) -> bool:
    """Whether values that are numbers would be left as they are by coercion."""
    if not classes <= _NUMBERS.get(type_, set()):
        return False
    if type_ is GraphQLInt:
        return all(GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT for value in values if value)
    return all(isfinite(value) for value in values if value)


def _coerced(type_: GraphQLLeafType, values: Sequence[Any]) -> list[Any]:
    coerce = type_.coerce_output_value
    coerced = [None if value is None else coerce(value) for value in values]
    classes = set(map(type, coerced))
    if type(Undefined) in classes:
        raise Trouble
    if NoneType in classes and any(
        after is None and before is not None for before, after in zip(values, coerced, strict=True)
    ):
        raise Trouble
    return coerced


@dataclass(eq=False, slots=True)
class ListShape:
    item: Shape
    nullable: bool

    def complete(self, values: Sequence[Any], column: "Column") -> Rendering:
        if not _classes(values, self.nullable) <= {list, tuple, NoneType}:
            raise Trouble
        sizes = [None if value is None else len(value) for value in values]
        items = list(chain.from_iterable(value for value in values if value is not None))
        return _Lists(sizes, self.item.complete(items, column))

    def paths(self, path: Path, value: Any) -> Iterator[Path]:
        for index, item in enumerate(value or ()):
            yield from self.item.paths(path.add_key(index, None), item)


@dataclass(eq=False, slots=True)
class _Lists:
    sizes: list[int | None]
    items: Rendering

    def render(self) -> list[Any]:
        items = self.items.render()
        lists: list[Any] = []
        start = 0
        for size in self.sizes:
            if size is None:
                lists.append(None)
            else:
                lists.append(items[start : start + size])
                start += size
        return lists


@dataclass(eq=False, slots=True)
class ObjectShape:
    selection: "SelectionPlan"
    nullable: bool

    def complete(self, values: Sequence[Any], column: "Column") -> Rendering:
        classes = _classes(values, self.nullable)
        is_filled = NoneType not in classes
        objects = values if is_filled else [value for value in values if value is not None]
        column.check_types(self.selection, objects)
        level = column.add_level(self.selection, objects, None)
        return level if is_filled else _Nullable([value is None for value in values], level)

    def paths(self, path: Path, value: Any) -> Iterator[Path]:
        if value is not None:
            yield path


@dataclass(eq=False, slots=True)
class _Nullable:
    are_null: list[bool]
    others: Rendering

    def render(self) -> list[Any]:
        others = iter(self.others.render())
        return [None if is_null else next(others) for is_null in self.are_null]


@dataclass(eq=False, slots=True)
class AbstractShape:
    """An interface or a union: a level for each type that is met."""

    type: GraphQLAbstractType
    selections: Mapping[str, "SelectionPlan"]
    nullable: bool

    def complete(self, values: Sequence[Any], column: "Column") -> Rendering:
        _classes(values, self.nullable)
        objects = [value for value in values if value is not None]
        names = column.runtime_types(self.type, objects)
        levels: dict[str, Level] = {}
        for name in dict.fromkeys(names):
            places = [place for place, each in enumerate(names) if each == name]
            members = [objects[place] for place in places]
            selection = self.selections.get(name)
            if selection is None:
                raise Trouble
            column.check_types(selection, members)
            levels[name] = column.add_level(selection, members, places)
        types = iter(names)
        return _Mixed([None if value is None else next(types) for value in values], levels)

    def paths(self, path: Path, value: Any) -> Iterator[Path]:
        if value is not None:
            yield path


@dataclass(eq=False, slots=True)
class _Mixed:
    types: list[str | None]
    levels: Mapping[str, Rendering]

    def render(self) -> list[Any]:
        objects = {name: iter(level.render()) for name, level in self.levels.items()}
        return [None if name is None else next(objects[name]) for name in self.types]


def _classes(values: Sequence[Any], nullable: bool) -> set[type]:
    """The classes of the values; Trouble if there is a null that may not be, or anything that
    graphql-core does not take as it is."""
    classes = set(map(type, values))
    for each in classes:
        if (each is NoneType and not nullable) or _is_extraordinary(each):
            raise Trouble
    return classes


@lru_cache(maxsize=1000)
def _is_extraordinary(class_: type) -> bool:
    return (
        issubclass(class_, Exception)
        or class_ is type(Undefined)
        or class_ is GeneratorType
        or hasattr(class_, "__await__")
    )


def is_our_type_check(function: Callable[..., Any] | None) -> bool:
    """Whether a `resolve_type` or `is_type_of` is one that Strawberry makes: these look at no more
    than the object and the schema, and in the object at no more than its class and its cast."""
    return getattr(function, "__module__", "").startswith("strawberry.")


def is_any_cast(objects: Sequence[Any]) -> bool:
    """Whether `strawberry.cast` has marked one as being of another type than its class says."""
    return any(hasattr(each, TYPE_CAST_ATTRIBUTE) for each in objects)
