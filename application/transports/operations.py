"""The operations that run on one socket."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from application.transports import messages
from application.transports.errors import unexpected
from application.transports.gateway import LiveSession
from application.transports.writer import Writer
from execution.engine import Engine
from execution.errors import RequestError
from execution.operation import Operation
from execution.stream import Listener


@dataclass(eq=False, slots=True)
class _Running:
    id: str
    operation: Operation
    size: int
    has_begun: bool = False
    task: "asyncio.Task[None]" = field(init=False)

    def cancel(self) -> None:
        """A mutation that has begun runs to its end: what it does must not be half-done."""
        if not (self.has_begun and self.operation.type == "mutation"):
            self.task.cancel()


class Operations:
    """Each is a task that writes its results, one at a time and as there is room."""

    __slots__ = ("_by_id", "_engine", "_running", "_writer", "size")

    def __init__(self, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self._writer = writer
        self._by_id: dict[str, _Running] = {}
        """Those whose id is in use; a stopped one gives its id back at once."""
        self._running: set[_Running] = set()
        """Those that run, among them the stopped ones that still clean up."""

        self.size = 0
        """Of the requests of those that run, in characters."""

    def __contains__(self, id_: str) -> bool:
        return id_ in self._by_id

    def __len__(self) -> int:
        return len(self._running)

    def weight_with(self, operation: Operation) -> int:
        """Of what is kept in memory for those that run and for this one, in tokens of documents."""
        prepared = {running.operation.prepared for running in self._running}
        return sum(each.weight for each in prepared | {operation.prepared})

    @property
    def subscriptions(self) -> int:
        return sum(running.operation.type == "subscription" for running in self._running)

    def start(self, id_: str, operation: Operation, size: int, session: LiveSession) -> None:
        running = _Running(id_, operation, size)
        running.task = asyncio.create_task(self._run(running, session))
        running.task.add_done_callback(lambda task: self._forget(running))
        self._by_id[id_] = running
        self._running.add(running)
        self.size += size

    def _forget(self, running: _Running) -> None:
        self._running.discard(running)
        self.size -= running.size

    def stop(self, id_: str) -> None:
        """The client wants no more of it; ids that are not known belong to completed ones."""
        if running := self._by_id.pop(id_, None):
            running.cancel()

    def stop_subscriptions(self) -> None:
        """End those that would never end, without a `complete`: clients shall resume them."""
        self._stop_all(lambda running: running.operation.type == "subscription")

    def stop_all(self) -> None:
        self._stop_all(lambda running: True)

    async def finished(self) -> None:
        """Wait until none runs any more; cancelling this cancels none."""
        while self._running:
            await asyncio.wait([running.task for running in self._running])

    def _stop_all(self, is_meant: Callable[[_Running], bool]) -> None:
        for running in [running for running in self._by_id.values() if is_meant(running)]:
            self.stop(running.id)

    async def _run(self, running: _Running, session: LiveSession) -> None:
        try:
            if running.operation.type == "subscription":
                await self._subscribe(running, session)
            else:
                await self._execute(running, session)
            last = messages.complete(running.id)
        except RequestError as request_error:
            last = messages.error(running.id, request_error.formatted)
        except Exception:
            last = messages.error(running.id, [unexpected("an operation over WebSocket failed")])
        self._put(running, last)
        if self._is_wanted(running):
            del self._by_id[running.id]

    async def _execute(self, running: _Running, session: LiveSession) -> None:
        await self._writer.room()
        running.has_begun = True
        response = await self._engine.execute(running.operation, session.context())
        self._put(running, messages.next_(running.id, response))

    async def _subscribe(self, running: _Running, session: LiveSession) -> None:
        async with aclosing(
            await self._engine.subscribe(running.operation, session.context())
        ) as stream:
            await self._writer.room()
            with suppress(StopAsyncIteration):
                while True:
                    response = await stream.pull()
                    if response is None:
                        await stream.share(self._listener(running))
                    else:
                        self._put(running, messages.next_(running.id, response))
                        # The writer's turn: a source that has much in store never waits.
                        await asyncio.sleep(0)
                    await self._writer.room()

    def _listener(self, running: _Running) -> Listener:
        """Takes results that are made for many: what is done here is done for each of them."""
        head, offer, by_id = messages.next_head(running.id), self._writer.offer, self._by_id

        def listen(response: bytes) -> bool:
            return by_id.get(running.id) is not running or offer(head + response + b"}")

        return listen

    def _put(self, running: _Running, message: bytes) -> None:
        """Unless the client has stopped it: nothing may follow its `complete`."""
        if self._is_wanted(running):
            self._writer.put_result(message)

    def _is_wanted(self, running: _Running) -> bool:
        return self._by_id.get(running.id) is running
