"""Ids: how records are named inside the services and across the API.

Inside, a user is `"3"` and a room `"0"` or `"1:2"`, as in the shared data model. Across the API an
id is the Redis key of the record. Parsing is strict, so that nothing from outside reaches a key
unchecked.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_USER = re.compile(r"[1-9][0-9]{0,17}")
_ROOM = re.compile(
    r"0|[1-9][0-9]{0,17}|(?P<low>[1-9][0-9]{0,17}):(?P<high>[1-9][0-9]{0,17})|[A-Za-z][A-Za-z0-9_-]{0,63}"
)
_POSITION = re.compile(r"[1-9][0-9]{0,17}")
_LONGEST_ROOM = 64

GENERAL = "0"
"""The public room that everybody is in."""


@dataclass(frozen=True, slots=True)
class UserRef:
    user_id: str


@dataclass(frozen=True, slots=True)
class RoomRef:
    room_id: str


@dataclass(frozen=True, slots=True)
class MessageRef:
    room_id: str
    position: int


def is_user_id(text: str) -> bool:
    return _USER.fullmatch(text) is not None


def is_room_id(text: str) -> bool:
    """A number, a plain name, or two user ids in ascending order."""
    return len(text) <= _LONGEST_ROOM and _is_room_id(text)


@lru_cache(maxsize=10_000)
def _is_room_id(text: str) -> bool:
    match = _ROOM.fullmatch(text)
    if match is None:
        return False
    return match["low"] is None or int(match["low"]) < int(match["high"])


def user_node_id(user_id: str) -> str:
    return f"user:{user_id}"


def room_node_id(room_id: str) -> str:
    return f"room:{room_id}"


def message_node_id(room_id: str, position: int) -> str:
    return f"message:{room_id}:{position}"


def parse_node_id(text: str) -> UserRef | RoomRef | MessageRef | None:
    """The record that a node id names, or None when no record can have such an id."""
    kind, _, rest = text.partition(":")
    if kind == "user" and is_user_id(rest):
        return UserRef(rest)
    if kind == "room" and is_room_id(rest):
        return RoomRef(rest)
    if kind == "message":
        room_id, _, position = rest.rpartition(":")
        if is_room_id(room_id) and _POSITION.fullmatch(position):
            return MessageRef(room_id, int(position))
    return None


def private_room_id(user_id: str, other_id: str) -> str:
    low, high = sorted((int(user_id), int(other_id)))
    return f"{low}:{high}"


@lru_cache(maxsize=10_000)
def private_members(room_id: str) -> tuple[str, str] | None:
    """The two users of a private room, in the order of their ids; None for other rooms."""
    low, colon, high = room_id.partition(":")
    return (low, high) if colon else None
