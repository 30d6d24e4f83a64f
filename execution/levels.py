"""Levels: the objects of one type at one place of the selection, from all over the response.

Everything is done for a level at once: a field is read from all objects, a look-up is awaited for
all of them, and the values are completed together. What is found in them are the next levels.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from graphql import GraphQLAbstractType, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.pyutils import Path

from execution.plan import FieldPlan, SelectionPlan
from execution.shapes import Rendering, Trouble, is_any_cast

_MAX_CLASSES = 100
"""Of one type that are remembered: somebody may make a class for each object."""


class Level:
    """A row for each object, a column for each field."""

    def __init__(
        self,
        plan: SelectionPlan,
        sources: Sequence[Any],
        column: "Column | None" = None,
        places: Sequence[int] | None = None,
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.columns: list[Column] = []
        self._column = column
        self._places = places

    def render(self) -> list[dict[str, Any]]:
        columns = [column.rendering.render() for column in self.columns]
        # They know their level, too: what is rendered need not wait for the garbage collector.
        self.columns.clear()
        objects = self.plan.make_objects(columns)
        return objects if columns else objects * len(self.sources)

    @cached_property
    def paths(self) -> Sequence[Path | None]:
        """The path of each object; for those who ask for it, which is seldom."""
        if self._column is None:
            return [None] * len(self.sources)
        paths = self._column.object_paths()
        return paths if self._places is None else [paths[place] for place in self._places]


class Column:
    """The values of a field for all objects of its level, and how they are rendered."""

    rendering: Rendering

    def __init__(
        self,
        level: Level,
        plan: FieldPlan,
        executor: Executor[Any],
        found: Callable[[Level], None],
    ) -> None:
        self.level = level
        self.plan = plan
        self.executor = executor
        self.values: Sequence[Any] = ()
        self._found = found

    def complete(self, values: Sequence[Any]) -> None:
        """Raises Trouble."""
        self.values = values
        self.rendering = self.plan.shape.complete(values, self)

    def paths(self) -> list[Path]:
        """The path of the field in each object."""
        key, type_name = self.plan.key, self.plan.parent.name
        return [Path(path, key, type_name) for path in self.level.paths]

    def object_paths(self) -> list[Path]:
        """The paths of the objects in the values, in the order in which they are completed."""
        shape = self.plan.shape
        pairs = zip(self.paths(), self.values, strict=True)
        return [path for start, value in pairs for path in shape.paths(start, value)]

    def info(self, path: Path) -> GraphQLResolveInfo[Any]:
        plan = self.plan
        return self.executor.build_resolve_info(plan.field, plan.nodes, plan.parent, path)

    # For the shapes

    def add_level(
        self, plan: SelectionPlan, sources: Sequence[Any], places: Sequence[int] | None
    ) -> Level:
        level = Level(plan, sources, self, places)
        if sources:
            self._found(level)
        return level

    def check_types(self, selection: SelectionPlan, objects: Sequence[Any]) -> None:
        """Raises Trouble where `is_type_of` does not agree.

        It is asked once for each class, as it looks at nothing else of objects that are not cast.
        """
        is_type_of, agreed = selection.type.is_type_of, selection.agreed
        if is_type_of is None or not objects:
            return
        are_cast = is_any_cast(objects)
        if not are_cast and agreed.issuperset(map(type, objects)):
            return
        info = self._info_of_none()
        by_class = {type(each): each for each in objects}
        if not all(is_type_of(each, info) for each in (objects if are_cast else by_class.values())):
            raise Trouble
        if not are_cast and len(agreed) + len(by_class) <= _MAX_CLASSES:
            agreed.update(by_class)

    def runtime_types(self, type_: GraphQLAbstractType, objects: Sequence[Any]) -> list[str]:
        """The names of the objects' types. Raises Trouble where there is none."""
        if not objects or type_.resolve_type is None:
            return []
        info = self._info_of_none()
        try:
            names = [type_.resolve_type(each, info, type_) for each in objects]
        except Exception:
            raise Trouble from None
        if not all(isinstance(name, str) for name in names):
            raise Trouble
        return names  # type: ignore[return-value]

    def _info_of_none(self) -> GraphQLResolveInfo[Any]:
        """For Strawberry's type checks, which do not ask of which object it is."""
        return self.info(Path(None, self.plan.key, self.plan.parent.name))
