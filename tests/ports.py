"""Ports of this machine that nobody else uses: no other test, no other run of the tests."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to outgoing connections, which would take one of a process
that is being restarted."""

_LOCKS = os.open(Path(tempfile.gettempdir(), "parley-tests-ports.lock"), os.O_RDWR | os.O_CREAT)
"""Byte 20,001 is locked while port 20,001 is somebody's; the kernel sees to the end of that."""

_ours: set[int] = set()
"""A process is not kept from what it has locked itself."""


def free_port() -> int:
    """Ours until we end: it may take a while to listen there, and be interrupted."""
    while True:
        port = random.choice(_PORTS)
        if port not in _ours and _lock(port):
            _ours.add(port)
            if _is_free(port):
                return port


def _lock(port: int) -> bool:
    try:
        fcntl.lockf(_LOCKS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    """Whether no other program listens there."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
