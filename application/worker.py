"""A worker: one of several server processes on one port, which `supervisor` has started."""

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from typing import Never

from application.server import serve
from application.start import prepare
from application.supervisor import BEAT, SERVES
from services.errors import OperatorError


def main() -> Never:
    """Serve on a listener and tell the supervisor by a line, which ends when that does.

    Their descriptors are the arguments.
    """
    listener, line = (socket.socket(fileno=int(word)) for word in sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    for number in (
        signal.SIGHUP,  # Is for the supervisor.
        signal.SIGTTOU,  # Terminals that are set to it stop whoever writes in the background.
    ):
        signal.signal(number, signal.SIG_IGN)

    def started() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(line, supervisor_has_gone, loop)
        line.sendall(SERVES)
        beat(loop)

    def beat(loop: asyncio.AbstractEventLoop) -> None:
        # Of a supervisor that does not read, or has just gone, nothing is wanted.
        with suppress(OSError):
            line.send(BEAT, socket.MSG_DONTWAIT)
        loop.call_later(1, beat, loop)

    def supervisor_has_gone(loop: asyncio.AbstractEventLoop) -> None:
        loop.remove_reader(line)
        signal.raise_signal(signal.SIGTERM)

    try:
        serve(prepare(), listener, started)
    except OperatorError as error:
        line.sendall(str(error).encode())
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
