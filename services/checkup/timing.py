"""How far away the store is, and whether its clock is right."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from services import keys
from services.checkup.finding import Finding, ok, warning, wrong
from services.store import Store

_ROUNDS = 200
_SLOW_SECONDS = 0.005
"""In the middle: every operation waits for at least one answer of the store."""
_ODD_SECONDS = 2
_WRONG_SECONDS = 60


async def check_timing(store: Store) -> list[Finding]:
    """Raises Unavailable."""
    return [
        await _latency("PING", lambda: store.call("PING")),
        await _latency(
            "a script", lambda: store.run("newest", [keys.room("0"), keys.room_foreign("0")])
        ),
        await _clock(store),
    ]


async def _latency(what: str, ask: Callable[[], Awaitable[Any]]) -> Finding:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - began)
    times.sort()
    middle, most = times[_ROUNDS // 2], times[_ROUNDS * 99 // 100]
    text = f"{what} takes {middle * 1000:.2f} ms, 99 % of them at most {most * 1000:.2f} ms."
    if middle > _SLOW_SECONDS:
        return warning("latency", f"{text} Bring server and store closer together.")
    return ok("latency", text)


async def _clock(store: Store) -> Finding:
    began = time.time()
    seconds, microseconds = await store.call("TIME")
    ended = time.time()
    skew = int(seconds) + int(microseconds) / 1e6 - (began + ended) / 2
    text = (
        f"The store's is {abs(skew):.3f} s {'ahead of' if skew > 0 else 'behind'} this machine's."
    )
    if abs(skew) > _ODD_SECONDS:
        find = wrong if abs(skew) > _WRONG_SECONDS else warning
        return find("clock", f"{text} Messages have the store's time: set both by NTP (chrony).")
    return ok("clock", text)
