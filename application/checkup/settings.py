"""Settings that do not work together, or are not for a chat that others reach."""

import os
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from ipaddress import ip_address
from urllib.parse import urlsplit

from dotenv import dotenv_values

from application.settings import ENV_FILE, Settings
from application.traces.asked import asked_exporters
from services.checkup.finding import Finding, ok, warning, wrong
from services.errors import OperatorError

_ALIAS = "REDIS_ENDPOINT_URI"
_TRACES = "OTEL_"
"""What OpenTelemetry's variables begin with."""


def known_names() -> set[str]:
    return {name.upper() for name in Settings.model_fields} | {_ALIAS}


def check_file() -> Iterator[Finding]:
    """Names in `.env` that nobody reads; none where it cannot be read, which is told elsewhere."""
    known = known_names()
    names: list[str] = []
    with suppress(OSError, UnicodeDecodeError):
        names = list(dotenv_values(ENV_FILE))
    for name in names:
        if name.startswith(_TRACES):
            yield warning(
                "settings",
                f"{ENV_FILE} has {name}, which only the environment may have: set it there.",
            )
        elif name.upper() not in known:
            near = get_close_matches(name.upper(), known, 1)
            advice = f"Did you mean {near[0]}?" if near else ".env.sample has all settings."
            yield warning("settings", f"{ENV_FILE} has {name}, which is none. {advice}")


def check_settings(settings: Settings) -> Iterator[Finding]:
    found = [*check_file(), *_contradictions(settings), *_dangers(settings)]
    yield from found or [ok("settings", "Nothing is contradictory or unknown.")]
    yield _reach(settings)


def _contradictions(settings: Settings) -> Iterator[Finding]:
    given = settings.model_fields_set
    try:
        asked_exporters(os.environ)
    except OperatorError as error:
        yield wrong("settings", str(error))
    if settings.store_url is None:
        if settings.redis_password is not None:
            yield warning(
                "settings", "REDIS_PASSWORD is of no use without REDIS_ENDPOINT_URL: unset it."
            )
    else:
        for name in ("data_dir", "appendfsync"):
            if name in given and getattr(settings, name) != Settings.model_fields[name].default:
                yield warning(
                    "settings",
                    f"{name.upper()} is for the embedded store, and REDIS_ENDPOINT_URL names"
                    " another: unset one of them.",
                )
        if settings.redis_password is not None and urlsplit(settings.store_url).password:
            yield warning(
                "settings",
                "REDIS_ENDPOINT_URL has a password, so REDIS_PASSWORD does not count: unset one.",
            )
    if settings.workers > 1 and isinstance(settings.metrics, str):
        yield warning(
            "settings",
            f"METRICS is a path, which tells of any one of {settings.workers} workers: set a port.",
        )
    if settings.session_ttl_seconds > settings.session_max_seconds:
        yield warning(
            "settings",
            "SESSION_TTL_SECONDS is more than SESSION_MAX_SECONDS, which counts: lower it.",
        )
    if settings.max_subscriptions_per_connection > settings.max_operations_per_connection:
        yield warning(
            "settings",
            "MAX_SUBSCRIPTIONS_PER_CONNECTION is more than MAX_OPERATIONS_PER_CONNECTION, of which"
            " they are a part: raise that.",
        )


def _dangers(settings: Settings) -> Iterator[Finding]:
    """What is harmless as long as only this machine reaches the server."""
    if not is_reached(settings):
        return
    if settings.demo_data:
        yield warning(
            "settings",
            "DEMO_DATA is on: an empty store gets users whose password everybody knows."
            " Set DEMO_DATA=false.",
        )
    if not settings.rate_limits:
        yield wrong(
            "settings",
            "RATE_LIMITS is off: passwords can be guessed without end. Set RATE_LIMITS=on.",
        )
    if settings.log_level == "debug":
        yield warning("settings", "LOG_LEVEL is debug, which slows the server down: set info.")
    if not settings.trusted_proxies:
        yield warning(
            "settings",
            f"HOST is {settings.host} and no proxy is trusted: passwords and messages pass in clear"
            " text. Put a proxy with TLS before it, and name it in TRUSTED_PROXIES.",
        )


def _reach(settings: Settings) -> Finding:
    if settings.trusted_proxies:
        proxies = ", ".join(settings.trusted_proxies)
        return ok("reach", f"Believed whom they forward for, and whether by TLS: {proxies}.")
    if is_reached(settings):
        return ok("reach", f"Everybody who reaches {settings.host}.")
    return ok(
        "reach",
        f"Programs on this machine ({settings.host}). For a proxy before it set TRUSTED_PROXIES:"
        " else all its clients count as one address, and cookies are not marked Secure.",
    )


def is_reached(settings: Settings) -> bool:
    """Whether others than programs on this machine are served."""
    if settings.trusted_proxies:
        return True
    try:
        return not ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"
