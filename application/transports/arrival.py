"""uvicorn's HTTP, with bounds on how a request may arrive.

By itself uvicorn waits for ever for the rest of a request, or for its beginning, and keeps whatever
comes before the body in memory.
"""

import asyncio
import sys
from typing import Any, cast

from httptools import HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from application.transports.errors import error
from execution.encode import encode
from execution.errors import BAD_USER_INPUT

ARRIVAL_SECONDS = 10.0
"""How long a request may take to arrive, from the connection or its first byte to its last."""

_MAX_FRAMING_BYTES = 64 * 1024
"""What a request may have besides its body: headers, framing of chunks, trailers."""

_MAX_DISCARDED_BYTES = 1024 * 1024
"""What we still take of a body after the answer, so that the answer is read."""


class ArrivalProtocol(HttpToolsProtocol):
    """A request that does not arrive in time, or is endless, is answered and its connection closed.

    One that arrives in one piece costs no timer. Requests may come before others are answered; the
    answers keep their order (RFC 9112, section 9.3.2), that of a refusal included.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered, or was last; `cycle` is the last that came."""
        self._refusal: bytes | None = None
        """An answer that waits for others, and is the last."""
        self._deadline: asyncio.TimerHandle | None = None
        self._is_arriving = False
        self._framing_bytes = 0
        self._discarded_bytes = 0
        self._piece = b""
        """What is being parsed."""
        self._left = b""
        """What is then to be parsed."""
        self._put_aside: tuple[bytes, list[tuple[bytes, bytes]]] | None = None
        """Address and headers of a request whose body is parsed as a message of its own."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)
        if self._answering is not None:
            # uvicorn tells the last that came, behind which this one would run for ever.
            _let_go(self._answering)

    def handle_websocket_upgrade(self) -> None:
        if self.scope["http_version"] != "1.1":
            self._refuse(400, "A WebSocket is opened with HTTP/1.1.")
            return
        if not self._is_idle:
            self._refuse(400, "A WebSocket is opened when all that was asked before is answered.")
            return
        self._expect_nothing()
        # uvicorn has just caught it, and forgets what has come behind the request.
        end = cast(HttpParserUpgrade, sys.exception()).args[0]
        super().handle_websocket_upgrade()
        # It holds us as we hold it, and is not needed any more.
        self.parser = None  # type: ignore[assignment]
        if early := self._piece[end:]:
            cast(asyncio.Protocol, self.transport.get_protocol()).data_received(early)

    def _should_upgrade(self) -> bool:
        # uvicorn's looks at the last line of each, and for nothing but a WebSocket.
        return (
            self._should_upgrade_to_ws()
            and b"websocket" in self._listed(b"upgrade")
            and b"upgrade" in self._listed(b"connection")
        )

    def _unsupported_upgrade_warning(self) -> None:
        """Go on, as a server may that is asked for another protocol (RFC 9110, section 7.8).

        Java's client asks for HTTP/2 with each of its requests. The parser has stopped behind the
        headers, and takes what follows for something new: a body needs its framing once more.
        """
        end = cast(HttpParserUpgrade, sys.exception()).args[0]
        self._left = self._piece[end:]
        if framing := self._framing():
            self._put_aside = self.url, self.headers
            self._left = b"POST / HTTP/1.1\r\n%b\r\n%b" % (framing, self._left)

    def _framing(self) -> bytes:
        """Of the body, if there is one."""
        names = (b"content-length", b"transfer-encoding")
        return b"".join(b"%b: %b\r\n" % each for each in self.headers if each[0] in names)

    def _listed(self, header: bytes) -> list[bytes]:
        """What stands in a header, which may be a list in several lines (RFC 9110, section 5.3)."""
        lines = b",".join(value for name, value in self.headers if name == header)
        return [word.strip() for word in lines.lower().split(b",")]

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._framing_bytes += len(data)
        self._left = data
        while self._left and self.parser is not None:
            self._piece, self._left = self._left, b""
            super().data_received(self._piece)
        self._piece = b""
        if self.parser is None or self.transport.is_closing():
            return
        if self._framing_bytes > _MAX_FRAMING_BYTES:
            self._refuse(431, f"The headers are larger than {_MAX_FRAMING_BYTES} bytes.")
        elif self._is_arriving or self._is_idle:
            self._expect()
        else:
            self._expect_nothing()

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        self._is_arriving = True
        if self._put_aside is None:
            super().on_message_begin()
        else:
            self.url, self.headers = b"", []

    def on_headers_complete(self) -> None:
        if self._put_aside is None:
            super().on_headers_complete()
        else:
            self.url, self.headers = self._put_aside
            self._put_aside = None

    def on_body(self, body: bytes) -> None:
        self._framing_bytes -= len(body)
        if self.cycle.response_complete:
            self._discarded_bytes += len(body)
            if self._discarded_bytes > _MAX_DISCARDED_BYTES:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and not self._should_upgrade() and self._framing():
            return  # The body is still to come.
        self._is_arriving = False
        self._framing_bytes = 0
        self._discarded_bytes = 0
        super().on_message_complete()
        if self.cycle is not None:
            # uvicorn leaves it where the answer was faster.
            self.cycle.more_body = False

    # Answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal is not None and self._is_idle:
            self._close(self._refusal)

    @property
    def _is_idle(self) -> bool:
        """Whether nothing is being answered."""
        return self._answering is None or self._answering.response_complete

    # The deadline

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(ARRIVAL_SECONDS, self._give_up)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            self._expect()  # It is us who do not read.
        elif self._is_arriving:
            self._refuse(408, f"The request did not arrive within {ARRIVAL_SECONDS:g} seconds.")
        else:
            self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        """Answer the request that arrives, when all before it are answered, and close the
        connection."""
        self._expect_nothing()
        self.parser = None  # type: ignore[assignment]
        answer = _refusal(status, message)
        arriving = self.cycle if self.cycle is not None and self.cycle.more_body else None
        if arriving is not None:
            if arriving.response_started:
                answer = b""
            _let_go(arriving)
            if self.pipeline and self.pipeline[0][0] is arriving:
                self.pipeline.popleft()
        if self._is_idle or self._answering is arriving:
            self._close(answer)
        else:
            self._refusal = answer
            self.flow.pause_reading()

    def _close(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()


def _refusal(status: int, message: str) -> bytes:
    body = encode({"errors": [error(message, BAD_USER_INPUT)]})
    return (
        STATUS_LINE[status] + b"content-type: application/json; charset=utf-8\r\n"
        b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"
        b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    )


def _let_go(cycle: RequestResponseCycle) -> None:
    """Whoever answers it need not go on."""
    cycle.disconnected = True
    cycle.message_event.set()
