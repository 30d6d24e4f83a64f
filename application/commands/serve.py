"""`serve`: be a server until told to stop."""

import os
import signal
import sys
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, before HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, before PORT.")] = None,
) -> None:
    """Serve until told to stop."""
    # uvicorn raises the signal again when all is closed: then that is the end, and a good one.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda number, frame: sys.exit(0))
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[name] = str(value)

    from application.server import run
    from application.start import prepare

    run(prepare())
