"""Text frames written past ASGI, where the server is ours (RFC 6455, section 5.2).

ASGI takes a message as a dictionary and a coroutine for each, which costs more than the rest of a
delivery. A server that can write frames puts a function into the scope's extensions; without it
they go by `websocket.send`, with the same bytes on the wire.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

EXTENSION = "parley.text_frames"

WriteText = Callable[[bytes], bool]
"""Writes a text at once; False, and nothing is written, when the peer is behind or gone."""

_TEXT = 0x81
"""A text frame that is the whole message."""


def text_frame(text: bytes) -> bytes:
    """The frame of a server, which is not masked."""
    size = len(text)
    if size < 126:
        return bytes((_TEXT, size)) + text
    if size < 1 << 16:
        return bytes((_TEXT, 126, size >> 8, size & 0xFF)) + text
    return bytes((_TEXT, 127)) + size.to_bytes(8) + text


def ready_frames(scope: MutableMapping[str, Any]) -> WriteText:
    """How this connection's server writes frames, if it does."""
    write: WriteText = scope.get("extensions", {}).get(EXTENSION, _never)
    return write


def _never(text: bytes) -> bool:
    return False
