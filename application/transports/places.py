"""How many connections an address or a user may have open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import HTTPConnection

from application.transports.gateway import Refused
from services.addresses import holder

TOO_MANY = 4429


class Places:
    """Places for connections, of which each holder may take so many at a time; 0 for any number.

    They are this process's own: a holder has as many in every other.
    """

    def __init__(self, most: int = 0, holder: str = "") -> None:
        self._most = most
        self._holder = holder
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Raises Refused (4429) when all are taken."""
        if self._most and self._taken[who] >= self._most:
            raise Refused(
                TOO_MANY, f"At most {self._most:,} connections are allowed {self._holder}."
            )
        self._taken[who] += 1

    def leave(self, who: str) -> None:
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        self.take(who)
        try:
            yield
        finally:
            self.leave(who)


def address(connection: HTTPConnection[Any]) -> str:
    """Who is at the other end."""
    return holder(connection.client.host if connection.client else "")
