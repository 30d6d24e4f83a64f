"""Custom scalars."""

from datetime import UTC, datetime, timedelta

import strawberry
from graphql import GraphQLError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def _parse(value: object) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise GraphQLError("A DateTime is written as 2026-11-23T10:00:00.000000Z.") from error
    if parsed.tzinfo is None:
        raise GraphQLError("A DateTime needs its offset from UTC.")
    return parsed.astimezone(UTC)


def _serialize(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def date_time(microseconds: int) -> datetime:
    """A moment from microseconds since the epoch; what lies outside of the calendar is moved in.

    Other servers store whatever date a browser sends.
    """
    return _EPOCH + timedelta(microseconds=min(max(microseconds, 0), _LATEST))


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment in RFC 3339, in UTC, with microseconds: 2026-11-23T10:00:00.000000Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=_serialize,
    parse_value=_parse,
)
