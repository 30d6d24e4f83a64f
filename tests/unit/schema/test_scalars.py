"""DateTime."""

from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLError, GraphQLScalarType
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.schema.fakes import SCHEMA


def _scalar() -> GraphQLScalarType:
    scalar = SCHEMA.type_map["DateTime"]
    assert isinstance(scalar, GraphQLScalarType)
    return scalar


SCALAR = _scalar()
serialize, parse_value = SCALAR.serialize, SCALAR.parse_value


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_795_401_320_057_371, "2026-11-23T02:35:20.057371Z"),
        (1_795_401_320_000_000, "2026-11-23T02:35:20.000000Z"),
    ],
)
def test_microseconds_survive_the_round_trip(microseconds: int, text: str) -> None:
    assert serialize(microseconds) == text
    assert parse_value(text) == microseconds


@given(st.integers(0, 1 << 53))
def test_every_microsecond_is_kept(microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert serialize(microseconds) == moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert parse_value(serialize(microseconds)) == microseconds


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(-1, "1970-01-01T00:00:00.000000Z"), (10**30, "9999-12-31T23:59:59.999999Z")],
)
def test_what_lies_outside_of_the_calendar_is_moved_in(microseconds: int, text: str) -> None:
    assert serialize(microseconds) == text


def test_other_offsets_become_utc() -> None:
    assert serialize(parse_value("2026-11-23T12:00:00+02:00")) == "2026-11-23T10:00:00.000000Z"


@pytest.mark.parametrize("text", ["", "now", "2026-11-23T10:00:00", "2026-11-23", 7])
def test_what_is_no_moment_is_refused(text: object) -> None:
    with pytest.raises(GraphQLError):
        parse_value(text)


def test_it_says_where_it_is_specified() -> None:
    assert SCALAR.specified_by_url == "https://www.rfc-editor.org/rfc/rfc3339"
