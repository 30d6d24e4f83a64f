"""The lines of an archive: what each kind has, and how they are read and written.

    chat      first: of which chat, at which moment
    user      an account, with the rooms in its list and its sessions
    room      a named room
    message   a record of a room, in the order of the room's log
    end       last: how many there were of each

Texts that other servers wrote need not be UTF-8: then they are `{"base64": …}`.
"""

import base64
import binascii
import math
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from services.errors import OperatorError
from services.ids import is_room_id, is_user_id

VERSION = 1


class ArchiveError(OperatorError):
    """The archive cannot be used, or not here."""


def _raw(value: object) -> object:
    match value:
        case str():
            return value.encode()
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise ValueError("should be base64") from None
    raise ValueError("should be a text")


def _user_id(value: str) -> str:
    if not is_user_id(value):
        raise ValueError("should be the id of a user")
    return value


def _room_id(value: str) -> str:
    if not is_room_id(value):
        raise ValueError("should be the id of a room")
    return value


def _score(value: str) -> str:
    if not math.isfinite(float(value)):
        raise ValueError("should be a number")
    return value


Raw = Annotated[bytes, BeforeValidator(_raw)]
UserId = Annotated[str, BeforeValidator(_user_id)]
RoomId = Annotated[str, BeforeValidator(_room_id)]
Position = Annotated[int, Field(gt=0, lt=1 << 53)]
Score = Annotated[str, BeforeValidator(_score)]
"""As the store writes it, to the last digit."""


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ChatLine(_Line):
    type: Literal["chat"]
    version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Of this archive, not of the chat."""
    clock: Annotated[int, Field(ge=0, lt=1 << 53)]
    """Everything up to here is in it, and of one store's messages nothing beyond."""
    epochs: dict[str, int]
    """Of every epoch, up to which position cursors of it are good."""
    last_user: Annotated[int, Field(ge=0)]
    named_rooms: Annotated[int, Field(ge=0)]
    messages: Annotated[int, Field(ge=0)]
    """About how many follow."""


class SessionRecord(_Line):
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    value: str
    score: str
    expires: int | None
    """Milliseconds; null for one that never does."""


class UserLine(_Line):
    type: Literal["user"]
    id: UserId
    fields: dict[str, Raw]
    is_named: bool
    """Its name leads to it: other servers may register a name twice."""
    rooms: list[RoomId]
    announced: list[RoomId]
    log: list[tuple[Position, RoomId]]
    """When rooms were announced to it."""
    seen: Position | None
    bots: list[tuple[UserId, Score]]
    """Its bots, and when they were created, in seconds."""
    sessions: list[SessionRecord]


class RoomLine(_Line):
    type: Literal["room"]
    id: RoomId
    name: Raw


class MessageLine(_Line):
    type: Literal["message"]
    room: RoomId
    position: Position
    score: Score
    member: Raw


class EndLine(_Line):
    type: Literal["end"]
    users: int
    rooms: int
    messages: int


Line = ChatLine | UserLine | RoomLine | MessageLine | EndLine

_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="type")])


def read_line(number: int, text: bytes) -> Line:
    """Raise ArchiveError, naming the line, for what is none."""
    try:
        return _LINE.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        # The first place is the type of the line.
        where = ".".join(str(place) for place in problem["loc"][1:])
        reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        raise ArchiveError(
            f"Line {number} cannot be used: {where + ': ' if where else ''}{reason}."
        ) from None


def write_line(**line: object) -> bytes:
    return orjson.dumps(line) + b"\n"


def text(raw: bytes) -> object:
    """A text as it is in a line."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}
