"""The session cookie."""

import time

import pytest

from application.cookies import SessionCookies


def attributes(cookie: str) -> tuple[str, set[str]]:
    first, *others = (part.strip() for part in cookie.split(";"))
    return first, {other.lower() for other in others}


def test_scripts_and_other_sites_do_not_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    headers = [("x-other", "kept")]
    SessionCookies(headers, is_secure=True).set("4.abc-_", 1060.5)
    assert headers[0] == ("x-other", "kept")
    assert headers[1][0] == "set-cookie"
    value, found = attributes(headers[1][1])
    assert value == "parley_session=4.abc-_"
    assert found == {"httponly", "max-age=60", "path=/", "samesite=lax", "secure"}


def test_plain_http_does_without_secure() -> None:
    headers: list[tuple[str, str]] = []
    SessionCookies(headers, is_secure=False).set("4.abc", time.time() + 60)
    assert "secure" not in attributes(headers[0][1])[1]


def test_logging_out_takes_it_away() -> None:
    headers: list[tuple[str, str]] = []
    SessionCookies(headers, is_secure=False).clear()
    value, found = attributes(headers[0][1])
    assert value == "parley_session="
    assert "max-age=0" in found
