"""Ending tasks."""

import asyncio

_AGAIN_SECONDS = 0.5


async def stop(*tasks: asyncio.Task[object]) -> None:
    """Cancel tasks and wait until they have ended; what they raise is theirs.

    One that has caught the cancellation, as libraries do by mistake now and then, is cancelled
    again: nothing else would ever end it.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_AGAIN_SECONDS)
