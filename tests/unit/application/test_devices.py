"""What sessions are begun with."""

import pytest

from application.devices import device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "Firefox on Linux"),
        (f"{MAC} {WEBKIT} Chrome/130.0.0.0 Safari/537.36", "Chrome on macOS"),
        (f"{MAC} {WEBKIT} Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge on macOS"),
        (f"{MAC} AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15", "Safari on macOS"),
        (
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/130.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Plan 9) Firefox/1", "Firefox"),
        ("Mozilla/5.0 something else", "Mozilla/5.0 something else"),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("my-bot/1.0 (Firefox/3)", "my-bot/1.0 (Firefox/3)"),
        ("", ""),
        ("a\x00\x1b[31mb\u202ec", "a [31mb c"),
        ("x" * 500, "x" * 60),
    ],
)  # fmt: skip
def test_devices(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device
