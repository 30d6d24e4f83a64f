"""Texts of messages: 1 to 4,000 characters, without control characters."""

import asyncio

import pytest

from tests.api.client import Failed
from tests.security.conftest import Visit
from tests.servers import Server

CONTROLS = [chr(code) for code in (*range(32), 127, *range(128, 160)) if chr(code) not in "\n\t"]


async def test_control_characters_are_refused(server_without_limits: Server, visit: Visit) -> None:
    mary = await visit(server_without_limits).log_in("Mary")

    async def refused(control: str) -> None:
        with pytest.raises(Failed) as caught:
            await mary.send("room:0", f"a{control}b")
        assert caught.value.errors[0]["extensions"] == {
            "code": "BAD_USER_INPUT",
            "field": "input.text",
        }
        assert "control characters" in caught.value.errors[0]["message"]

    await asyncio.gather(*map(refused, CONTROLS))


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "a\ttab", "right-to-left \u202bשלום\u202c", "👩‍👩‍👧", "x" * 4000],
    ids=ascii,
)
async def test_everything_else_is_kept_as_it_is(
    server_without_limits: Server, visit: Visit, text: str
) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    assert (await mary.send("room:0", text))["message"]["text"] == text


async def test_outer_blanks_are_neither_kept_nor_counted(
    server_without_limits: Server, visit: Visit
) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    sent = await mary.send("room:0", " \n" + "x" * 4000 + "\t\u3000 ", clientMessageId="blanks")
    assert sent["message"]["text"] == "x" * 4000
    # To send it again is to send the same.
    assert await mary.send("room:0", "x" * 4000 + "\n", clientMessageId="blanks") == sent


@pytest.mark.parametrize("text", ["", " \n\t\u3000", "x" * 4001])
async def test_lengths(server_without_limits: Server, visit: Visit, text: str) -> None:
    mary = await visit(server_without_limits).log_in("Mary")
    with pytest.raises(Failed) as caught:
        await mary.send("room:0", text)
    (error,) = caught.value.errors
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.text"}
    assert text == "" or text.isspace() or "4000" in error["message"]
