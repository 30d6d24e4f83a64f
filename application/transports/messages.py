"""The messages of graphql-transport-ws, read and written.

The protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from dataclasses import dataclass
from typing import Any

import orjson

from execution.encode import encode
from execution.errors import RequestError
from execution.request import GraphQLRequest, parse_request

_REASON_BYTES = 123
"""What a close frame has room for (RFC 6455, section 5.5)."""

_ID_LENGTH = 128
"""What an id may have: it stands in front of each result, and libraries send numbers or UUIDs."""

Payload = dict[str, Any] | None


class Closure(Exception):
    """The socket is to be closed with a code and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        super().__init__(f"{code} {self.reason}")


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Pong:
    payload: Payload


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: GraphQLRequest
    size: int
    """Characters of the message."""


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def parse_message(frame: str | None) -> Message:
    """The message in a text frame, None standing for a binary one. Raises Closure (4400)."""
    if frame is None:
        raise _malformed("Messages are text frames")
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise _malformed("The message is not valid JSON") from None
    if not isinstance(message, dict):
        raise _malformed("The message is not a JSON object")
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_payload(message))
        case "ping":
            return Ping(_payload(message))
        case "pong":
            return Pong(_payload(message))
        case "subscribe":
            return Subscribe(_id(message), _request(message), len(frame))
        case "complete":
            return Complete(_id(message))
        case str(unknown):
            raise _malformed(f"Clients send no messages of the type '{unknown}'")
    raise _malformed("The message has no type")


def _payload(message: dict[str, Any]) -> Payload:
    payload = message.get("payload")
    if not isinstance(payload, dict | None):
        raise _malformed("The payload must be an object or null")
    return payload


def _id(message: dict[str, Any]) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _malformed("The id must be a non-empty string")
    if len(id_) > _ID_LENGTH:
        raise _malformed(f"The id has more than {_ID_LENGTH} characters")
    return id_


def _request(message: dict[str, Any]) -> GraphQLRequest:
    try:
        return parse_request(message.get("payload"))
    except RequestError as error:
        raise _malformed(str(error)) from None


def _malformed(reason: str) -> Closure:
    return Closure(4400, reason)


def connection_ack() -> bytes:
    return encode({"type": "connection_ack"})


def ping() -> bytes:
    return encode({"type": "ping"})


def pong(payload: Payload) -> bytes:
    return encode({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})


def next_(id_: str, response: bytes) -> bytes:
    """A result, which is JSON already."""
    return next_head(id_) + response + b"}"


def next_head(id_: str) -> bytes:
    """What stands before each result of an operation."""
    return b'{"id":%b,"type":"next","payload":' % encode(id_)


def error(id_: str, errors: list[dict[str, Any]]) -> bytes:
    return encode({"id": id_, "type": "error", "payload": errors})


def complete(id_: str) -> bytes:
    return encode({"id": id_, "type": "complete"})
