"""What the operator wants to know at the start."""

import os
import sys
from contextlib import suppress

from application.settings import Settings
from services.demo import PASSWORD, USERNAMES

_LOCAL = ("127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104


def welcome(settings: Settings, port: int) -> None:
    """Say where to go, now that somebody serves there."""
    host = "localhost" if settings.host in _LOCAL else settings.host
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [
        "Parley is serving.",
        "",
        f"  Web page     {url}/",
    ]
    if settings.playground:
        lines.append(f"  Playground   {url}/graphql")
    if settings.demo_data:
        names = f"{', '.join(USERNAMES[:-1])} or {USERNAMES[-1]}"
        lines.append(f"  Log in as    {names}; the password is {PASSWORD}")
    lines.append("  To stop      Ctrl-C")
    # Whether anybody can read it is no matter.
    with suppress(OSError):
        os.write(sys.stdout.fileno(), "\n".join([*lines, "", ""]).encode())
