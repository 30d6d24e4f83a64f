"""Running a plan."""

import asyncio
import inspect
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import chain
from typing import Any

from graphql import ExecutionResult, MiddlewareManager, OperationType
from graphql.execution import Executor

from execution.columns import Called, LookedUp, Resolved, read_attributes
from execution.encode import encode
from execution.levels import Column, Level
from execution.plan import FieldPlan, SelectionPlan
from execution.reading import Attribute, Batch
from execution.replay import Outcomes, Replay, abandon
from execution.shapes import Trouble


async def execute(plan: SelectionPlan, executor: Executor[Any]) -> bytes | ExecutionResult:
    """The response of the executor's operation, or its result if there are errors."""
    run = Run(plan, executor)
    response = await run.respond()
    if response is not None:
        return response
    replay = Replay(run.outcomes())
    executor.middleware_manager = MiddlewareManager(replay)
    try:
        return await completed(executor)
    finally:
        await replay.close()


async def completed(executor: Executor[Any]) -> ExecutionResult:
    """The result that graphql-core comes to."""
    # The events of a subscription are executed like queries.
    result = executor.execute_operation()
    return await result if inspect.isawaitable(result) else result  # type: ignore[return-value]


class Run:
    """One execution of a plan, as long as nothing is out of the ordinary."""

    def __init__(self, plan: SelectionPlan, executor: Executor[Any]) -> None:
        self._plan = plan
        self._executor = executor
        self._levels: deque[Level] = deque()
        """Those that are yet to be read."""
        self._resolved: list[Resolved] = []
        self._pending: list[Resolved] = []
        self._waits: defaultdict[asyncio.Future[Any], list[Resolved]] = defaultdict(list)
        """Several for one future, where resolvers have given the same."""

    async def respond(self) -> bytes | None:
        """The response without errors; None when graphql-core has to find out the errors."""
        root = Level(self._plan, [self._executor.root_value])
        try:
            for fields in self._turns():
                self._read(root, fields)
                self._read_levels()
                while self._pending or self._waits:
                    await self._advance()
                    self._read_levels()
            (data,) = root.render()
            return encode({"data": data})
        except Trouble:
            self._stop_waiting()
            return None
        except BaseException:
            self._stop_waiting()
            await abandon(self.outcomes().values())
            raise

    def outcomes(self) -> Outcomes:
        """What was resolved, by the fields' paths in the response."""
        return {
            tuple(path.as_list()): outcome
            for resolved in self._resolved
            for path, outcome in zip(resolved.column.paths(), resolved.handed_over(), strict=False)
        }

    def _turns(self) -> Sequence[Sequence[FieldPlan]]:
        """The root fields: at once, but for those of a mutation, one after the other."""
        fields = self._plan.fields
        if self._executor.operation.operation is OperationType.MUTATION:
            return [[field] for field in fields]
        return [fields]

    def _read_levels(self) -> None:
        while self._levels:
            level = self._levels.popleft()
            self._read(level, level.plan.fields)

    def _read(self, level: Level, fields: Sequence[FieldPlan]) -> None:
        for field in fields:
            column = Column(level, field, self._executor, self._levels.append)
            level.columns.append(column)
            reading = field.reading
            if isinstance(reading, Attribute):
                column.complete(read_attributes(level.sources, reading))
                continue
            resolved: Resolved = (
                LookedUp(column, reading) if isinstance(reading, Batch) else Called(column, reading)
            )
            self._resolved.append(resolved)
            if resolved.start():
                self._pending.append(resolved)
            else:
                column.complete(resolved.outcomes)

    async def _advance(self) -> None:
        """Wait until one of the columns has its values."""
        if len(self._pending) == 1 and not self._waits:
            resolved = self._pending.pop()
            await resolved.wait()
            resolved.column.complete(resolved.outcomes)
            return
        for resolved in self._pending:
            resolved.share()
            self._waits[resolved.joined()].append(resolved)
        self._pending.clear()
        done, _ = await asyncio.wait(self._waits, return_when=asyncio.FIRST_COMPLETED)
        for joined in done:
            for resolved in self._waits.pop(joined):
                resolved.take()
                resolved.column.complete(resolved.outcomes)

    def _stop_waiting(self) -> None:
        """Leave what is awaited to others."""
        for resolved in self._pending:
            resolved.share()
        for resolved in chain.from_iterable(self._waits.values()):
            resolved.leave()
        self._waits.clear()
