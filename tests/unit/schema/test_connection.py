"""Connections: pages, their cursors, and what a page says of what lies around it."""

from typing import Any

import pytest

from schema.connection import decode_cursor, encode_cursor
from services.errors import BadUserInput
from tests.unit.schema.fakes import FakeChat, context_of, execute

PAGE = "pageInfo { hasPreviousPage hasNextPage startCursor endCursor } edges { cursor node { id } }"


async def page_of(field: str) -> dict[str, Any]:
    answer = await execute(
        context_of(FakeChat()), f"{{ page: {field} {{ {PAGE} nodes {{ id }} }} }}"
    )
    assert answer.errors == []
    page: dict[str, Any] = answer.data["page"]
    return page


def flags(page: dict[str, Any]) -> tuple[bool, bool]:
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


def ids(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


@pytest.mark.parametrize("field", ["users(first: 2)", 'messages(roomId: "room:0", first: 2)'])
async def test_the_cursors_of_a_page_are_those_of_its_ends(field: str) -> None:
    page = await page_of(field)
    assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
    assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
    assert page["nodes"] == [edge["node"] for edge in page["edges"]]


async def test_an_empty_page_has_no_cursors() -> None:
    page = await page_of('messages(roomId: "room:1:2")')
    assert page["edges"] == page["nodes"] == []
    assert page["pageInfo"] == {
        "hasPreviousPage": False,
        "hasNextPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_going_forward_finds_everyone_once() -> None:
    seen: list[str] = []
    ends = []
    field = "users(first: 2)"
    while True:
        page = await page_of(field)
        seen += ids(page)
        ends.append(flags(page))
        if not page["pageInfo"]["hasNextPage"]:
            break
        field = f'users(first: 2, after: "{page["pageInfo"]["endCursor"]}")'
    assert seen == [f"user:{number}" for number in range(1, 6)]
    assert ends == [(False, True), (True, True), (True, False)]


async def test_the_rooms_of_the_viewer_have_pages_too() -> None:
    first = await page_of("rooms(first: 1)")
    assert (ids(first), flags(first)) == (["room:0"], (False, True))
    rest = await page_of(f'rooms(after: "{first["pageInfo"]["endCursor"]}")')
    assert (ids(rest), flags(rest)) == (["room:1:2"], (True, False))


async def test_going_backward_through_messages() -> None:
    newest = await page_of('messages(roomId: "room:0", last: 4)')
    assert ids(newest) == [f"message:0:{number}" for number in (7, 8, 9, 10)]
    assert flags(newest) == (True, False)
    before = newest["pageInfo"]["startCursor"]
    middle = await page_of(f'messages(roomId: "room:0", last: 4, before: "{before}")')
    assert ids(middle) == [f"message:0:{number}" for number in (3, 4, 5, 6)]
    assert flags(middle) == (True, True)


async def test_either_end_goes_with_either_cursor() -> None:
    everything = await page_of('messages(roomId: "room:0")')
    third, eighth = (everything["edges"][index]["cursor"] for index in (2, 7))
    between = f'roomId: "room:0", after: "{third}", before: "{eighth}"'
    assert ids(await page_of(f"messages({between}, first: 2)")) == ["message:0:4", "message:0:5"]
    assert ids(await page_of(f"messages({between}, last: 2)")) == ["message:0:6", "message:0:7"]


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("users(first: 0)", "first"),
        ("users(first: 101)", "first"),
        ("rooms(first: -1)", "first"),
        ('messages(roomId: "room:0", first: 0)', "first"),
        ('messages(roomId: "room:0", last: 101)', "last"),
        ('messages(roomId: "room:0", first: 1, last: 1)', "last"),
        ('messages(roomId: "room:0", after: "x")', "after"),
        ('messages(roomId: "room:0", before: "x")', "before"),
        ('users(after: "x")', "after"),
        ('rooms(after: "")', "after"),
    ],
)
async def test_what_cannot_be_a_page_names_the_argument(field: str, named: str) -> None:
    answer = await execute(context_of(FakeChat()), f"{{ {field} {{ nodes {{ id }} }} }}")
    assert (answer.codes, answer.fields) == (["BAD_USER_INPUT"], [named])


@pytest.mark.parametrize("key", ["1", "12", "1:2", "General"])
def test_a_cursor_gives_back_its_key(key: str) -> None:
    assert decode_cursor(encode_cursor(key), lambda text: text == key) == key


@pytest.mark.parametrize(
    "cursor", ["", "1", "MQ", "MQ==\n", " MQ==", "M\u00e9==", "\ud800", "gIA="]
)
def test_only_cursors_that_were_handed_out_are_taken(cursor: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        decode_cursor(cursor, str.isdecimal)
    assert caught.value.field == "after"
