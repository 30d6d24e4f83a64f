"""What a caller might send, from nearly right to noise."""

import json
import struct
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

_NAMES = [
    "query",
    "variables",
    "operationName",
    "extensions",
    "persistedQuery",
    "sha256Hash",
    "version",
    "id",
    "type",
    "payload",
    "authorization",
    "input",
    "first",
    "after",
]
_QUERIES = [
    "{ __typename }",
    "{ me { id username } }",
    "query A { me { id } } query B { rooms { nodes { id } } }",
    "query ($first: Int, $after: String) { rooms(first: $first, after: $after) { nodes { id } } }",
    "query ($id: ID!) { node(id: $id) { id ... on Room { messages { nodes { text } } } } }",
    "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
    "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }",
    "mutation ($input: OpenPrivateRoomInput!) { openPrivateRoom(input: $input) { room { id } } }",
    "subscription ($after: String) { events(after: $after) { __typename } }",
    'subscription { messageAdded(roomId: "room:0") { cursor } }',
    "{ me { ...F } } fragment F on User { ...F }",
    "{ a: me { id } @skip }",
    "{",
    "",
    "\ufeff{ __typename } # \u2028",
]
_TEXTS = st.one_of(
    st.sampled_from(
        [
            *_QUERIES,
            *_NAMES,
            "room:0",
            "room:1:2",
            "user:1",
            "message:0:1",
            "room:0:name",
            "online_users",
            "Bearer x",
            "{}",
            "null",
            "\x00",
            "\ud800",
            "💥" * 100,
            "9" * 400,
        ]
    ),
    st.text(max_size=40),
)
_NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, float("nan"), float("inf")]),
)


def opaque(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Hypothesis writes out what a strategy is made of, again and again: here it ends."""

    @st.composite
    def drawn(draw: st.DrawFn) -> T:
        return draw(strategy)

    return drawn()


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)

values = opaque(_VALUES)

_VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "first": values,
        "after": values,
        "id": values,
        "ids": values,
        "input": st.fixed_dictionaries(
            {}, optional={"roomId": values, "userId": values, "text": values, "extra": values}
        )
        | values,
    },
)

_REQUESTS = st.fixed_dictionaries(
    {"query": st.sampled_from(_QUERIES) | values},
    optional={
        "variables": _VARIABLES | values,
        "operationName": st.sampled_from(["A", "B", ""]) | values,
        "extensions": values,
    },
)

requests = opaque(_REQUESTS)


def dumped(value: object) -> bytes:
    """JSON, or nearly so: NaN, infinities and lone surrogates are written as they are."""
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Something with a few bytes changed, cut, doubled, or put in."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 8)))
        data[start:end] = draw(st.binary(max_size=8) | st.just(bytes(data[start:end] * 2)))
    return bytes(data)


whole_bodies = (requests | values | st.lists(requests, max_size=3)).map(dumped)
bodies = whole_bodies | broken(whole_bodies) | st.binary(max_size=200)

headers = st.dictionaries(
    st.sampled_from(
        [
            "accept",
            "content-type",
            "content-encoding",
            "cookie",
            "authorization",
            "origin",
            "x-forwarded-for",
            "last-event-id",
            "apollo-require-preflight",
            "user-agent",
            "if-none-match",
        ]
    ),
    st.sampled_from(
        [
            "",
            "application/json",
            "application/json; charset=utf-16",
            "application/graphql-response+json;q=x, */*;q=0.1",
            "text/html",
            "gzip",
            "parley_session=1:x; parley_session=2",
            "Bearer",
            "Bearer 1:2:3",
            "null",
            "1.2.3.4, nonsense, ::1",
            ";=,;q=;",
            "é\x80",
        ]
    )
    | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
    max_size=4,
)

methods = st.sampled_from(["POST"] * 6 + ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
paths = st.sampled_from(
    ["/graphql"] * 12
    + [
        "/graphql?query={me{id}}",
        "/graphql?query=%ff&variables=%00",
        "/graphql?variables={&extensions=[]",
        "/",
        "/r/%00",
        "/healthz",
        "/readyz",
        "/assets/%00",
        "/assets/..%2f..%2f",
        "/playground/assets/%ff%fe",
        "/nowhere",
        "//graphql",
        "/graphql/",
    ]
)


@st.composite
def http_requests(draw: st.DrawFn) -> bytes:
    """One that is whole, so that there is an answer to it."""
    body = draw(bodies)
    given = {"content-type": "application/json", **draw(headers)}
    lines = [f"{draw(methods)} {draw(paths)} HTTP/1.1", "host: x", "connection: close"]
    lines += [f"{name}: {value}" for name, value in given.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


_NOISE = st.sampled_from(
    [
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"POST /graphql HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /graphql HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nx: \xff\r\n\r\n",
        b"GET /graphql HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nx",
    ]
)
broken_http = broken(http_requests()) | _NOISE | broken(_NOISE) | st.binary(max_size=300)

_TYPES = ["connection_init", "ping", "pong", "subscribe", "complete", "next", "error", "start"]
_SOCKET_MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(_TYPES) | values},
        optional={
            "id": st.sampled_from(["1", "2", ""]) | values,
            "payload": requests | values,
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("subscribe"),
            "id": st.sampled_from(["1", "2", "3"]),
            "payload": requests,
        }
    ),
    values,
)
socket_messages = opaque(_SOCKET_MESSAGES)
socket_texts = socket_messages.map(dumped) | st.text(max_size=100).map(dumped)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of a client, whole or not, with any bits in its head."""
    payload: bytes = draw(socket_messages.map(dumped) | st.binary(max_size=200))
    opcode = draw(st.sampled_from([0x1] * 4 + [0x0, 0x2, 0x8, 0x9, 0xA, 0x3, 0xF]))
    head = bytearray([draw(st.sampled_from([0x80] * 4 + [0x00, 0x40, 0xF0])) | opcode])
    mask = draw(st.sampled_from([0x80] * 6 + [0x00]))
    length = draw(st.sampled_from([len(payload)] * 6 + [0, 126, 2**16, 2**63 - 1, 2**64 - 1]))
    if length < 126:
        head.append(mask | length)
    elif length < 2**16:
        head += bytes([mask | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", length)
    # A mask of zeros leaves the payload as it is.
    return bytes(head) + (bytes(4) if mask else b"") + payload


_ENVELOPE_TYPES = ["message", "user.connected", "user.disconnected", "show.room"]
_IDS = st.sampled_from(["0", "1", "1:2", "2:1", 1, 1.5, -1, "room:0", "\x00"]) | values
_RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "from": _IDS,
        "date": _NUMBERS | _IDS,
        "message": _TEXTS | values,
        "roomId": _IDS,
        "id": _IDS,
        "username": _TEXTS | values,
        "online": values,
        "names": values,
        "ts": values,
        "clientMessageId": values,
    },
)
_ENVELOPES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(_ENVELOPE_TYPES) | values, "data": _RECORDS | values},
        optional={"serverId": values},
    ),
    st.fixed_dictionaries(
        {
            "Type": st.sampled_from(_ENVELOPE_TYPES) | values,
            "Data": _RECORDS.map(lambda record: dumped(record).decode(errors="replace")) | values,
        },
        optional={"ServerId": values},
    ),
    values,
).map(dumped)
envelopes = _ENVELOPES | broken(_ENVELOPES) | st.binary(max_size=200)
