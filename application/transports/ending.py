"""How a socket comes to its end."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.websockets import WebSocketDisconnect

from application.transports.errors import unexpected
from application.transports.messages import Closure


class Ending:
    """Whoever finds that it is over says so, and the first one counts.

    It is over with a closure, or with None where there is nobody left to tell.
    """

    def __init__(self) -> None:
        self._over: asyncio.Future[Closure | None] = asyncio.get_running_loop().create_future()

    def come(self, closure: Closure | None) -> None:
        if not self._over.done():
            self._over.set_result(closure)

    async def wait(self) -> Closure | None:
        return await self._over

    async def guard(self, duty: Callable[[], Awaitable[None]]) -> None:
        """Do what ends the socket when it fails."""
        try:
            await duty()
        except Closure as closure:
            self.come(closure)
        except WebSocketDisconnect:
            self.come(None)
        except Exception:
            error_id = unexpected("a WebSocket failed")["extensions"]["id"]
            self.come(Closure(4500, f"Internal server error {error_id}"))
