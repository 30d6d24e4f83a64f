"""Cursors: one opaque string for a place in the history and in the log alike.

Forty hexadecimal digits: the score of the history as an order-preserving double (16), the position
in the log (16), the store's epoch (8). Cursors of one room sort as its history does.
On a Redis Cluster, where each log has a clock of its own, those of live events have eight more: how
many milliseconds before the position something may not have been told yet.
"""

import struct
from dataclasses import dataclass

from services.errors import BadUserInput

_DOUBLE = struct.Struct(">d")
_BYTES = 20
_MOST_DOUBT = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Cursor:
    score: float
    position: int
    epoch: str
    doubt: int = 0
    """Microseconds before the position from which on something may not have been told."""


def encode(score: float, position: int, epoch: str) -> str:
    return "%016x%016x%s" % (_ordered_bits(score), position, epoch)  # noqa: UP031 (the fastest)


def doubtful(cursor: str, doubt: int) -> str:
    """The cursor of something before which something else may not have been told yet."""
    return f"{cursor}{min(-(-doubt // 1000), _MOST_DOUBT):08x}" if doubt else cursor


def decode(text: str, field: str) -> Cursor:
    """Raise BadUserInput, naming `field`, for a string that was never handed out."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) not in (_BYTES, _BYTES + 4) or text != raw.hex():
        raise BadUserInput("This is not a cursor of this server.", field)
    score = _from_ordered_bits(int.from_bytes(raw[:8]))
    position = int.from_bytes(raw[8:16])
    if score - score != 0 or position >= 1 << 53:
        raise BadUserInput("This is not a cursor of this server.", field)
    doubt = int.from_bytes(raw[_BYTES:]) * 1000
    if len(raw) > _BYTES and not doubt:
        raise BadUserInput("This is not a cursor of this server.", field)
    return Cursor(score, position, raw[16:_BYTES].hex(), doubt)


def _ordered_bits(value: float) -> int:
    """Bits of a double that compare as the doubles do: the sign flipped, negatives inverted."""
    bits = int.from_bytes(_DOUBLE.pack(value))
    return bits ^ 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else bits | 1 << 63


def _from_ordered_bits(bits: int) -> float:
    raw = bits ^ 1 << 63 if bits >> 63 else bits ^ 0xFFFF_FFFF_FFFF_FFFF
    (value,) = struct.unpack(">d", struct.pack(">Q", raw))
    return float(value)
