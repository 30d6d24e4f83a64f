"""The session cookie."""

import time

import pytest

from application.cookies import SessionCookies


def attributes(cookie: str) -> tuple[str, set[str]]:
    first, *others = (part.strip() for part in cookie.split(";"))
    return first, {other.lower() for other in others}


def test_scripts_and_other_sites_do_not_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    cookies = SessionCookies({}, is_secure=True)
    cookies.set("4.abc-_", 1060.5)
    ((name, cookie),) = cookies.headers
    assert name == "set-cookie"
    value, found = attributes(cookie)
    assert value == "__Host-parley_session=4.abc-_"
    assert found == {"httponly", "max-age=60", "path=/", "samesite=lax", "secure"}


def test_plain_http_does_without_secure() -> None:
    cookies = SessionCookies({}, is_secure=False)
    cookies.set("4.abc", time.time() + 60)
    value, found = attributes(cookies.headers[0][1])
    assert value == "parley_session=4.abc"
    assert "secure" not in found


def test_logging_out_takes_it_away() -> None:
    cookies = SessionCookies({}, is_secure=False)
    cookies.clear()
    value, found = attributes(cookies.headers[0][1])
    assert value == "parley_session="
    assert "max-age=0" in found


@pytest.mark.parametrize("is_secure", [True, False])
def test_only_the_cookie_of_its_own_scheme_is_read(is_secure: bool) -> None:
    sent = {"parley_session": "plain", "__Host-parley_session": "tls", "theme": "dark"}
    assert SessionCookies(sent, is_secure=is_secure).token == ("tls" if is_secure else "plain")
    assert SessionCookies({"parley_session": ""}, is_secure=False).token is None
    assert SessionCookies({"parley_session": "plain"}, is_secure=True).token is None
