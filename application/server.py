"""A server process: it serves, and stops when it is told to."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from application.listening import allow_many_connections
from application.settings import Settings
from application.transports.protocols import HTTPProtocol, WebSocketProtocol
from application.web import Parley, create_app
from services.errors import OperatorError

_DRAIN_SECONDS = 3
"""How long connections may take to end by themselves; after that they are ended."""

_GRACE_SECONDS = 3
"""How long what runs then may take, before it is cancelled."""

_OBJECTS_BETWEEN_COLLECTIONS = 25_000
"""Python's own 700 has it search for cycles all the time while a thousand clients connect."""


def serve(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serve until told to stop; say when it is `started`.

    Raises OperatorError when that cannot be begun.
    """
    allow_many_connections()
    app = create_app(settings)
    try:
        _Server(app, settings, started).run([listener])
    except SystemExit:
        if app.failure is not None:
            raise OperatorError(app.failure) from None
        raise


class _Server(uvicorn.Server):
    """uvicorn, saying when it is serving and nothing when it cannot.

    When it is told to stop, so is the application (see `signals`), which then ends its sockets and
    streams. uvicorn by itself would close the sockets before their operations are done.
    """

    def __init__(self, app: Parley, settings: Settings, started: Callable[[], None]) -> None:
        is_verbose = settings.log_level == "debug"
        logger = logging.getLogger("uvicorn")
        logger.setLevel(logging.DEBUG if is_verbose else logging.WARNING)
        # The one line that tells why it cannot start is ours.
        logging.getLogger("uvicorn.error").addFilter(lambda record: app.failure is None)
        self._say_started = started
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=is_verbose,
                server_header=False,
                # TRUSTED_PROXIES says whom to believe; uvicorn would believe any local process.
                proxy_headers=False,
                http=HTTPProtocol,
                ws=WebSocketProtocol,
                ws_max_size=settings.max_frame_bytes,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays: no need to look through it again and again.
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        if self.started:
            self._say_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if not isinstance(connection, WebSocketProtocol):
                connection.shutdown()  # When it has answered, if there is something to answer.
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while self.server_state.connections and not self.force_exit:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        await super().shutdown(sockets)
