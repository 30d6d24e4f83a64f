"""A small model of the other servers on the shared Redis, for tests of living together with them.

It writes and reads what they do (docs/data-model.md) and fails where they fail, as far as recorded
runs, probes of their serialisers and their source tell; test_vectors.py compares it with the
recordings. It knows nothing of Parley, so that the two cannot share a misunderstanding.

Commands are sent as those servers send them, through `execute_command`, which a test may wrap.
"""

import html
import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Protocol

import bcrypt

Flavour = Literal["node", "python", "java", "dotnet"]
Json = dict[str, Any]

_CHANNEL = "MESSAGES"
_NAMES = ("Pablo", "Joe", "Mary", "Alex")
_PASSWORD = "password123"
_GREETINGS = ("Hello", "Hi", "Yo", "Hola")
_TALK = (
    "Hello!",
    "Hi, How are you? What about our next meeting?",
    "Yeah everything is fine",
    "Next meeting tomorrow 10.00AM",
    "Wow that's great",
)
_INT32 = range(-(2**31), 2**31)
_SOCKET_IO_RESERVED = {
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
}


class Commands(Protocol):
    """The part of a synchronous redis-py client that is used; responses are not decoded."""

    def execute_command(self, *args: Any) -> Any: ...


class OriginalDied(Exception):
    """The server ends, answers a request with an error, or breaks its page; the message says which.

    Also for a whole list that fails because of one bad record: nobody sees the chat then.
    """


@dataclass(frozen=True)
class Event:
    """What the browsers of a server get to see of an envelope."""

    type: object
    data: object


