"""`serve`: be a server until told to stop."""

import os
import signal
import sys
from functools import partial
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, before HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, before PORT.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes serve, before WORKERS.")
    ] = None,
) -> None:
    """Serve until told to stop."""
    # uvicorn raises the signal again when all is closed: then that is the end, and a good one.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda number, frame: sys.exit(0))
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        # The terminal is gone. The embedded store would stay.
        signal.signal(signal.SIGHUP, lambda number, frame: signal.raise_signal(signal.SIGTERM))
    for name, value in (("HOST", host), ("PORT", port), ("WORKERS", workers)):
        if value is not None:
            os.environ[name] = str(value)

    from application.listening import listen
    from application.start import prepare
    from application.welcome import welcome

    settings = prepare()
    listener = listen(settings)
    started = partial(welcome, settings, listener.getsockname()[1])
    if settings.workers > 1:
        from application.supervisor import supervise

        supervise(settings.workers, listener, started)
        if settings.store_url is None:
            from services.redis.embedded import EmbeddedStore

            # A worker that had to be killed has not left it.
            EmbeddedStore(settings.data_dir).end_unused()
    else:
        from application.server import serve

        serve(settings, listener, started)
