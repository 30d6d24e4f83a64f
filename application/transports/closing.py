"""How connections end when the peer does not read.

A transport that is closed waits for the peer to take what was written, and for ever if it takes
nothing: its descriptor and its memory would stay. Here such a peer is given up.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any

from application.transports.limits import STALL_SECONDS

_LAST_BYTES = 256 * 1024
"""What the kernel may take from us at the end of a socket: more than the transport holds."""


class Farewell:
    """Closes a transport, and aborts it when the peer takes nothing more for a while."""

    __slots__ = ("_check", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.close()
        self._check_later()

    def is_over(self) -> None:
        """The connection is lost."""
        self._check.cancel()

    def _check_later(self) -> None:
        left = self._transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(STALL_SECONDS, self._abort_unless_less_than, left)

    def _abort_unless_less_than(self, before: int) -> None:
        if self._transport.get_write_buffer_size() < before:
            self._check_later()
        else:
            self._transport.abort()


class ClosingTransport:
    """A transport that does get closed."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._farewell: Farewell | None = None
        self._is_lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        # uvloop's raises when the peer has just gone.
        if not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        if self._is_lost:
            self.transport.close()
        elif self._farewell is None:
            self._farewell = Farewell(self.transport)

    def connection_lost(self) -> None:
        self._is_lost = True
        if self._farewell is not None:
            self._farewell.is_over()


def bound_by_peer(
    connection: socket.socket, *, unsent_bytes: int = 64 * 1024, silence_seconds: int = 30
) -> None:
    """Limit what the kernel holds for a peer that does not read, where the kernel can.

    Else it would take megabytes before we noticed anything. And it gives up a peer that has not
    confirmed anything for so long: event streams have no pongs to tell that one has vanished. Set
    on a listener this counts for all its connections.
    """
    options = {"TCP_NOTSENT_LOWAT": unsent_bytes, "TCP_USER_TIMEOUT": silence_seconds * 1_000}
    for name, value in options.items():
        if hasattr(socket, name):
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def leave_the_rest_to_the_kernel(transport: asyncio.Transport) -> None:
    """So that a peer that begins to read again, however late, finds the last that was written.

    The kernel keeps it when the process has long forgotten the socket.
    """
    if transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LAST_BYTES)
    bound_by_peer(connection, unsent_bytes=_LAST_BYTES, silence_seconds=0)
