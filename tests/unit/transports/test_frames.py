"""Frames past ASGI are those of ASGI."""

from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from application.transports import writer
from application.transports.frames import EXTENSION, WriteText, ready_frames, text_frame
from tests.unit.transports.sockets import hear, limited, subscribe

BIG = "query ($n: String!) { hello(name: $n) }"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_the_bytes_are_those_that_the_server_would_write(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_a_server_without_them() -> None:
    scopes: list[dict[str, Any]] = [{}, {"extensions": {}}, {"extensions": {"other": {}}}]
    for scope in scopes:
        assert not ready_frames(scope)(b"text")
    assert ready_frames({"extensions": {EXTENSION: lambda text: True}})(b"text")


@pytest.mark.parametrize("is_ready", [True, False])
async def test_either_way_the_same_arrives(is_ready: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(scope: object) -> WriteText:
        return lambda text: False

    if not is_ready:
        monkeypatch.setattr(writer, "ready_frames", never)
    async with limited() as (_, client):
        await subscribe(client, "1", "subscription { count(to: 500) }")
        await subscribe(client, "2", BIG, variables={"n": "ü" * 70_000})
        heard = [await hear(client) for _ in range(503)]
    counted = [message for message in heard if message["id"] == "1"]
    assert [message["payload"] for message in counted[:-1]] == [
        {"data": {"count": number}} for number in range(500)
    ]
    assert counted[-1] == {"id": "1", "type": "complete"}
    other = [message for message in heard if message["id"] == "2"]
    assert other[0]["payload"] == {"data": {"hello": "Hello " + "ü" * 70_000}}
    assert other[1] == {"id": "2", "type": "complete"}
