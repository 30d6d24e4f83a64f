"""What a check has found."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from services.redis.sentinels import Place

Level = Literal["ok", "warning", "wrong"]
"""`wrong`: the chat does not work, or loses what it has promised to keep."""


class Finding(NamedTuple):
    level: Level
    subject: str
    """What it is about, in a word."""
    text: str
    """One line; for what is not ok it says what to do."""


def ok(subject: str, text: str) -> Finding:
    return Finding("ok", subject, text)


def warning(subject: str, text: str) -> Finding:
    return Finding("warning", subject, text)


def wrong(subject: str, text: str) -> Finding:
    return Finding("wrong", subject, text)


def at(place: Place | None, findings: Iterable[Finding]) -> list[Finding]:
    """Say of which server they are, where the store has several."""
    if place is None:
        return list(findings)
    return [each._replace(text=f"{name(place)}: {each.text}") for each in findings]


def name(place: Place) -> str:
    host, port = place
    return f"{host}:{port}"
