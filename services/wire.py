"""The JSON that the servers on a shared Redis write and read (docs/data-model.md); no I/O.

Decoding is tolerant, because four servers in four languages write these records, and distrustful,
because anybody may publish: it gives clean values, whose texts can be encoded as UTF-8, or raises
MalformedRecord. What a decoded record says is a claim; authorisation is elsewhere.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import orjson

from services.ids import (
    GENERAL,
    MessageRef,
    is_room_id,
    is_user_id,
    message_node_id,
    parse_node_id,
    private_members,
)

MAX_ENVELOPE_BYTES = 256 * 1024

_MAX_CLIENT_MESSAGE_ID = 128
_ID_LIMIT = 10**18
_INT32 = 2**31
_MICROSECONDS = 1_000_000
_MESSAGE_KEYS = {"from", "date", "message", "roomId", "id", "clientMessageId", "ts"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class MalformedRecord(ValueError):
    """A record that cannot be understood; the message says why, in one line for the log."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A member of a room's sorted set, or the `data` of a `message` envelope, of any server."""

    room_id: str
    """`"0"`, `"1:2"`."""
    sender_id: str
    """The user's id in decimal, `"3"`."""
    text: str
    """As it is stored: some servers escape markup, and that cannot be told from typed text."""
    date: float
    """Seconds as the sender's clock said; finite, otherwise anything."""
    id: str | None
    """Our node id, `"message:0:1795401320057371"`, if the record has one for this room."""
    client_message_id: str | None


@dataclass(frozen=True, slots=True)
class MessageEnvelope:
    server_id: str | None
    message: StoredMessage


@dataclass(frozen=True, slots=True)
class PresenceEnvelope:
    """Somebody came or went; at least one of `user_id` and `username` is there."""

    server_id: str | None
    online: bool
    user_id: str | None
    """None from .NET, which gives only the name."""
    username: str | None


@dataclass(frozen=True, slots=True)
class ShowRoomEnvelope:
    server_id: str | None
    room_id: str


Envelope = MessageEnvelope | PresenceEnvelope | ShowRoomEnvelope


def decode_message(
    raw: bytes | str | Mapping[str, object], room_id: str | None = None
) -> StoredMessage:
    """Read a message, as JSON text or already parsed. Raises MalformedRecord.

    `room_id` is the room whose sorted set holds the record; what the record itself says then does
    not matter. Keys may be in any case, `from` and `roomId` may be numbers, `date` may be text.
    """
    record = raw if isinstance(raw, Mapping) else _parse(raw)
    if not isinstance(record, Mapping):
        raise _wrong("the message", record)
    if room_id is None:
        room_id = _room_id(_field(record, "roomId"), default=GENERAL)
    text = _field(record, "message")
    if not isinstance(text, str):
        raise _wrong("message", text)
    return StoredMessage(
        room_id=room_id,
        sender_id=_user_id(_field(record, "from")),
        text=_clean(text),
        date=_date(_field(record, "date")),
        id=_own_id(_field(record, "id"), room_id),
        client_message_id=_client_message_id(_field(record, "clientMessageId")),
    )


def decode_own_message(raw: bytes) -> tuple[str, str, str | None] | None:
    """Sender, text and clientMessageId of a member that is written as by our script, for which
    `decode_message` would find the same; None for any other.

    A page is mostly made of these.
    """
    try:
        record = orjson.loads(raw)
        sender_id, date, text = record["from"], record["date"], record["message"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if type(sender_id) is not str or type(date) is not int or type(text) is not str:
        return None
    if not is_user_id(sender_id) or not record.keys() <= _MESSAGE_KEYS:
        return None
    return sender_id, text, _client_message_id(record.get("clientMessageId"))


def decode_envelope(raw: bytes) -> Envelope | None:
    """Read what was published on the MESSAGES channel; None for a type that is not ours to know.

    Raises MalformedRecord for what is no envelope, is larger than MAX_ENVELOPE_BYTES or says
    something senseless.
    """
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise MalformedRecord(f"the envelope has {len(raw)} bytes")
    envelope = _parse(raw)
    if not isinstance(envelope, Mapping):
        raise _wrong("the envelope", envelope)
    server_id = _server_id(_field(envelope, "serverId"))
    match _field(envelope, "type"):
        case "message":
            return MessageEnvelope(server_id, decode_message(_data(envelope)))
        case "user.connected" | "user.disconnected" as kind:
            # Not by `online`: Java says isOnline=false for both.
            user_id, username = _user(_data(envelope))
            return PresenceEnvelope(server_id, kind == "user.connected", user_id, username)
        case "show.room":
            data = _data(envelope)
            return ShowRoomEnvelope(server_id, _room_id(_field(data, "id"), default=None))
        case str():
            return None
        case other:
            raise _wrong("type", other)


def encode_envelope(server_id: str, type: str, data: Mapping[str, object]) -> bytes:
    """`{"serverId":…,"type":…,"data":…}`: Python's streams end when one of the three is missing.

    `server_id` must be unlike those of the other servers, which ignore what is "their own".
    """
    return orjson.dumps({"serverId": server_id, "type": type, "data": dict(data)})


def presence_data(user_id: str, username: str, online: bool) -> dict[str, object]:
    """Data of `user.connected` and `user.disconnected`; pages replace their user entry by it."""
    return {"id": user_id, "username": username, "online": online}


def show_room_data(room_id: str, names: Sequence[str]) -> dict[str, object]:
    """Data of `show.room`: `[["Pablo"],["Zoé"]]` in id order for a private room, `["Project X"]`
    for a named one."""
    nested = private_members(room_id) is not None
    return {"id": room_id, "names": [[name] for name in names] if nested else list(names)}


def message_template(
    room_id: str, sender_id: str, text: str, client_message_id: str | None = None
) -> tuple[str, str]:
    """The member of a message of ours, without what only the store knows: its JSON text before
    and after the date.

    The store's script makes the whole of them, with the position in microseconds as seconds and
    six digits:

        head   {"from":"3","date":
        date   1795401320
        tail   ,"message":"Hello","roomId":"0","clientMessageId":"n-1",
        rest   "id":"message:0:1795401320057371","ts":1795401320.057371}

    `clientMessageId` is there only if given. `date` is whole seconds because Java and .NET read
    nothing else; the text is raw, compact UTF-8 in one line. Text and ids must be encodable.
    """
    head = f'{{"from":{_json(sender_id)},"date":'
    tail = f',"message":{_json(text)},"roomId":{_json(room_id)},'
    if client_message_id is not None:
        tail += f'"clientMessageId":{_json(client_message_id)},'
    return head, tail


def own_message(
    room_id: str,
    sender_id: str,
    text: str,
    position_us: int,
    client_message_id: str | None = None,
) -> bytes:
    """The whole member for a known position in microseconds: what the store's script would make."""
    head, tail = message_template(room_id, sender_id, text, client_message_id)
    seconds, fraction = divmod(position_us, _MICROSECONDS)
    node_id = message_node_id(room_id, position_us)
    return f'{head}{seconds}{tail}"id":"{node_id}","ts":{seconds}.{fraction:06}}}'.encode()


def foreign_member(message: StoredMessage) -> bytes:
    """A member for what another server published and did not store; the same from every process.

    It has no id of ours, like all members of the other servers. `date` is forced into 32 bits: one
    larger, or a fraction, makes .NET fail for the room's whole history.
    """
    return orjson.dumps(
        {
            "from": message.sender_id,
            "date": int(min(max(message.date, -_INT32), _INT32 - 1)),
            "message": message.text,
            "roomId": message.room_id,
        }
    )


def _parse(raw: bytes | str) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if not _has_surrogate_escape(raw):
            raise MalformedRecord(f"not JSON: {error.msg} at {error.pos}") from None
    # Node and Python store half an emoji (a text cut at a length, say) as a lone escape, which
    # orjson refuses. The other servers show such messages, so read them here too.
    try:
        text = raw if isinstance(raw, str) else raw.decode()
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"not JSON: {type(error).__name__}") from None


