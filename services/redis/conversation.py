"""A connection to the store that redis-py has made, read and written by us.

redis-py knows addresses, TLS, log-in and protocol versions. What it does for each reply, with
streams, timeouts and tasks, takes several times as long as the reply itself.
"""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable
from typing import Any

import hiredis
from redis._parsers import BaseParser
from redis.asyncio.connection import AbstractConnection, Connection
from redis.exceptions import InvalidResponse

from services.redis.sentinels import Place

_log = logging.getLogger(__name__)

_INCOMPLETE = object()


class Conversation(asyncio.Protocol):
    """`received` is called with each reply; error replies are exceptions, text is bytes."""

    def __init__(self, connection: AbstractConnection, received: Callable[[Any], None]) -> None:
        loop = asyncio.get_running_loop()
        self.ended: Future[Exception | None] = loop.create_future()
        """Done, with the reason if there is one, when the connection is no more."""
        self.heard_at = loop.time()
        """When something was received last."""
        self._time = loop.time
        self._reason: Exception | None = None
        self._received = received
        self._connection = connection
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=BaseParser.parse_error,
            notEnoughData=_INCOMPLETE,
        )
        # The only way past the streams.
        self._transport: Any = connection._writer.transport  # type: ignore[union-attr]
        self._streams = self._transport.get_protocol()
        self._transport.set_protocol(self)

    @classmethod
    async def begin(
        cls, connection: AbstractConnection, received: Callable[[Any], None]
    ) -> "Conversation":
        """Connect. Raises RedisError or OSError."""
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return cls(connection, received)

    @property
    def place(self) -> Place | None:
        """Of the server; None where it is a socket in a file."""
        connection = self._connection
        return (connection.host, connection.port) if isinstance(connection, Connection) else None

    def say(self, request: bytes) -> None:
        """Send packed commands."""
        try:
            self._transport.write(request)
        except RuntimeError:
            # From uvloop, when the peer is gone already.
            self.end()

    def end(self, error: Exception | None = None) -> None:
        """Hang up at once."""
        self._reason = self._reason or error
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._time()
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._received(reply)
        except InvalidResponse as error:
            _log.exception("The store sent what is no answer")
            self.end(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._streams.connection_lost(error)
        self._connection._close()  # type: ignore[no-untyped-call]
        self.ended.set_result(self._reason or error)
