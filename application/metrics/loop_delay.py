"""How late the event loop comes to what is due: for how long something else keeps it."""

import asyncio
import time
from typing import NoReturn

from services.durations import Durations

_EVERY_SECONDS = 0.25
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


def loop_delays() -> Durations:
    return Durations(_BOUNDS)


async def watch_loop(delays: Durations) -> NoReturn:
    while True:
        due = time.perf_counter() + _EVERY_SECONDS
        await asyncio.sleep(_EVERY_SECONDS)
        delays.add(max(0.0, time.perf_counter() - due))
