"""The writing half of a socket: at once where the peer keeps up, else through its outbox."""

import asyncio
from contextlib import suppress

from starlette.types import Scope, Send
from starlette.websockets import WebSocketDisconnect

from application.transports.ending import Ending
from application.transports.frames import never, ready_frames
from application.transports.limits import Limits
from application.transports.messages import Closure
from application.transports.outbox import Outbox

_CLOSE_SECONDS = 3.0
"""How long a peer may take to read what goes before the close frame."""

SLOW_CONSUMER = Closure(1013, "slow consumer, resume with after")


class Writer:
    """Messages leave in the order in which they were put.

    While there is nothing to wait for there is no task either. What cannot be written at once
    waits in the outbox for a task that writes it; a peer that takes nothing from a full outbox for
    `stall_seconds` has its socket closed.
    """

    __slots__ = (
        "_ending",
        "_limits",
        "_outbox",
        "_send",
        "_stalled",
        "_write_text",
        "_writing",
    )

    def __init__(self, scope: Scope, send: Send, limits: Limits, ending: Ending) -> None:
        self._send = send
        self._limits = limits
        self._ending = ending
        self._write_text = ready_frames(scope)
        self._outbox = Outbox(limits.result_bytes, limits.other_bytes)
        self._writing: asyncio.Task[None] | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def waiting_bytes(self) -> int:
        return self._outbox.size

    def put_result(self, message: bytes) -> None:
        if not self._write_at_once(message):
            self._outbox.put_result(message)
            self._write_later()

    def put_other(self, message: bytes) -> None:
        """What cannot wait for room: the reading does not depend on how fast a peer reads.

        Raises Closure when the peer leaves too much of it unread.
        """
        if not self._write_at_once(message):
            if not self._outbox.put_other(message):
                raise SLOW_CONSUMER
            self._write_later()

    def offer(self, message: bytes) -> bool:
        """Take a result if there is room for it."""
        if self._writing is None and self._write_text(message):
            return True  # As `_write_at_once` does: this is done for each delivery.
        if self._outbox.is_full:
            return False
        self._outbox.put_result(message)
        self._write_later()
        return True

    async def room(self) -> None:
        """Wait until there is room for a result."""
        await self._outbox.room()

    async def close(self, closure: Closure) -> None:
        """Tell the peer, and before that what waits for it, unless that is too much for it."""
        await self.stop()
        if closure is not SLOW_CONSUMER:
            with suppress(TimeoutError, WebSocketDisconnect):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._write()
        code, reason = closure.code, closure.reason
        with suppress(TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def stop(self) -> None:
        """Write nothing more."""
        self._note_movement(is_over=True)
        self._write_text = never  # What still comes goes behind what waits.
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = None

    def _write_at_once(self, message: bytes) -> bool:
        """Nothing waits while there is no task that writes it."""
        return self._writing is None and self._write_text(message)

    def _write_later(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        if self._outbox.is_full and self._stalled is None:
            self._note_movement()

    async def _write_all(self) -> None:
        with self._ending:
            await self._write()

    async def _write(self) -> None:
        while (message := self._outbox.first()) is not None:
            try:
                await self._send({"type": "websocket.send", "text": message.decode()})
            except (OSError, RuntimeError):
                # It is closed: by the peer or, as uvicorn does when it stops, by the server.
                raise WebSocketDisconnect(1006) from None
            self._outbox.drop_first()
            self._note_movement()
        self._writing = None

    def _note_movement(self, *, is_over: bool = False) -> None:
        """The time of patience begins anew, as long as the outbox is full."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        if self._outbox.is_full and not is_over:
            loop = asyncio.get_running_loop()
            self._stalled = loop.call_later(
                self._limits.stall_seconds, self._ending.come, SLOW_CONSUMER
            )
