"""The session cookie of browsers."""

import time
from collections.abc import Mapping

_NAME = "parley_session"


class SessionCookies:
    """The session's cookie: what a browser has sent of it, and what a response sets.

    Behind TLS its name has the prefix for which browsers see to it that only this host, over TLS,
    has set it (RFC 6265bis, section 4.1.3.2).
    """

    def __init__(self, sent: Mapping[str, str], *, is_secure: bool) -> None:
        self.headers: list[tuple[str, str]] = []
        """Of the response."""
        self._name = f"__Host-{_NAME}" if is_secure else _NAME
        self._is_secure = is_secure
        self.token = sent.get(self._name) or None

    def set(self, token: str, expires_at: float) -> None:
        self._append(token, max(0, int(expires_at - time.time())))

    def clear(self) -> None:
        self._append("", 0)

    def _append(self, value: str, max_age: int) -> None:
        # SameSite=Lax: the browser sends it when a link leads here, and with no request that
        # another site makes on its own. HttpOnly: no script can read the token.
        cookie = f"{self._name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax"
        # Fields that asked together may each have had the session renewed.
        self.headers[:] = [header for header in self.headers if header[0] != "set-cookie"]
        self.headers.append(("set-cookie", f"{cookie}; Secure" if self._is_secure else cookie))
