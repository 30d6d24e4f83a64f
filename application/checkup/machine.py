"""What is on this machine: versions, pages, limits, the port."""

import json
import platform
import re
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from application.listening import limit_of_files
from application.settings import Settings
from services.checkup.finding import Finding, ok, warning, wrong

_ROOT = Path(__file__).parent.parent.parent
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\]+))?", re.MULTILINE)
_FEW_FILES = 4_096
_ANSWER_SECONDS = 3


def check_machine(settings: Settings) -> Iterator[Finding]:
    yield from _versions()
    yield from _pages(settings)
    yield from _files()
    yield _port(settings)


def _versions() -> Iterator[Finding]:
    python = f"Python {platform.python_version()}"
    pins = _ROOT / "requirements.txt"
    if not pins.is_file():
        yield ok("versions", f"{python}; the list of packages to compare with is not here.")
        return
    found = _PIN.findall(pins.read_text())
    other = [
        f"{name} {there or 'missing'} instead of {pinned}"
        for name, pinned, condition in found
        if not condition and (there := _installed(name)) != pinned
    ]
    if other:
        yield warning("versions", f"{python}, but {', '.join(other)}. Run make run, or pip.")
    else:
        yield ok("versions", f"{python}, and {len(found)} packages as in requirements.txt.")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pages(settings: Settings) -> Iterator[Finding]:
    wanted = ["client", *(["playground"] if settings.playground else [])]
    missing = [name for name in wanted if not (_ROOT / name / "dist" / "index.html").is_file()]
    if missing:
        yield warning("pages", f"Not built: {', '.join(missing)}. Run make {' '.join(missing)}.")
    else:
        yield ok("pages", f"Built: {', '.join(wanted)}.")


def _files() -> Iterator[Finding]:
    most = limit_of_files()
    if most is None:
        return
    text = f"A process may have {most:,} files open; each connection is one."
    if most < _FEW_FILES:
        yield warning("files", f"{text} Raise it (ulimit -Hn, or LimitNOFILE of systemd).")
    else:
        yield ok("files", text)


def _port(settings: Settings) -> Finding:
    place = f"{settings.host}, port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            reason = error.strerror
        else:
            return ok("port", f"{place} is free.")
    answer = _ready(settings)
    if answer is None:
        return wrong("port", f"{place} cannot be used: {reason}. Set HOST and PORT to others.")
    if answer:
        return wrong("port", f"The server at {place} is not well: {' '.join(answer)}")
    return ok("port", f"A server of Parley serves at {place}.")


def _ready(settings: Settings) -> list[str] | None:
    """What the server that is there cannot serve, or why; None when it is none of ours."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    place = f"[{host}]" if ":" in host else host
    try:
        with urlopen(f"http://{place}:{settings.port}/readyz", timeout=_ANSWER_SECONDS) as answer:
            found = json.load(answer)
    except HTTPError as error:
        with error:
            try:
                found = json.load(error)
            except ValueError:
                return None
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or "status" not in found:
        return None
    return [str(reason) for reason in found.get("reasons", [])]
