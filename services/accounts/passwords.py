"""Passwords: bcrypt, as all servers on the shared data model read it, off the event loop."""

import asyncio
import math
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from services.errors import BadUserInput, RateLimited
from services.texts import is_encodable

DEFAULT_COST = 10
"""What the other servers use; a test may take bcrypt's minimum, 4."""

NOBODYS_HASH = f"$2b${DEFAULT_COST}$" + "." * 53
"""Well-formed, and of no password."""

FIELD = "input.password"

MIN_LENGTH = 8
DEFAULT_QUEUE = 100

_MAX_BYTES = 72
_MAX_CHECKED_BYTES = 1024
_SECONDS_EACH = 0.1
"""About what a check takes, to tell when a full queue will be empty."""
_NICE = 10
"""A tenth of a processor where others want all of it: a log-in has to come to its end even then."""
# The other servers' costs are 10 to 12. One record with cost 31 would keep a thread for a day.
_USABLE_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}")

T = TypeVar("T")


class Passwords:
    """One thread hashes for the whole process, and gives way to whatever else is to be done.

    bcrypt releases the interpreter while it works, so what this takes from others is a processor.
    """

    def __init__(self, *, cost: int = DEFAULT_COST, queue: int = DEFAULT_QUEUE) -> None:
        self._cost = cost
        self._queue = queue
        # Well-formed, so checking against it takes as long as against a real one.
        self._nobodys_hash = f"$2b${cost:02}$" + "." * 53
        self._thread = ThreadPoolExecutor(1, "bcrypt", initializer=_give_way)
        self._waiting = 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def waiting(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return self._waiting

    async def hash(self, text: str) -> str:
        """A new hash, `$2b$`.

        Raises BadUserInput for a password that bcrypt would cut or cannot take; RateLimited as
        `check` does.
        """
        password = _hashable(text)
        hashed = await self._in_thread(
            lambda: bcrypt.hashpw(password, bcrypt.gensalt(self._cost, b"2b"))
        )
        return hashed.decode()

    async def check(self, text: str, hashed: str | None) -> bool:
        """Whether the text is the password; with no usable hash False, after the same time.

        Never raises for what the text or the hash holds; RateLimited when too much is waiting.
        """
        if not is_encodable(text) or len(password := text.encode()) > _MAX_CHECKED_BYTES:
            return False
        is_usable = hashed is not None and _USABLE_HASH.fullmatch(hashed) is not None
        against = hashed if hashed is not None and is_usable else self._nobodys_hash
        # bcrypt knows 72 bytes; the other servers' libraries cut what is longer.
        same = await self._in_thread(lambda: _matches(password[:_MAX_BYTES], against))
        return same and is_usable

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._queue:
            seconds = math.ceil(self._waiting * _SECONDS_EACH)
            raise RateLimited(
                f"Too many people log in at once: at most {self._queue} wait."
                f" Try again in {seconds} s.",
                seconds,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _give_way() -> None:
    """The thread that hashes runs when no other of this process has to."""
    if sys.platform == "linux":  # Elsewhere a priority is the whole process's.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def check_new(text: str) -> None:
    """Raise BadUserInput for a password that nobody may choose, or that cannot be hashed."""
    if len(text) < MIN_LENGTH:
        raise BadUserInput(f"A password has at least {MIN_LENGTH} characters.", FIELD)
    _hashable(text)


def _hashable(text: str) -> bytes:
    if "\0" in text or not is_encodable(text):
        raise BadUserInput("The password has characters that cannot be used.", FIELD)
    password = text.encode()
    if len(password) > _MAX_BYTES:
        raise BadUserInput(f"A password has at most {_MAX_BYTES} bytes.", FIELD)
    return password


def _matches(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password, hashed.encode())
    except ValueError:
        return False
