"""Custom scalars."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

import strawberry
from graphql import GraphQLError

Moment = NewType("Moment", int)
"""Microseconds since the epoch: a DateTime of the API."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_MINUTE = 60_000_000


def _parse(value: object) -> Moment:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise GraphQLError("A DateTime is written as 2026-11-23T10:00:00.000000Z.") from error
    if parsed.tzinfo is None:
        raise GraphQLError("A DateTime needs its offset from UTC.")
    return Moment((parsed - _EPOCH) // timedelta(microseconds=1))


def _serialize(moment: Moment) -> str:
    """What lies outside of the calendar is moved in: other servers store whatever date a browser
    sends."""
    minute, rest = divmod(min(max(moment, 0), _LATEST), _MINUTE)
    digits = f"{rest:08}"
    return f"{_minute(minute)}{digits[:2]}.{digits[2:]}Z"


@lru_cache(maxsize=10_000)
def _minute(number: int) -> str:
    """Pages have many moments, and few different minutes."""
    return time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(number * 60))


def to_moment(seconds: float) -> Moment:
    return Moment(round(seconds * 1_000_000))


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment in RFC 3339, in UTC, with microseconds: 2026-11-23T10:00:00.000000Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=_serialize,
    parse_value=_parse,
)
