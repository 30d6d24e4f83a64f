"""What a session is begun with, in words that its user recognises."""

import re
from functools import lru_cache

_LONGEST = 60

# In this order: most browsers name others as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_UNPRINTABLE = re.compile(r"[^ -~]+")


@lru_cache(maxsize=1000)
def device_of(user_agent: str) -> str:
    """`Firefox on Linux` for a browser; for a program the beginning of what it calls itself."""
    browser = _first(_BROWSERS, user_agent)
    if browser and user_agent.startswith("Mozilla/"):
        system = _first(_SYSTEMS, user_agent)
        return f"{browser} on {system}" if system else browser
    return _UNPRINTABLE.sub(" ", user_agent[:_LONGEST]).strip()


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in names if mark in user_agent), None)
