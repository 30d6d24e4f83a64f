"""The codec of the shared records: what it reads, what it refuses, what it writes.

Recordings of the other servers are read in tests/compat.
"""

import json
import math
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services import ids, wire
from services.wire import (
    MalformedRecord,
    MessageEnvelope,
    PresenceEnvelope,
    ShowRoomEnvelope,
    StoredMessage,
)
from tests.compat.original import Flavour, OriginalServer

FLAVOURS: tuple[Flavour, ...] = ("node", "python", "java", "dotnet")
OWN = (
    b'{"from":"3","date":1795401320,"message":"zeta first","roomId":"0","clientMessageId":"n-1",'
    b'"id":"message:0:1795401320057371","ts":1795401320.057371}'
)
DEEP = "[" * 100_000
HUGE = "1" * 5_000

texts = st.text(st.characters(exclude_categories=["Cs"]))
user_ids = st.integers(1, 10**18 - 1).map(str)
private_room_ids = (
    st.tuples(st.integers(1, 10**17), st.integers(1, 10**17))
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: ids.private_room_id(str(pair[0]), str(pair[1])))
)
room_ids = st.one_of(
    st.just("0"), st.integers(1, 10**18 - 1).map(str), st.just("Project-X"), private_room_ids
)
# Lua's numbers are exact up to here, which is in the year 2255.
positions = st.integers(10**6, 2**53)
client_message_ids = st.none() | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=10,
)
KEYS = ("from", "date", "message", "roomId", "id", "clientMessageId", "type", "data", "serverId")
records = st.dictionaries(
    st.sampled_from([*KEYS, *map(str.upper, KEYS), *map(str.title, KEYS)]), json_values
)


def member(**changes: Any) -> dict[str, Any]:
    """A record as Node writes it, with some fields changed; `...` removes one."""
    fields = {"roomId": "0", "message": "Hello", "from": "1", "date": 1795399681} | changes
    return {key: value for key, value in fields.items() if value is not ...}


def envelope(type: object, data: object, **more: object) -> bytes:
    return json.dumps({"serverId": "x", "type": type, "data": data} | more).encode()


# Messages


def test_a_message_of_ours() -> None:
    message = wire.decode_message(OWN)
    assert message == StoredMessage(
        "0", "3", "zeta first", 1795401320, "message:0:1795401320057371", "n-1"
    )
    assert wire.own_message("0", "3", "zeta first", 1795401320057371, "n-1") == OWN


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"from": 3}, "sender_id", "3"),
        ({"from": 3.0}, "sender_id", "3"),
        ({"from": "999999999999999999"}, "sender_id", "9" * 18),
        ({"date": "1795399681"}, "date", 1795399681),
        ({"date": "1795399681.25"}, "date", 1795399681.25),
        ({"date": 1795399681.25}, "date", 1795399681.25),
        ({"date": 1795399681123}, "date", 1795399681123),
        ({"date": -5e300}, "date", -5e300),
        ({"date": "-1e3"}, "date", -1000),
        ({"date": 10**300}, "date", 1e300),
        ({"roomId": ...}, "room_id", "0"),
        ({"roomId": None}, "room_id", "0"),
        ({"roomId": 0}, "room_id", "0"),
        ({"roomId": 1001}, "room_id", "1001"),
        ({"roomId": "1:2"}, "room_id", "1:2"),
        ({"roomId": "project_x-1"}, "room_id", "project_x-1"),
        ({"message": ""}, "text", ""),
        ({"message": "&ltb&gt &lt;i&gt;"}, "text", "&ltb&gt &lt;i&gt;"),
        ({"message": "a\0b"}, "text", "a\0b"),
        ({"message": "cut \ud83d"}, "text", "cut \ufffd"),
        ({"message": "\ude00\ud83d😀"}, "text", "\ufffd\ufffd😀"),
        ({"id": "message:0:1795401320057371"}, "id", "message:0:1795401320057371"),
        ({"id": "message:1:2:1795401320057371"}, "id", None),
        ({"id": "01HXYZ"}, "id", None),
        ({"id": 7}, "id", None),
        ({"clientMessageId": "n-1"}, "client_message_id", "n-1"),
        ({"clientMessageId": "\ud800"}, "client_message_id", "\ufffd"),
        ({"clientMessageId": ""}, "client_message_id", None),
        ({"clientMessageId": 1}, "client_message_id", None),
        ({"clientMessageId": "x" * 129}, "client_message_id", None),
    ],
)
def test_tolerated_fields(changes: dict[str, Any], field: str, value: object) -> None:
    record = member(**changes)
    for raw in (json.dumps(record), json.dumps(record).encode(), record):
        assert getattr(wire.decode_message(raw), field) == value


