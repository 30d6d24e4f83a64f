"""The session cookie."""

from application.cookies import ended_cookie, session_cookie


def test_scripts_and_other_sites_do_not_get_it() -> None:
    cookie = session_cookie("4.abc-_", 60, secure=True)
    assert cookie.startswith("parley_session=4.abc-_; ")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "max-age=60", "path=/", "samesite=lax", "secure"}


def test_plain_http_does_without_secure() -> None:
    assert "secure" not in session_cookie("4.abc", 60, secure=False).lower()


def test_logging_out_takes_it_away() -> None:
    cookie = ended_cookie(secure=False)
    assert cookie.startswith("parley_session=; ")
    assert "max-age=0" in cookie.lower()
