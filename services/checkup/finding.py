"""What a check has found."""

from typing import Literal, NamedTuple

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
