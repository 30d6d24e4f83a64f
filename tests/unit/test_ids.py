import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import ids


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("user:1", ids.UserRef("1")),
        ("room:0", ids.RoomRef("0")),
        ("room:1:2", ids.RoomRef("1:2")),
        ("room:1001", ids.RoomRef("1001")),
        ("message:0:1795401320057371", ids.MessageRef("0", 1795401320057371)),
        ("message:1:2:1795401320057371", ids.MessageRef("1:2", 1795401320057371)),
        ("message:0:1", ids.MessageRef("0", 1)),
    ],
)
def test_readable_ids(text: str, ref: object) -> None:
    assert ids.parse_node_id(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user:0",
        "user:01",
        "user:-1",
        "user:1:rooms",
        "user:１",
        "room:",
        "room:0:name",
        "room:2:1",
        "room:1:1",
        "room:01",
        "room:1:2:3",
        "room:a b",
        "room:*",
        "room:0\n",
        "online_users",
        "message:0",
        "message:0:0",
        "message:0:1\n",
        "message:9223372036854775807",
        "user:" + "9" * 5000,
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert ids.parse_node_id(text) is None


@given(st.text())
def test_parsing_never_fails(text: str) -> None:
    ids.parse_node_id(text)


@given(st.integers(1, 10**17), st.integers(1, 10**17))
def test_private_room_ids_are_sorted_by_number(one: int, other: int) -> None:
    room_id = ids.private_room_id(str(one), str(other))
    assert room_id == ids.private_room_id(str(other), str(one))
    assert ids.is_room_id(room_id) == (one != other)
    assert ids.private_members(room_id) == (str(min(one, other)), str(max(one, other)))
