"""WebSocket frames, read and written (RFC 6455, section 5).

The part of the protocol that each message passes. Without extensions a frame is a few bytes around
its payload, and what generality costs here is paid for every delivery and every connection.
"""

from collections.abc import Callable, Iterator, MutableMapping
from struct import Struct
from typing import Any

from websockets.exceptions import ProtocolError
from websockets.frames import Close, Opcode

try:
    from websockets.speedups import apply_mask
except ImportError:  # A build without C.
    from websockets.utils import apply_mask

EXTENSION = "parley.text_frames"
"""In the scopes of a server that writes text frames past ASGI, which has a dictionary and a
coroutine for each: more than the rest of a delivery. Without it they go by `websocket.send`, and
the bytes on the wire are the same."""

WriteText = Callable[[bytes], bool]
"""Writes a text at once; False, and nothing is written, when the peer is behind or gone."""

_FINAL = 0x80
_RESERVED = 0x70
_OPCODE = 0x0F
_CONTROL = 0x08
_MASKED = 0x80
_LENGTH = 0x7F
_OPCODES = frozenset(Opcode)

_TEXT = _FINAL | Opcode.TEXT
"""The first byte of a text in one frame."""

_medium_head = Struct(">BBH").pack

_MAX_CONTROL_BYTES = 125

_MAX_FRAGMENTS = 1_000
"""Of one message: there may be any number of empty ones in the few bytes that it may have."""


class BrokenFrame(Exception):
    """The peer breaks the protocol: the connection fails with this code (section 7.1.7)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """Messages and control frames out of what a client sends, in pieces of any size.

    It holds nothing while there is no message of which only a part has come.
    """

    __slots__ = ("_fragments", "_max_size", "_opcode", "_rest", "_size")

    def __init__(self, max_size: int) -> None:
        """`max_size`: bytes that a message may have."""
        self._max_size = max_size
        self._rest: bytearray | None = None
        """What has come of the next frame."""
        self._opcode = 0
        """That of the message whose fragments these are."""
        self._fragments: list[bytes] | None = None
        self._size = 0

    def read(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The opcodes and payloads of what is whole with this; to be read to the end.

        Raises BrokenFrame, behind what came before: 1002 for what is not in the protocol, 1007 for
        text that is not UTF-8, 1009 for a message that is too large.
        """
        rest = self._rest
        if rest is not None:
            rest += data
        source = data if rest is None else rest
        start, end = 0, len(source)
        while end - start >= 2:
            first, second = source[start], source[start + 1]
            at, length = start + 2, second & _LENGTH
            if length > _MAX_CONTROL_BYTES:
                at += 2 if length == 126 else 8
                if at > end:
                    break
                length = int.from_bytes(source[start + 2 : at])
            self._check(first, second, length)
            start_after = at + 4 + length
            if start_after > end:
                break
            payload = apply_mask(source[at + 4 : start_after], source[at : at + 4])
            start = start_after
            opcode = first & _OPCODE
            if opcode & _CONTROL:
                yield opcode, payload
            elif (message := self._joined(opcode, payload, first & _FINAL)) is not None:
                yield message
        if rest is None:
            self._rest = bytearray(data[start:]) if start < end else None
        elif start < end:
            del rest[:start]
        else:
            self._rest = None

    def _check(self, first: int, second: int, length: int) -> None:
        """Refuse a frame by its head, before there is more of it."""
        opcode = first & _OPCODE
        if first & _RESERVED or opcode not in _OPCODES:
            raise BrokenFrame(1002, "A frame of an unknown kind")
        if not second & _MASKED:
            raise BrokenFrame(1002, "Frames of clients are masked")
        if opcode & _CONTROL:
            if length > _MAX_CONTROL_BYTES or not first & _FINAL:
                raise BrokenFrame(1002, "Control frames are short and whole")
            return
        if (opcode == Opcode.CONT) != (self._fragments is not None):
            raise BrokenFrame(1002, "A fragment out of order")
        if self._size + length > self._max_size:
            raise BrokenFrame(1009, f"Messages have at most {self._max_size:,} bytes")

    def _joined(self, opcode: int, payload: bytes, is_final: int) -> tuple[int, bytes] | None:
        """The message that ends with this frame, if one does."""
        fragments = self._fragments
        if is_final and fragments is None:
            return opcode, payload
        if fragments is None:
            fragments = self._fragments = []
            self._opcode = opcode
        elif len(fragments) == _MAX_FRAGMENTS:
            raise BrokenFrame(1009, f"Messages have at most {_MAX_FRAGMENTS:,} fragments")
        fragments.append(payload)
        self._size += len(payload)
        if not is_final:
            return None
        self._fragments, self._size = None, 0
        return self._opcode, b"".join(fragments)


def text_of(payload: bytes) -> str:
    """Raises BrokenFrame."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise BrokenFrame(1007, "Text is UTF-8") from None


def close_of(payload: bytes) -> tuple[int, str]:
    """The code and reason of a close frame; 1005 for one without. Raises BrokenFrame."""
    try:
        close = Close.parse(payload)
    except ProtocolError as error:
        raise BrokenFrame(1002, str(error)) from None
    except UnicodeDecodeError:
        raise BrokenFrame(1007, "Reasons are UTF-8") from None
    return int(close.code), close.reason


def text_frame(text: bytes) -> bytes:
    """The frame of a server, which is not masked."""
    size = len(text)
    if 126 <= size < 1 << 16:  # As nearly all results are.
        return _medium_head(_TEXT, 126, size) + text
    return _head(_TEXT, size) + text


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """Any other frame of a server, as the whole message."""
    return _head(_FINAL | opcode, len(payload)) + payload


def close_frame(code: int, reason: str) -> bytes:
    return frame(Opcode.CLOSE, Close(code, reason).serialize())


def _head(first: int, size: int) -> bytes:
    if size < 126:
        return bytes((first, size))
    if size < 1 << 16:
        return _medium_head(first, 126, size)
    return bytes((first, 127)) + size.to_bytes(8)


def ready_frames(scope: MutableMapping[str, Any]) -> WriteText:
    """How this connection's server writes frames, if it does."""
    write: WriteText = scope.get("extensions", {}).get(EXTENSION, never)
    return write


def never(text: bytes) -> bool:
    return False
