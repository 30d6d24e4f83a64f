"""What a server takes from its machine: a port, and descriptors for those who come."""

import os
import socket
from contextlib import suppress

from application.settings import Settings
from application.transports.closing import bound_by_peer
from services.errors import OperatorError


def listen(settings: Settings) -> socket.socket:
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
        listener.close()
        raise OperatorError(
            f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}."
            " Set HOST and PORT to an address of this machine and a free port."
        ) from error
    return listener


def limit_of_files() -> int | None:
    """How many files a process may have open, each connection being one; None: nobody says."""
    if os.name != "posix":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def allow_many_connections() -> None:
    """As many as the system allows us; its first answer is often 1,024, for all addresses."""
    most = limit_of_files()
    if most is not None:
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