MALFORMED: dict[str, list[Any]] = {
    "from": [
        *(..., None, True, 0, -1, 1.5, 10**18, 1e300, [], {}),
        *("", "0", "-1", "03", "1.0", " 1", "1\n", "１", "abc"),
    ],
    "date": [
        *(..., None, True, [], 10**400),
        *("", "abc", "nan", "Infinity", " 1", "1e999", "1_0", "１", "9" * 500),
    ],
    "roomId": [
        *(True, -1, 10**18, 1.5, []),
        *("", "0:name", "2:1", "1:1", "01", "0:1", "1:2:3", "*", "a b", "x" * 65, "１"),
    ],
    "message": [..., None, 5, True, ["x"]],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in MALFORMED for value in MALFORMED[field]]
)
def test_malformed_fields(field: str, value: Any) -> None:
    record = member(**{field: value})
    for raw in (json.dumps(record), record):
        with pytest.raises(MalformedRecord):
            wire.decode_message(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "not json",
        "null",
        "123",
        "[]",
        '"text"',
        DEEP,
        '{"message":"\\ud800","a":' + DEEP,
        '{"from":"1","date":NaN,"message":"x"}',
        '{"from":"1","date":1,"message":"\\ud800","extra":NaN}',
        '{"from":"1","date":Infinity,"message":"x"}',
        '{"from":"1","date":1e999,"message":"\\ud800"}',
        f'{{"from":"1","date":{HUGE},"message":"x"}}',
        f'{{"from":"1","date":{HUGE},"message":"\\ud800"}}',
        f'{{"from":{HUGE},"date":1,"message":"x"}}',
        f'{{"from":"{HUGE}","date":1,"message":"x"}}',
        '{"from":"1","date":1,"message":"a\nb"}',
        '{"from":"1","date":1,"message":"\ud800"}',
        b'{"from":"1","date":1,"message":"\xff"}',
        b'{"from":"1","date":1,"message":"\xff\\ud800"}',
        b"\xef\xbb\xbf{}",
        "{'from': 1, 'date': 1615480369, 'message': 'Hello', 'roomId': '1:2'}",
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_malformed_records(raw: bytes | str) -> None:
    with pytest.raises(MalformedRecord):
        wire.decode_message(raw)


def test_numbers_of_a_program_are_no_trouble() -> None:
    for field in ("from", "date", "roomId"):
        for value in (10**6000, -(10**6000), math.nan, math.inf):
            with pytest.raises(MalformedRecord):
                wire.decode_message(member(**{field: value}))


def test_large_records_are_read() -> None:
    text = "é" * 2_500_000
    assert wire.decode_message(json.dumps(member(message=text))).text == text


def test_the_spelling_of_keys() -> None:
    pascal = {"From": "1", "Date": 1795399681, "Message": "Hello", "RoomId": "1:2"}
    assert wire.decode_message(pascal) == wire.decode_message(member(roomId="1:2"))
    assert wire.decode_message({key.upper(): pascal[key] for key in pascal}).room_id == "1:2"
    # An exact key wins, wherever it stands; of others the last, as with .NET.
    assert wire.decode_message(member(Message="x", MESSAGE="y")).text == "Hello"
    assert wire.decode_message({"MESSAGE": "y", **member()}).text == "Hello"
    assert wire.decode_message(member(message=..., MESSAGE="y", Message="x")).text == "x"
    # Of the same key, too: JSON says nothing.
    assert wire.decode_message('{"message":"x","message":"y","from":1,"date":1}').text == "y"


def test_the_set_tells_the_room() -> None:
    for said in ("1:2", "nonsense:", 5, None, ..., True):
        assert wire.decode_message(member(roomId=said), "1001").room_id == "1001"


def test_the_reason_is_fit_for_a_log() -> None:
    with pytest.raises(MalformedRecord) as caught:
        wire.decode_message(member(**{"from": "\n\ud800\x1b[2J" + "x" * 10_000}))
    reason = str(caught.value)
    assert reason.isascii()
    assert reason.isprintable()
    assert len(reason) < 150


# Envelopes


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"serverId":201804.2760549285,"type":"gql.typing","data":1}', None),
        (b'{"type":"connect"}', None),
        # The second envelope for .NET: for all others a type of its own.
        (b'{"serverId":"S","type":"dotnet","data":null,"Type":"message","Data":"{}"}', None),
        (
            b'{"serverId":201804.2760549285,"type":"show.room","data":{"id":"1:5","names":null}}',
            ShowRoomEnvelope("201804.2760549285", "1:5"),
        ),
        (b'{"SERVERID":7,"TYPE":"show.room","DATA":{"ID":0}}', ShowRoomEnvelope("7", "0")),
        (
            b'{"type":"user.connected","data":{"id":1,"username":"Pablo","isOnline":false}}',
            PresenceEnvelope(None, True, "1", "Pablo"),
        ),
        (
            b'{"type":"user.disconnected","data":{"id":"1","username":null,"online":true}}',
            PresenceEnvelope(None, False, "1", None),
        ),
        (
            b'{"Type":"user.disconnected","Data":"\\"Pablo\\"","ServerId":"123"}',
            PresenceEnvelope("123", False, None, "Pablo"),
        ),
        (
            b'{"Type":"user.connected","Data":"\\"4\\"","ServerId":"123"}',
            PresenceEnvelope("123", True, None, "4"),
        ),
        (
            b'{"serverId":"\\ud800","type":"user.connected","data":{"id":1,"username":"\\udfff"}}',
            PresenceEnvelope("\ufffd", True, "1", "\ufffd"),
        ),
        (
            b'{"serverId":null,"type":"message","data":{"from":1,"date":1,"message":"x"}}',
            MessageEnvelope(None, StoredMessage("0", "1", "x", 1, None, None)),
        ),
        (
            b'{"serverId":true,"type":"message","data":"{\\"from\\":1,\\"date\\":1,'
            b'\\"message\\":\\"x\\"}"}',
            MessageEnvelope(None, StoredMessage("0", "1", "x", 1, None, None)),
        ),
    ],
)
def test_envelopes(raw: bytes, expected: wire.Envelope | None) -> None:
    assert wire.decode_envelope(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"null",
        b"123",
        b"[]",
        b"\xff",
        DEEP.encode(),
        b"{}",
        envelope(7, {}),
        envelope(None, {}),
        envelope(["message"], {}),
        b'{"serverId":"x","type":"message"}',
        envelope("message", None),
        envelope("message", []),
        envelope("message", "x"),
        envelope("message", '"x"'),
        envelope("message", "null"),
        envelope("message", DEEP),
        envelope("message", {}),
        envelope("message", member(**{"from": "-1"})),
        envelope("user.connected", {}),
        envelope("user.connected", {"id": None, "username": 5}),
        envelope("user.connected", {"id": "abc", "username": "Pablo"}),
        envelope("user.connected", {"id": "1:2", "username": "Pablo"}),
        envelope("user.connected", "Pablo"),
        envelope("show.room", {}),
        envelope("show.room", {"id": None}),
        envelope("show.room", {"id": "2:1"}),
        envelope("show.room", {"id": "0:name"}),
        envelope("message", member(message="x" * wire.MAX_ENVELOPE_BYTES)),
    ],
    ids=lambda raw: repr(raw[:60]),
)
def test_malformed_envelopes(raw: bytes) -> None:
    with pytest.raises(MalformedRecord):
        wire.decode_envelope(raw)


