"""A name for each request and each socket, to find what the log has of it.

Whoever asks may give the name, as proxies do in `X-Request-ID`; so the lines of all programs that a
request passes can be found by one name. Anybody's is taken, not only a trusted proxy's: it is no
credential, the proxies of hosting platforms have no addresses to be trusted by, and what it may
consist of cannot break a line of the log or flood it.
"""

import re
import secrets
from contextvars import ContextVar

from starlette.types import Message, Scope, Send

_HEADER = b"x-request-id"
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:=+/@-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being answered; a socket's is that of its handshake."""

trace_id: ContextVar[str | None] = ContextVar("trace_id", default=None)
"""Of the trace that what is being done belongs to, where there are traces."""


def name_request(scope: Scope) -> None:
    """Give what begins here its name, in this task and in those that it starts."""
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    name = given.decode() if _WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
    request_id.set(name)


def naming_headers() -> list[tuple[bytes, bytes]]:
    """The headers that tell the other side the name."""
    name = request_id.get()
    return [] if name is None else [(_HEADER, name.encode())]


def naming(send: Send) -> Send:
    """`send` for a response that bears the name."""

    async def send_with_name(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *naming_headers()]
        await send(message)

    return send_with_name