def _has_surrogate_escape(raw: bytes | str) -> bool:
    text = raw if isinstance(raw, str) else raw.decode(errors="replace")
    return _SURROGATE_ESCAPE.search(text) is not None


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRecord(f"not JSON: {name}")


def _field(record: Mapping[str, object], name: str) -> object:
    """The value of a key as it is spelled here, else of its last variant in another case."""
    if name in record:
        return record[name]
    found = None
    lower = name.lower()
    for key, value in record.items():
        if isinstance(key, str) and key.lower() == lower:
            found = value
    return found


def _data(envelope: Mapping[str, object]) -> Mapping[str, object]:
    """The envelope's data as an object.

    .NET sends JSON text instead, for presence that of the name alone: `"\\"Pablo\\""`.
    """
    data = _field(envelope, "data")
    if isinstance(data, str):
        data = _parse(data)
        if isinstance(data, str):
            return {"username": data}
    if not isinstance(data, Mapping):
        raise _wrong("data", data)
    return data


def _user(data: Mapping[str, object]) -> tuple[str | None, str | None]:
    user_id, username = _field(data, "id"), _field(data, "username")
    if user_id is None and not isinstance(username, str):
        raise MalformedRecord("the user has neither id nor username")
    return (
        None if user_id is None else _user_id(user_id),
        _clean(username) if isinstance(username, str) else None,
    )


def _user_id(value: object) -> str:
    match value:
        case bool():
            pass
        case int() if 0 < value < _ID_LIMIT:
            return str(int(value))
        case float() if value.is_integer() and 0 < value < _ID_LIMIT:
            return str(int(value))
        case str() if is_user_id(value):
            return value
    raise _wrong("the user's id", value)


def _room_id(value: object, default: str | None) -> str:
    match value:
        case None if default is not None:
            return default
        case bool():
            pass
        case int() if 0 <= value < _ID_LIMIT:
            return str(int(value))
        case str() if is_room_id(value):
            return value
    raise _wrong("the room's id", value)


def _date(value: object) -> float:
    date = math.nan
    match value:
        case bool():
            pass
        case int() if value.bit_length() < 1024:
            date = float(value)
        case float():
            date = value
        case str() if _NUMBER.fullmatch(value):
            date = float(value)
    if not math.isfinite(date):
        raise _wrong("date", value)
    return date


def _own_id(value: object, room_id: str) -> str | None:
    """Other servers keep whatever fields their clients send, an `id` too: take only ours."""
    if isinstance(value, str):
        match parse_node_id(value):
            case MessageRef(room_id=room) if room == room_id:
                return value
    return None


def _client_message_id(value: object) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= _MAX_CLIENT_MESSAGE_ID:
        return _clean(value)
    return None


def _server_id(value: object) -> str | None:
    """Text from Node and .NET, a random float from Python, nothing from Java."""
    match value:
        case bool():
            return None
        case str():
            return _clean(value)
        case int() | float():
            return repr(value)
    return None


def _clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot say."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


def _wrong(what: str, value: object) -> MalformedRecord:
    # Of what somebody sent only a bit, escaped: the log is not theirs to fill.
    shown = ascii(value[:40]) if isinstance(value, str) else type(value).__name__
    return MalformedRecord(f"{what} is wrong: {shown}")
