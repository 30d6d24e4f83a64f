"""The session cookie of browsers."""

import time

COOKIE_NAME = "parley_session"


class SessionCookies:
    """Puts the session's cookie into the headers of a response, or takes it away there."""

    def __init__(self, headers: list[tuple[str, str]], *, is_secure: bool) -> None:
        self._headers = headers
        self._is_secure = is_secure

    def set(self, token: str, expires_at: float) -> None:
        self._append(token, max(0, int(expires_at - time.time())))

    def clear(self) -> None:
        self._append("", 0)

    def _append(self, value: str, max_age: int) -> None:
        # SameSite=Lax: the browser sends it when a link leads here, and with no request that
        # another site makes on its own. HttpOnly: no script can read the token.
        cookie = f"{COOKIE_NAME}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax"
        self._headers.append(("set-cookie", f"{cookie}; Secure" if self._is_secure else cookie))
