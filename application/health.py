"""Whether the process lives, and whether it can serve: for load balancers and supervisors."""

import asyncio
from collections import Counter
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from application.pages import no_store
from services.chat import Chat
from services.errors import Unavailable
from services.redis.store import Store
from services.redis.writes import refusals

_READY_SECONDS = 1.0


class _Readiness(NamedTuple):
    is_ready: bool
    reasons: list[str]
    """What cannot be served, or why nothing can."""


async def alive(request: Request) -> Response:
    """200 as long as the process answers at all: restarting it does not bring a store back."""
    return no_store({"status": "ok"})


async def ready(request: Request) -> Response:
    """200 when requests can be served now, be it some of them only; else 503. With the reasons."""
    found = await _readiness(request.state.chat)
    if not found.is_ready:
        return no_store({"status": "unavailable", "reasons": found.reasons}, 503)
    if found.reasons:
        return no_store({"status": "partial", "reasons": found.reasons})
    return no_store({"status": "ok"})


async def _readiness(chat: Chat) -> _Readiness:
    is_ready, reasons = await _store_readiness(chat.store)
    if not chat.hub.is_connected:
        return _Readiness(False, [*reasons, "The channels of the store are not heard."])
    return _Readiness(is_ready, reasons)


async def _store_readiness(store: Store) -> _Readiness:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            if store.is_cluster:
                return _of_cluster(list((await refusals(store)).values()))
            await store.check_writable()
    except TimeoutError:
        return _Readiness(False, ["The store does not answer."])
    except Unavailable as error:
        return _Readiness(False, [error.message])
    return _Readiness(True, [])


def _of_cluster(found: list[str | None]) -> _Readiness:
    """Ready as long as one of its servers takes writes: all processes are without the others."""
    total = len(found)
    # Not which: whoever asks need not know their addresses.
    times = Counter(reason for reason in found if reason is not None)
    reasons = [f"{times[each]} of {total} servers of the store: {each}" for each in sorted(times)]
    return _Readiness(times.total() < total, reasons)
