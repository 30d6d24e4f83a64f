"""The opening handshake of WebSockets (RFC 6455, section 4.2)."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from websockets.utils import accept_key

_VERSION = b"13"

Header = tuple[bytes, bytes]
Headers = list[Header]


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a client asks for; names of headers are in small letters, as ASGI has them."""

    target: bytes
    headers: Headers
    key: bytes

    @property
    def subprotocols(self) -> list[str]:
        offers = b",".join(_values(self.headers, b"sec-websocket-protocol")).decode("latin-1")
        return [offer for part in offers.split(",") if (offer := part.strip())]

    def acceptance(self, subprotocol: str | None, headers: Iterable[Header]) -> bytes:
        """The response that opens the connection, with these headers besides its own."""
        lines = [
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b" % accept_key(self.key.decode()).encode()
        ]
        if subprotocol is not None:
            lines.append(b"Sec-WebSocket-Protocol: %b" % subprotocol.encode())
        lines += [b"%b: %b" % header for header in headers]
        return b"\r\n".join([*lines, b"", b""])


class BadHandshake(Exception):
    """The request asks for no WebSocket that there could be."""

    def __init__(self, status: int, reason: str, *headers: Header) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


def parse_handshake(request: bytes) -> Handshake:
    """A request as uvicorn hands it over: it has been parsed, and is written anew.

    Raises BadHandshake.
    """
    head, *lines = request.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, _ = head.split(b" ")
    headers = [
        (name.lower(), value.strip(b" \t"))
        for name, _, value in (line.partition(b": ") for line in lines)
    ]
    if method != b"GET":
        raise BadHandshake(405, "A WebSocket is opened with GET", (b"Allow", b"GET"))
    if _values(headers, b"sec-websocket-version") != [_VERSION]:
        known = (b"Sec-WebSocket-Version", _VERSION)
        raise BadHandshake(
            426, "The version of WebSockets is 13", (b"Upgrade", b"websocket"), known
        )
    if len(_values(headers, b"host")) != 1:
        raise BadHandshake(400, "The host is named once")
    if _has_body(headers):
        raise BadHandshake(400, "The request for a WebSocket has no body")
    keys = _values(headers, b"sec-websocket-key")
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadHandshake(400, "Sec-WebSocket-Key has 16 bytes in base64")
    return Handshake(target, headers, keys[0])


def rejection(status: int, reason: str, headers: Iterable[Header]) -> bytes:
    """A response that opens nothing."""
    body = f"{reason}.\n".encode() if reason else b""
    lines = [
        STATUS_LINE[status] + b"Connection: close",
        b"Content-Length: %d" % len(body),
        b"Content-Type: text/plain; charset=utf-8",
        *(b"%b: %b" % header for header in headers),
    ]
    return b"\r\n".join([*lines, b"", body])


def _values(headers: Headers, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _has_body(headers: Headers) -> bool:
    """Whether there is one, which would be taken for frames."""
    sizes = _values(headers, b"content-length")
    return any(size != b"0" for size in sizes) or bool(_values(headers, b"transfer-encoding"))


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False
