"""Responses as JSON."""

from typing import Any

import orjson


def encode(value: Any) -> bytes:
    """Compact UTF-8, which has no line breaks. Raises TypeError for what JSON cannot say."""
    return orjson.dumps(value)
