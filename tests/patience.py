"""What has to come in time, on machines that stand still now and then."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

_TURN_SECONDS = 0.05


async def within(seconds: float, awaitable: Awaitable[T]) -> T:
    """What comes of it, in so many seconds of turns that the event loop was given.

    A clock on the wall would count what the machine did meanwhile for others. Raises TimeoutError.
    """
    task = asyncio.ensure_future(awaitable)
    for _ in range(round(seconds / _TURN_SECONDS)):
        done, _ = await asyncio.wait({task}, timeout=_TURN_SECONDS)
        if done:
            return task.result()
    task.cancel()
    raise TimeoutError(f"Nothing came in {seconds} seconds.")
