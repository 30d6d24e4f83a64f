"""The records of the chat, as the services hand them out."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class User(NamedTuple):
    id: str
    username: str
    owner_id: str | None = None
    """Whose bot it is; empty for a bot that was deleted, null for a person."""

    @property
    def is_bot(self) -> bool:
        return self.owner_id is not None

    def is_bot_of(self, owner_id: str) -> bool:
        """Given that it is listed as theirs: also while it is being deleted."""
        return self.owner_id == owner_id or self.is_deleted

    @property
    def is_deleted(self) -> bool:
        """A bot without an owner. Its record stays, for the messages that it has sent."""
        return self.owner_id == ""


@dataclass(frozen=True, slots=True)
class Presence:
    online: bool
    last_seen_at: int | None
    """Microseconds; null while online and for users never seen."""


class Room(NamedTuple):
    id: str
    name: str | None
    """Null for a private room: in the shared data model the absence of a name means private."""

    @property
    def is_private(self) -> bool:
        return self.name is None


class Message(NamedTuple):
    room_id: str
    sender_id: str
    text: str
    position: int
    """Its place in the room's log, in microseconds of the store's clock; unique in the room."""
    score: float
    """Its place in the room's history, in seconds: the sorted set's score."""
    client_message_id: str | None

    @property
    def sent_at(self) -> int:
        """Microseconds. The store's time for own messages, what their server said for others."""
        return round(self.score * 1_000_000)


@dataclass(frozen=True, slots=True)
class MessagePage:
    messages: list[Message]
    """Oldest first."""
    has_previous: bool
    has_next: bool


class Scope(StrEnum):
    """What a bot may do."""

    READ = "READ"
    SEND = "SEND"


@dataclass(frozen=True, slots=True)
class Session:
    user_id: str
    token_hash: str
    expires_at: float
    """Seconds since the epoch, unless it is used before; infinite for a bot's."""
    scopes: frozenset[Scope] | None = None
    """What a bot may do with it; None for a person's, who may do everything."""
    is_renewed: bool = field(default=False, compare=False)
    """Looking it up has put its expiry off."""

    @property
    def is_bot(self) -> bool:
        return self.scopes is not None


class SessionKey(NamedTuple):
    """What a session is found by."""

    user_id: str
    token_hash: str
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class SessionDetails:
    session: Session
    created_at: float
    used_at: float
    """Seconds; exact to an hour."""
    device: str

    @property
    def id(self) -> str:
        """Tells nothing of the token, nor of the hash that the store has."""
        return hashlib.sha256(self.session.token_hash.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Bot:
    user: User
    """The account that it speaks as."""
    created_at: float
    """Seconds."""
    token: SessionDetails | None
    """None when it was taken away."""


@dataclass(frozen=True, slots=True)
class MessageEvent:
    message: Message
    doubt: int = 0
    """Microseconds before it from which on something in other logs may not have been told yet: on
    a Redis Cluster, where each log has a clock of its own."""

    @property
    def position(self) -> int:
        return self.message.position


@dataclass(frozen=True, slots=True)
class RoomEvent:
    position: int
    room_id: str
    doubt: int = 0
    """As of a message."""


@dataclass(frozen=True, slots=True)
class PresenceEvent:
    user_id: str


@dataclass(frozen=True, slots=True)
class CaughtUpEvent:
    position: int
    replayed: int


Event = MessageEvent | RoomEvent | PresenceEvent | CaughtUpEvent
