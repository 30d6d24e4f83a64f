"""Where Prometheus finds the metrics: at a path of the server's port, or on a port of their own."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.server import ServerState

from application.transports.protocols import HTTPProtocol
from services.errors import OperatorError

_log = logging.getLogger(__name__)

_PATH = "/metrics"

_PORTS = 65_536
_NEIGHBOURS = 64
"""How many processes may be on one machine with the same setting."""


async def metrics(request: Request) -> Response:
    """The present metrics, in the format that is asked for."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(
        encode(request.state.registry),
        headers={"content-type": media_type, "cache-control": "no-store"},
    )


@asynccontextmanager
async def serving_metrics(registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[None]:
    """Serve them on a port of their own: this one or, where another process has it, the next.

    So each process of several has one, and keeps it when it is started again. Raises OperatorError.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        Starlette(routes=[Route(_PATH, metrics)]),
        log_config=None,
        proxy_headers=False,
        server_header=False,
        http=HTTPProtocol,
        ws="none",
    )
    state = ServerState()

    def protocol() -> HTTPProtocol:
        return HTTPProtocol(config, state, {"registry": registry})

    server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
    taken = listener.getsockname()[1]
    _log.info("Metrics are at http://%s:%d%s", f"[{host}]" if ":" in host else host, taken, _PATH)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()


def _listen(host: str, first: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + _NEIGHBOURS, _PORTS)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise _no_port(host, first, error.strerror) from error
        else:
            return listener
    raise _no_port(host, first, "it and the ports after it are taken")


def _no_port(host: str, port: int, reason: str | None) -> OperatorError:
    return OperatorError(
        f"Cannot serve the metrics on {host}, port {port}: {reason}."
        " Set METRICS to an address of this machine and a free port, or to off."
    )