class OriginalServer:
    """One server process of a flavour.

    Shapes: a user is `{"id": "1", "username": "Pablo"}` (more with Java and .NET), a room
    `{"id": "0", "names": [...]}`, a message `{"from", "date", "message", "roomId", ...}`.
    Every method may raise OriginalDied.
    """

    def __init__(
        self,
        redis: Commands,
        flavour: Flavour,
        *,
        server_id: str | float | None = None,
        clock: Callable[[], float] = time.time,
        bcrypt_cost: int | None = None,
    ) -> None:
        self.flavour: Flavour = flavour
        self._redis = redis
        self._server_id = _default_server_id(flavour) if server_id is None else server_id
        self._clock = clock
        self._bcrypt_cost = bcrypt_cost or (11 if flavour == "dotnet" else 10)

    # Seeding

    def seed(self) -> bool:
        """Write the demo data unless somebody has; whether it did."""
        if self._do("EXISTS", "total_users"):
            return False
        self._do("SET", "total_users", 0)
        self._do("SET", "room:0:name", "General")
        users = [self._create_user(name, _PASSWORD)["id"] for name in _NAMES]
        now = self._clock()
        opened = set()
        for user, other in itertools.permutations(users, 2):
            room_id = _private_room_id(user, other)
            if room_id not in opened:
                opened.add(room_id)
                self._open_private(user, other)
            date = now - random.uniform(0, 220)
            self._seed_message(room_id, other, random.choice(_GREETINGS), date)
        for index, text in enumerate(_TALK[:4] if self.flavour == "java" else _TALK):
            date = now - 1000 + 200 * index
            if self.flavour == "node":
                date = int(date)
            self._seed_message("0", random.choice(users), text, date)
        return True

    def _seed_message(self, room_id: str, user_id: int, text: str, date: float) -> None:
        if self.flavour in ("java", "dotnet"):
            message = self._message(user_id, room_id, text, date, {})
        else:
            message = {"from": user_id, "date": date, "message": text, "roomId": room_id}
        self._store(room_id, message)

    # Accounts and presence

    def register(self, name: str, password: str) -> Json:
        """What logging in with a new name does; the id is an int until the next login."""
        if self.flavour in ("java", "dotnet"):
            raise OriginalDied("404: no registration here")
        if self._do("EXISTS", f"username:{name}"):
            raise ValueError(f"{name} exists, which would be a login")
        # Python answers 404 here, but the account and the session are there.
        return self._create_user(name, password)

    def login(self, name: str, password: str) -> Json | None:
        """The user, or None when refused. An unknown name is registered (Node, Python)."""
        if not self._do("EXISTS", f"username:{name}"):
            if self.flavour in ("java", "dotnet"):
                return None
            return self._create_user(name, password)
        key = self._do("GET", f"username:{name}").decode()
        user_id = key.split(":")[-1]
        if self.flavour in ("java", "dotnet"):
            # No password check.
            return {"id": _int(user_id), "username": name, "online": True}
        # The key is used as it stands: a bare id finds no hash.
        user = self._do("HGETALL", key) if ":" in key else {}
        if b"password" not in user:
            raise OriginalDied("login: the user has no password")
        if not self._password_fits(password, user[b"password"]):
            return None
        return {"id": user_id, "username": name}

    def connect(self, user: Mapping[str, Any]) -> None:
        """A socket of the user opens."""
        self._do("SADD", "online_users", user["id"])
        self._publish("user.connected", self._presence(user, online=True))

    def disconnect(self, user: Mapping[str, Any]) -> None:
        """A socket of the user closes: offline, whatever other tabs there are."""
        self._do("SREM", "online_users", user["id"])
        self._publish("user.disconnected", self._presence(user, online=False))

    def _create_user(self, name: str, password: str) -> Json:
        by = ("INCRBY", "total_users", 1) if self.flavour == "python" else ("INCR", "total_users")
        user_id = int(self._do(*by))
        self._do("SET", f"username:{name}", f"user:{user_id}")
        prefix = b"2a" if self.flavour in ("java", "dotnet") else b"2b"
        hashed = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(self._bcrypt_cost, prefix))
        self._do("HMSET", f"user:{user_id}", "username", name, "password", hashed)
        self._do("SADD", f"user:{user_id}:rooms", "0")
        return {"id": user_id, "username": name}

    def _password_fits(self, password: str, hashed: bytes) -> bool:
        if self.flavour == "node" and not hashed.startswith((b"$2a$", b"$2b$")):
            return False
        try:
            return bcrypt.checkpw(password.encode()[:72], hashed)
        except ValueError as error:
            raise OriginalDied("500: no bcrypt hash") from error

    def _presence(self, user: Mapping[str, Any], *, online: bool) -> object:
        match self.flavour:
            case "java":
                # A field that the serialiser does not find: absent `online`, false `isOnline`.
                return {"id": _int(user["id"]), "username": user["username"], "isOnline": False}
            case "dotnet":
                return user["username"]
            case _:
                return {"id": user["id"], "username": user["username"], "online": online}

    # Messages and rooms

    def send(
        self,
        user_id: str | int,
        room_id: str,
        text: str,
        date: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """A browser sends a message.

        Give the user's id as an int for one who has just registered and not logged in since: Node
        and Python store it as it is. `extra` are more fields from the client, which they keep.
        """
        date = int(self._clock()) if date is None else date
        self._do("SADD", "online_users", user_id)
        message = self._message(user_id, room_id, self._escaped(text), date, extra or {})
        if self.flavour in ("node", "python"):
            is_named = self._do("EXISTS", f"room:{room_id}:name")
            if not self._do("EXISTS", f"room:{room_id}") and not is_named:
                names = [[self._username(part)] for part in room_id.split(":")]
                self._publish("show.room", {"id": room_id, "names": names})
        self._store(room_id, message)
        self._publish("message", message)

    def open_private(self, user1: str | int, user2: str | int) -> Json:
        """A click on a name. Only Node has it; elsewhere the request fails."""
        if self.flavour != "node":
            raise OriginalDied("405: rooms are opened by messages only")
        return self._open_private(user1, user2)

    def _open_private(self, user1: str | int, user2: str | int) -> Json:
        room_id = _private_room_id(user1, user2)
        self._do("SADD", f"user:{user1}:rooms", room_id)
        self._do("SADD", f"user:{user2}:rooms", room_id)
        return {"id": room_id, "names": [[self._username(user)] for user in (user1, user2)]}

    def _message(
        self,
        user_id: str | int,
        room_id: str,
        text: str,
        date: float,
        extra: Mapping[str, Any],
    ) -> Json:
        """The object that is stored and published."""
        if self.flavour in ("java", "dotnet"):
            return {"from": str(user_id), "date": int(date), "message": text, "roomId": room_id}
        return {"roomId": room_id, "message": text, "from": user_id, "date": date, **extra}

    def _escaped(self, text: str) -> str:
        match self.flavour:
            case "node":
                return text.replace("<", "&lt").replace(">", "&gt")
            case "python":
                return html.escape(text).replace("&#x27;", "&#39;")
            case _:
                return text

    def _store(self, room_id: str, message: Json) -> None:
        date = message["date"]
        score: str | int | float = float(date)
        if self.flavour == "node":
            score = str(date)
        elif self.flavour == "python":
            score = int(date)
        elif self.flavour == "dotnet":
            message = {key[0].upper() + key[1:]: value for key, value in message.items()}
        self._do("ZADD", f"room:{room_id}", score, self._encode(message))

    def _publish(self, kind: str, data: object) -> None:
        envelope: Json = {"serverId": self._server_id, "type": kind, "data": data}
        if self.flavour == "java":
            del envelope["serverId"]
        elif self.flavour == "dotnet":
            text = self._encode(data).decode()
            envelope = {"Type": kind, "Data": text, "ServerId": self._server_id}
        self._do("PUBLISH", _CHANNEL, self._encode(envelope))

    def _encode(self, value: object) -> bytes:
        if self.flavour == "python":
            return json.dumps(value).encode()
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        escaped = {"node": "", "java": "<>&='\u2028\u2029", "dotnet": "\u0085\u2028\u2029"}
        text = text.translate({ord(char): f"\\u{ord(char):04x}" for char in escaped[self.flavour]})
        if self.flavour == "node":
            # JSON.stringify escapes half an emoji and leaves all else raw.
            return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode()
        return text.encode(errors="replace")

    # Reading

    def rooms(self, user_id: str | int) -> list[Json]:
        """The user's list of rooms."""
        found = []
        for raw in self._do("SMEMBERS", f"user:{user_id}:rooms"):
            room_id = raw.decode()
            name = self._do("GET", f"room:{room_id}:name")
            # Java leaves out every room without messages, even General.
            may_be_empty = name is not None and self.flavour != "java"
            if not may_be_empty and not self._do("EXISTS", f"room:{room_id}"):
                continue
            names = self._private_names(room_id) if name is None else [name.decode()]
            found.append({"id": room_id, "names": names})
        return found

    def _private_names(self, room_id: str) -> list[Any]:
        parts = room_id.split(":")
        if len(parts) != 2:
            raise OriginalDied(f"400: room {room_id} has neither a name nor two users")
        names = [self._username(part) for part in parts]
        return [[name] for name in names] if self.flavour in ("node", "python") else names

    def history(self, room_id: str, offset: int = 0, size: int = 15) -> list[Json]:
        """What the page shows when it loads the room, newest first: size + 1 messages.

        That includes asking for the senders, which some records do not survive.
        """
        if self.flavour in ("node", "python") and not self._do("EXISTS", f"room:{room_id}"):
            return []
        members = self._do("ZREVRANGE", f"room:{room_id}", offset, offset + size)
        messages = [self._parse_member(member) for member in members]
        # JavaScript's word for a missing field becomes part of the request.
        senders = (message.get("from", "undefined") for message in messages)
        self.users(str(sender) for sender in senders if sender is not None)
        return messages

    def users(self, user_ids: Iterable[str]) -> dict[str, Json]:
        """What the page asks for about the senders of messages."""
        found = {}
        for user_id in dict.fromkeys(user_ids):
            hashed = self._do("HGETALL", f"user:{user_id}")
            online = bool(self._do("SISMEMBER", "online_users", user_id))
            found[user_id] = self._user_entry(user_id, hashed, online=online)
        return found

    def users_online(self) -> dict[str, Json]:
        """The users that pages show as online, by id."""
        found = {}
        for raw in self._do("SMEMBERS", "online_users"):
            user_id = raw.decode()
            hashed = self._do("HGETALL", f"user:{user_id}")
            found[user_id] = self._user_entry(user_id, hashed, online=True)
        return found

    def _user_entry(self, user_id: str, hashed: dict[bytes, bytes], *, online: bool) -> Json:
        if b"username" not in hashed and self.flavour != "dotnet":
            raise OriginalDied(f"user {user_id} has no hash")
        return {
            "id": user_id if self.flavour in ("node", "python") else _int(user_id),
            "username": hashed.get(b"username", b"").decode(),
            "online": online,
        }

    def _username(self, user_id: str | int) -> str | None:
        (name,) = self._do("HMGET", f"user:{user_id}", "username")
        if name is not None:
            return str(name.decode())
        if self.flavour in ("python", "java"):
            raise OriginalDied(f"500: no user {user_id}")
        return None if self.flavour == "node" else ""

    def _parse_member(self, member: bytes) -> Json:
        try:
            parsed = json.loads(
                member.decode(errors="replace"),
                parse_constant=None if self.flavour == "python" else _refuse_constant,
            )
        except ValueError as error:
            raise OriginalDied("history: a member is not JSON") from error
        if not isinstance(parsed, dict):
            raise OriginalDied("history: a member is no object")
        match self.flavour:
            case "java":
                return _declared(parsed)
            case "dotnet":
                by_lower = {key.lower(): value for key, value in parsed.items()}
                names = ("from", "date", "message", "roomId")
                return _declared({name: by_lower.get(name.lower()) for name in names})
            case _:
                return parsed

    # The channel

    def receive(self, raw: bytes) -> Event | None:
        """What an envelope shows in the browsers; None for nothing."""
        match self.flavour:
            case "node":
                return self._receive_node(raw)
            case "python":
                return self._receive_python(raw)
            case "java":
                return self._receive_java(raw)
            case "dotnet":
                return self._receive_dotnet(raw)

    def _receive_node(self, raw: bytes) -> Event | None:
        try:
            envelope = json.loads(raw, parse_constant=_refuse_constant)
        except ValueError as error:
            raise OriginalDied("the process ends: not JSON") from error
        if envelope is None:
            raise OriginalDied("the process ends: null has no serverId")
        if not isinstance(envelope, dict) or envelope.get("type") is None:
            return None
        kind = envelope["type"]
        if envelope.get("serverId") == self._server_id:
            return None
        if isinstance(kind, str) and kind in _SOCKET_IO_RESERVED:
            raise OriginalDied(f"the process ends: {kind} is a reserved event name")
        return Event(kind, envelope.get("data"))

    def _receive_python(self, raw: bytes) -> Event | None:
        try:
            envelope = json.loads(raw)
            if envelope["serverId"] == self._server_id:
                return None
            return Event(envelope["type"], envelope["data"])
        except (ValueError, TypeError, KeyError) as error:
            raise OriginalDied(f"every open stream ends: {error!r}") from error

    def _receive_java(self, raw: bytes) -> Event | None:
        """The server passes on the text as one event; all else is the page's."""
        if b"\n" in raw or b"\r" in raw:
            raise OriginalDied("the event is torn: more than one line")
        try:
            envelope = json.loads(raw)
        except ValueError:
            return None
        if not isinstance(envelope, dict) or "type" not in envelope:
            return None
        return Event(envelope["type"], envelope.get("data"))

    def _receive_dotnet(self, raw: bytes) -> Event | None:
        """Keys in any case, the later wins; `data` must be JSON text, else it is dropped."""
        try:
            envelope = {key.lower(): value for key, value in json.loads(raw).items()}
            if not isinstance(envelope.get("data"), str):
                return None
            return Event(envelope["type"], json.loads(envelope["data"]))
        except (ValueError, AttributeError, KeyError):
            return None

    def _do(self, *command: Any) -> Any:
        return self._redis.execute_command(*command)


def _declared(message: Json) -> Json:
    """What a class with `int date` and three strings takes; raises OriginalDied as that does."""
    date = message.get("date") or 0
    try:
        fits = not isinstance(date, float) and int(date) in _INT32
    except (ValueError, TypeError):
        fits = False
    if not fits:
        raise OriginalDied("history: a date is not a 32-bit integer")
    texts = {name: message.get(name) for name in ("from", "message", "roomId")}
    return {
        "date": int(date),
        **{name: None if text is None else str(text) for name, text in texts.items()},
    }


def _default_server_id(flavour: Flavour) -> str | float:
    match flavour:
        case "node":
            return f"192.0.2.{random.randint(1, 254)}:{random.randint(4000, 4999)}"
        case "python":
            return random.uniform(0, 1_000_000)
        case _:
            return "123"


def _private_room_id(user1: str | int, user2: str | int) -> str:
    low, high = sorted((int(user1), int(user2)))
    return f"{low}:{high}"


def _int(user_id: object) -> int:
    try:
        return int(str(user_id))
    except ValueError as error:
        raise OriginalDied(f"500: {user_id} is no number") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
