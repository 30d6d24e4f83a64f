"""What the store refuses or fails at, told apart: what may pass, and mistakes of ours."""

import re

from redis.exceptions import (
    ConnectionError,
    NoScriptError,
    RedisClusterException,
    TryAgainError,
)
from redis.exceptions import TimeoutError as SocketTimeout

from services.errors import Unavailable

_STATES = {
    "ASK": "moving its data",
    "BUSY": "busy with a script",
    "CLUSTERDOWN": "cut off from its cluster",
    "LOADING": "loading its data",
    "MASTERDOWN": "cut off from its primary",
    "MISCONF": "unable to save to its disk",
    "MOVED": "moving its data",
    "NOREPLICAS": "without its replicas",
    "OOM": "full",
    "READONLY": "read-only",
    "TRYAGAIN": "moving its data",
    "UNBLOCKED": "changing its role",
}
"""What the store is when it refuses with such a code, which may pass."""

# At the start; after what a transaction or, before Redis 7, a script puts before it.
_CODE = re.compile(r"(?:^|^\(['\"]|because of: |: -)([A-Z]+) ")

_ABSENCES = (
    ConnectionError,
    SocketTimeout,
    TimeoutError,
    NoScriptError,
    RedisClusterException,
    RuntimeError,
)
"""What no answer looks like: uvloop has a RuntimeError for a connection that the peer has reset."""


def translated(error: Exception) -> Exception:
    """Unavailable for what may pass; a mistake of ours stays what it is."""
    state = _STATES.get(_code(error))
    if state is None:
        if not isinstance(error, _ABSENCES):
            return error
        state = "not available"
    unavailable = Unavailable(f"The store is {state}, please try again.")
    unavailable.__cause__ = error
    return unavailable


def _code(error: Exception) -> str:
    """The word that an error reply begins with."""
    if isinstance(error, TryAgainError):
        return "TRYAGAIN"  # redis-py drops it.
    code = getattr(error, "status_code", None)
    if code in _STATES:
        return str(code)
    # redis-py has no class for some; about an error in a transaction it puts its own words first.
    found = _CODE.search(str(error).rpartition("caused error: ")[2])
    return found[1] if found else ""