def test_envelopes_of_ours() -> None:
    message = json.loads(OWN)
    raw = wire.encode_envelope("gql-1", "message", message)
    assert raw == b'{"serverId":"gql-1","type":"message","data":' + OWN + b"}"
    assert wire.decode_envelope(raw) == MessageEnvelope("gql-1", wire.decode_message(OWN))
    assert wire.encode_envelope(
        "gql-1", "user.connected", wire.presence_data("5", "Zoé", True)
    ) == (
        '{"serverId":"gql-1","type":"user.connected",'
        '"data":{"id":"5","username":"Zoé","online":true}}'.encode()
    )
    assert wire.show_room_data("1:5", ("Pablo", "Zoé")) == {
        "id": "1:5",
        "names": [["Pablo"], ["Zoé"]],
    }
    assert wire.show_room_data("1001", ["Project X"]) == {"id": "1001", "names": ["Project X"]}


# Properties


@given(room_ids, user_ids, texts, positions, client_message_ids)
@example("0", "3", "a\u2028\0\"\\/\n<b>&'😀", 1795401320000001, None)
def test_the_script_and_python_make_the_same_member(
    room_id: str, sender_id: str, text: str, position: int, client_message_id: str | None
) -> None:
    head, tail = wire.message_template(room_id, sender_id, text, client_message_id)
    # As the script does it, with text.
    digits = str(position)
    seconds, score = digits[:-6], f"{digits[:-6]}.{digits[-6:]}"
    rest = f'"id":"message:{room_id}:{position}","ts":{score}}}'
    made = wire.own_message(room_id, sender_id, text, position, client_message_id)
    assert (head + seconds + tail + rest).encode() == made

    fields = json.loads(made)
    assert list(fields) == [
        *("from", "date", "message", "roomId"),
        *(["clientMessageId"] if client_message_id is not None else []),
        *("id", "ts"),
    ]
    assert type(fields["date"]) is int
    assert fields["ts"] == position / 1_000_000
    assert b"\n" not in made

    node_id = ids.message_node_id(room_id, position)
    expected = StoredMessage(
        room_id, sender_id, text, position // 1_000_000, node_id, client_message_id
    )
    assert wire.decode_message(made) == expected
    raw = wire.encode_envelope("gql-1", "message", fields)
    assert wire.decode_envelope(raw) == MessageEnvelope("gql-1", expected)


