"""What the transports need of the application behind them."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from execution.engine import Engine


class Refused(Exception):
    """The credentials of a connection are bad; a socket is closed with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class RequestContext(Protocol):
    """The context of one operation: the resolvers', but for the headers."""

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """Headers to add to the HTTP response, the cookie of a login for one."""


class LiveSession(Protocol):
    """One open connection: a socket or an event stream."""

    @property
    def ended(self) -> asyncio.Future[tuple[int, str]]:
        """Done with a close code and reason when the session ends before the connection.

        Subscriptions then end at once; a socket still answers the operations that run.

        4401 logged out, 4403 expired, 1012 the server stops.
        """

    def context(self) -> RequestContext:
        """A fresh context: what it loads belongs to one operation."""

    async def close(self) -> None:
        """The connection is gone."""


class Gateway(Protocol):
    @property
    def engine(self) -> Engine: ...

    async def http_context(self, request: HTTPConnection[Any]) -> RequestContext:
        """The context of a request. Raises Refused."""

    async def open(
        self, connection: HTTPConnection[Any], payload: Mapping[str, object] | None
    ) -> LiveSession:
        """The session of a connection; `payload` is that of a socket's `connection_init`.

        Raises Refused for bad credentials. Without any, the session is anonymous: it is the
        operations that ask for more.
        """
