"""Frames are those of RFC 6455, as the library `websockets` has them."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from application.transports.frames import (
    EXTENSION,
    BrokenFrame,
    FrameReader,
    close_frame,
    close_of,
    ready_frames,
    text_frame,
)

MAX_SIZE = 1_000

Heard = list[tuple[int, bytes]]


def read(pieces: Iterable[bytes], max_size: int = MAX_SIZE) -> tuple[Heard, int | None]:
    """What is heard, and the code with which it fails."""
    reader = FrameReader(max_size)
    heard: Heard = []
    try:
        for piece in pieces:
            for opcode, payload in reader.read(piece):
                heard.append((opcode, payload))
    except BrokenFrame as broken:
        return heard, broken.code
    return heard, None


def read_by_library(data: bytes) -> tuple[Heard, int | None]:
    protocol = ServerProtocol(state=State.OPEN, max_size=MAX_SIZE)
    protocol.receive_data(data)
    heard: Heard = []
    joined, opcode = b"", 0
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            heard.append((frame.opcode, bytes(frame.data)))
            continue
        if frame.opcode != Opcode.CONT:
            joined, opcode = b"", frame.opcode
        joined += frame.data
        if frame.fin:
            heard.append((opcode, joined))
    failed = protocol.parser_exc is not None and protocol.close_sent is not None
    return heard, int(protocol.close_sent.code) if failed and protocol.close_sent else None


def masked(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=True)


control = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))


@st.composite
def streams(draw: Any) -> tuple[Heard, bytes]:
    """Messages in fragments, with control frames in between; and their bytes."""
    heard: Heard = []
    data = b""
    for _ in range(draw(st.integers(0, 4))):
        opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
        fragments = draw(st.lists(st.binary(max_size=300), min_size=1, max_size=3))
        for number, fragment in enumerate(fragments):
            is_last = number == len(fragments) - 1
            data += masked(Opcode.CONT if number else opcode, fragment, fin=is_last)
            if is_last:
                heard.append((opcode, b"".join(fragments)))
            for each in draw(st.lists(control, max_size=2)):
                data += masked(*each)
                heard.append(each)
    return heard, data


@given(streams(), st.data())
def test_messages_in_pieces_of_any_size(stream: tuple[Heard, bytes], data: st.DataObject) -> None:
    heard, sent = stream
    places = st.lists(st.integers(0, len(sent)), max_size=8)
    cuts = [0, *sorted(data.draw(places, label="cuts")), len(sent)]
    pieces = [sent[start:end] for start, end in pairwise(cuts)]
    assert read(pieces) == (heard, None)
    assert read([sent[at : at + 1] for at in range(len(sent))]) == (heard, None)


@given(streams(), st.data())
def test_what_is_broken_fails_as_in_the_library(
    stream: tuple[Heard, bytes], data: st.DataObject
) -> None:
    _, sent = stream
    broken = bytearray(sent or b"\x81")
    for _ in range(data.draw(st.integers(1, 3), label="changes")):
        at = data.draw(st.integers(0, len(broken) - 1), label="at")
        broken[at] = data.draw(st.integers(0, 255), label="byte")
    heard, code = read([bytes(broken)])
    expected, library_code = read_by_library(bytes(broken))
    if (close := next((at for at, (opcode, _) in enumerate(heard) if opcode == 8), None)) is None:
        assert heard == expected
        if library_code is not None:
            # A frame may have two faults; ours are seen before its payload has come.
            assert code in (library_code, 1002)
    else:
        # Nothing counts behind it.
        assert heard[:close] == expected[:close]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_sizes(size: int) -> None:
    payload = b"x" * size
    sent = masked(Opcode.BINARY, payload)
    assert read([sent[:1], sent[1:5], sent[5:]], max_size=size) == ([(2, payload)], None)
    if size:
        # As soon as the head is there.
        assert read([sent[:10]], max_size=size - 1)[1] == 1009


def test_fragments_count_together() -> None:
    part = masked(Opcode.CONT, b"x" * 500, fin=False)
    assert read([masked(Opcode.TEXT, b"", fin=False), part, part])[1] is None
    assert read([masked(Opcode.TEXT, b"", fin=False), part, part, part])[1] == 1009
    empty = masked(Opcode.CONT, b"", fin=False)
    assert read([masked(Opcode.TEXT, b"", fin=False), empty * 999])[1] is None
    assert read([masked(Opcode.TEXT, b"", fin=False), empty * 1_000])[1] == 1009


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", (1005, "")),
        (b"\x03\xe8", (1000, "")),
        (b"\x0f\xa0bye \xc3\xbc", (4000, "bye ü")),
        (b"\x03", 1002),
        (b"\x03\xed", 1002),  # 1005 is for when there is none.
        (b"\x00\x01", 1002),
        (b"\x13\x88", 1002),  # 5000
        (b"\x03\xe8\xff", 1007),
    ],
)
def test_close(payload: bytes, expected: tuple[int, str] | int) -> None:
    if isinstance(expected, int):
        with pytest.raises(BrokenFrame) as broken:
            close_of(payload)
        assert broken.value.code == expected
    else:
        assert close_of(payload) == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_the_bytes_are_those_that_the_library_would_write(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_the_bytes_of_a_close() -> None:
    serialized = Frame(Opcode.CLOSE, Close(4401, "bye ü").serialize()).serialize(mask=False)
    assert close_frame(4401, "bye ü") == serialized


def test_a_server_without_them() -> None:
    scopes: list[dict[str, Any]] = [{}, {"extensions": {}}, {"extensions": {"other": {}}}]
    for scope in scopes:
        assert not ready_frames(scope)(b"text")
    assert ready_frames({"extensions": {EXTENSION: lambda text: True}})(b"text")