def as_decoded(raw: bytes) -> tuple[str, str, str | None]:
    message = wire.decode_message(raw, "0")
    return message.sender_id, message.text, message.client_message_id


@given(room_ids, user_ids, texts, st.integers(1, 2**53), st.none() | st.text(max_size=200))
def test_members_as_our_script_writes_them_are_decoded_fast_and_alike(
    room_id: str, sender_id: str, text: str, position: int, client_message_id: str | None
) -> None:
    assume(client_message_id is None or client_message_id.isprintable())
    raw = wire.own_message(room_id, sender_id, text, position, client_message_id)
    assert wire.decode_own_message(raw) == as_decoded(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"7",
        b'{"from":"1","date":1}',
        b'{"from":1,"date":1,"message":"x"}',
        b'{"from":"1","date":1.5,"message":"x"}',
        b'{"from":"1","date":true,"message":"x"}',
        b'{"from":"01","date":1,"message":"x"}',
        b'{"from":"1","date":1,"message":"x","ClientMessageId":"n"}',
        b'{"from":"1","date":1,"message":"\\ud800"}',
    ],
)
def test_others_are_not(raw: bytes) -> None:
    assert wire.decode_own_message(raw) is None


@given(room_ids, user_ids, texts, st.floats(allow_nan=False, allow_infinity=False))
@example("0", "1", "x", 1e308)
@example("0", "1", "x", 1795399681123)
def test_members_kept_for_others(room_id: str, sender_id: str, text: str, date: float) -> None:
    message = StoredMessage(room_id, sender_id, text, date, "message:0:1", "n-1")
    raw = wire.foreign_member(message)
    kept = json.loads(raw)["date"]
    assert type(kept) is int
    assert -(2**31) <= kept < 2**31
    assert abs(date) >= 2**31 or kept == int(date)
    assert wire.decode_message(raw) == StoredMessage(room_id, sender_id, text, kept, None, None)


@given(user_ids, texts, st.booleans())
def test_presence_round_trip(user_id: str, username: str, online: bool) -> None:
    kind = "user.connected" if online else "user.disconnected"
    raw = wire.encode_envelope("gql-1", kind, wire.presence_data(user_id, username, online))
    expected = PresenceEnvelope("gql-1", online, user_id, username)
    assert wire.decode_envelope(raw) == expected


@given(room_ids, texts, texts)
def test_show_room_round_trip(room_id: str, name: str, other: str) -> None:
    raw = wire.encode_envelope("gql-1", "show.room", wire.show_room_data(room_id, [name, other]))
    assert wire.decode_envelope(raw) == ShowRoomEnvelope("gql-1", room_id)


class Sent:
    """A stand-in for Redis, for what a server says in a send."""

    def __init__(self) -> None:
        self.said: dict[str, bytes] = {}

    def execute_command(self, *args: Any) -> Any:
        if args[0] in ("ZADD", "PUBLISH"):
            self.said[args[0]] = args[-1]
        return 1


