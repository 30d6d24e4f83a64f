"""Whether the process lives, and whether it can serve: for load balancers and supervisors."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from application.pages import no_store
from services.chat import Chat
from services.errors import Unavailable

_READY_SECONDS = 1.0


async def alive(request: Request) -> Response:
    """200 as long as the process answers at all: restarting it does not bring a store back."""
    return no_store({"status": "ok"})


async def ready(request: Request) -> Response:
    """200 when requests can be served now, else 503 with the reasons."""
    reasons = await _obstacles(request.state.chat)
    if reasons:
        return no_store({"status": "unavailable", "reasons": reasons}, 503)
    return no_store({"status": "ok"})


async def _obstacles(chat: Chat) -> list[str]:
    reasons = []
    try:
        async with asyncio.timeout(_READY_SECONDS):
            await chat.store.check_writable()
    except TimeoutError:
        reasons.append("The store does not answer.")
    except Unavailable as error:
        reasons.append(error.message)
    if not chat.hub.is_connected:
        reasons.append("The channels of the store are not heard.")
    return reasons
