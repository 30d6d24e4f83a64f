"""How far away the store is, and whether its clock is right."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from services import keys
from services.checkup.finding import Finding, at, name, ok, warning, wrong
from services.hub.cluster_subscription import MARGIN
from services.redis.sentinels import Place
from services.redis.store import Store

_ROUNDS = 200
_SLOW_SECONDS = 0.005
"""In the middle: every operation waits for at least one answer of the store."""
_ODD_SECONDS = 2
_WRONG_SECONDS = 60


async def check_timing(store: Store, places: Sequence[Place | None] = (None,)) -> list[Finding]:
    """`places`: of the servers of a cluster that answer. Raises Unavailable."""
    findings: list[Finding] = []
    for place in places:
        ping = partial(store.call_at, place, "PING")
        findings += at(place, [await _latency("PING", ping)])
    script = partial(store.run, "newest", [keys.room("0"), keys.room_foreign("0")])
    findings.append(await _latency("a script", script))
    return [*findings, *check_clocks({place: await _skew(store, place) for place in places})]


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


async def _skew(store: Store, place: Place | None) -> float:
    """By how many seconds its clock is ahead of this machine's."""
    began = time.time()
    seconds, microseconds = await store.call_at(place, "TIME")
    ended = time.time()
    return float(int(seconds) + int(microseconds) / 1e6 - (began + ended) / 2)


def check_clocks(skews: Mapping[Place | None, float]) -> list[Finding]:
    """Of the store, or of each server of a cluster."""
    place, worst = max(skews.items(), key=lambda item: abs(item[1]))
    findings = at(place, [_clock(worst)])
    first, last = min(skews, key=skews.__getitem__), max(skews, key=skews.__getitem__)
    if first is None or last is None or first == last:
        return findings
    between = skews[last] - skews[first]
    text = f"Those of the servers agree within {between:.3f} s"
    if between * 1e6 <= MARGIN:
        return [*findings, ok("clock", f"{text}.")]
    return [
        *findings,
        wrong(
            "clock",
            f"{text} only, {name(last)} being ahead of {name(first)}: subscriptions that resume"
            " leave messages out. Set all by NTP (chrony).",
        ),
    ]


def _clock(skew: float) -> Finding:
    text = (
        f"The store's is {abs(skew):.3f} s {'ahead of' if skew > 0 else 'behind'} this machine's."
    )
    if abs(skew) > _ODD_SECONDS:
        find = wrong if abs(skew) > _WRONG_SECONDS else warning
        return find("clock", f"{text} Messages have the store's time: set both by NTP (chrony).")
    return ok("clock", text)