@given(
    room_ids,
    user_ids,
    # Two of the servers escape markup.
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>&\"'")),
    st.integers(0, 2**31 - 1),
)
def test_one_message_in_four_encodings(room_id: str, sender_id: str, text: str, date: int) -> None:
    expected = StoredMessage(room_id, sender_id, text, date, None, None)
    for flavour in FLAVOURS:
        for sender in (sender_id, int(sender_id)):
            sent = Sent()
            OriginalServer(sent, flavour).send(sender, room_id, text, date)
            assert wire.decode_message(sent.said["ZADD"]) == expected
            published = wire.decode_envelope(sent.said["PUBLISH"])
            assert isinstance(published, MessageEnvelope)
            assert published.message == expected


@given(st.text(st.characters()))
def test_halves_of_emoji_as_node_and_python_write_them(text: str) -> None:
    for flavour in ("node", "python"):
        sent = Sent()
        OriginalServer(sent, flavour).send("1", "0", text, 1)
        wire.decode_message(sent.said["ZADD"]).text.encode()


def check_decoding(raw: Any) -> None:
    """Decoding raises MalformedRecord or gives values that every part of Parley can use."""
    try:
        check_message(wire.decode_message(raw))
        check_message(wire.decode_message(raw, "1:2"))
    except MalformedRecord as error:
        str(error).encode()
    if not isinstance(raw, bytes):
        return
    try:
        found = wire.decode_envelope(raw)
    except MalformedRecord as error:
        str(error).encode()
        return
    match found:
        case MessageEnvelope(message=message):
            check_message(message)
        case PresenceEnvelope(user_id=user_id, username=username):
            assert user_id is None or ids.is_user_id(user_id)
            assert user_id is not None or username is not None
            (username or "").encode()
        case ShowRoomEnvelope(room_id=room_id):
            assert ids.is_room_id(room_id)
    if found is not None:
        (found.server_id or "").encode()


def check_message(message: StoredMessage) -> None:
    assert ids.is_room_id(message.room_id)
    assert ids.is_user_id(message.sender_id)
    assert math.isfinite(message.date)
    message.text.encode()
    (message.client_message_id or "").encode()
    assert message.id is None or ids.parse_node_id(message.id) is not None


@given(st.binary() | st.text(st.characters()))
@example(DEEP.encode())
@example(HUGE.encode())
@example(('"\\ud800' + DEEP).encode())
@example(("[" * 900 + "]" * 900).encode())
def test_decoding_anything(raw: bytes | str) -> None:
    check_decoding(raw)


@given(json_values | records)
def test_decoding_any_json(value: Any) -> None:
    raw = json.dumps(value)
    check_decoding(raw)
    check_decoding(raw.encode())
    check_decoding(json.dumps(raw).encode())
    if isinstance(value, dict):
        check_decoding(value)


@given(
    st.sampled_from(["message", "user.connected", "user.disconnected", "show.room"]),
    json_values | records,
    json_values,
    st.booleans(),
)
def test_decoding_any_envelope(kind: str, data: Any, server_id: Any, as_text: bool) -> None:
    data = json.dumps(data) if as_text else data
    check_decoding(envelope(kind, data, serverId=server_id))


GENUINE = [
    OWN,
    json.dumps(member()).encode(),
    b'{"From":"1","Date":1795399681,"Message":"<b>&","RoomId":"0"}',
    b'{"from":"1","date":1,"message":"\\u003cb\\u003e\\ud83d\\ude00","roomId":"1:2"}',
    envelope("message", member(date=1.5)),
    envelope("user.connected", {"id": "1", "username": "Pablo", "online": True}),
    envelope("show.room", {"id": "1:5", "names": [["Pablo"], ["Zoé"]]}),
    b'{"Type":"message","Data":"{\\"from\\":\\"1\\",\\"date\\":1,\\"message\\":\\"x\\"}"}',
    b'{"Type":"user.connected","Data":"\\"Pablo\\"","ServerId":"123"}',
]


@given(st.sampled_from(GENUINE), st.integers(0, 120), st.integers(0, 8), st.binary(max_size=8))
def test_decoding_mutated_records(raw: bytes, start: int, length: int, patch: bytes) -> None:
    check_decoding(raw[:start] + patch + raw[start + length :])


@given(st.sampled_from(GENUINE), st.sampled_from(KEYS), json_values)
def test_decoding_records_with_another_field(raw: bytes, key: str, value: Any) -> None:
    check_decoding(json.dumps(json.loads(raw) | {key: value}).encode())
