"""Responses as JSON."""

from collections.abc import Callable
from typing import Any

import orjson

encode: Callable[[Any], bytes] = orjson.dumps
"""Compact UTF-8, which has no line breaks. Raises TypeError for what JSON cannot say."""
