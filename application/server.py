"""A server process: it listens, serves, and stops when it is told to."""

import asyncio
import gc
import logging
import os
import socket
import sys
from contextlib import suppress

import uvicorn

from application.settings import Settings
from application.transports.closing import bound_by_peer
from application.transports.protocols import HTTPProtocol, WebSocketProtocol
from application.web import Parley, create_app
from services.demo import PASSWORD, USERNAMES
from services.errors import OperatorError

_DRAIN_SECONDS = 3
"""How long connections may take to end by themselves; after that they are ended."""

_GRACE_SECONDS = 3
"""How long what runs then may take, before it is cancelled."""

_OBJECTS_BETWEEN_COLLECTIONS = 25_000
"""Python's own 700 has it search for cycles all the time while a thousand clients connect."""

_LOCAL = ("127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104


def run(settings: Settings) -> None:
    """Serve until told to stop. Raises OperatorError when that cannot be begun."""
    _allow_many_connections()
    listener = _listen(settings)
    app = create_app(settings)
    try:
        _Server(app, settings).run([listener])
    except SystemExit:
        if app.failure is not None:
            raise OperatorError(app.failure) from None
        raise


class _Server(uvicorn.Server):
    """uvicorn, saying where to go once it is serving and nothing more when it cannot.

    When it is told to stop, so is the application (see `signals`), which then ends its sockets and
    streams. uvicorn by itself would close the sockets before their operations are done.
    """

    def __init__(self, app: Parley, settings: Settings) -> None:
        is_verbose = settings.log_level == "debug"
        logger = logging.getLogger("uvicorn")
        logger.setLevel(logging.DEBUG if is_verbose else logging.WARNING)
        # The one line that tells why it cannot start is ours.
        logging.getLogger("uvicorn.error").addFilter(lambda record: app.failure is None)
        self._settings = settings
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
        if sockets and self.started:
            sys.stdout.write(welcome(self._settings, sockets[0].getsockname()[1]))
            sys.stdout.flush()

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


def welcome(settings: Settings, port: int) -> str:
    """What the operator wants to know at the start."""
    host = "localhost" if settings.host in _LOCAL else settings.host
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [
        "Parley is serving.",
        "",
        f"  Web page     {url}/",
    ]
    if settings.playground:
        lines.append(f"  Playground   {url}/graphql")
    if settings.demo_data:
        names = f"{', '.join(USERNAMES[:-1])} or {USERNAMES[-1]}"
        lines.append(f"  Log in as    {names}; the password is {PASSWORD}")
    lines.append("  To stop      Ctrl-C")
    return "\n".join([*lines, "", ""])


def limit_of_files() -> int | None:
    """How many files a process may have open, each connection being one; None: nobody says."""
    if os.name != "posix":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def _allow_many_connections() -> None:
    """As many as the system allows us; its first answer is often 1,024, for all addresses."""
    most = limit_of_files()
    if most is not None:
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(settings: Settings) -> socket.socket:
    """Take the port before anything else, so that a taken one costs no start."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio switches off Nagle's delay only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound_by_peer(listener)
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        raise OperatorError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}."
            " Set HOST and PORT to an address of this machine and a free port."
        ) from error
    return listener
