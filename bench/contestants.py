"""Who is measured: how each is started, and how its clients talk to it."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PEERS = ROOT / "bench" / "peers"

EDGE = "cursor node { id text sentAt sender { id username } }"
ALIASED = "cursor node { id text%NUMBER%: text sentAt sender { id username } }"
"""What no two subscribers ask for alike."""

_SEND = (
    "mutation Send($input: SendMessageInput!)"
    " { sendMessage(input: $input) { edge { cursor node { id sentAt } } } }"
)

Options = dict[str, str]
"""Of the load generator, by name."""


def graphql_body(query: str, variables: Mapping[str, object] | None = None) -> str:
    return json.dumps({"query": query, "variables": variables or {}})


@dataclass(frozen=True)
class GraphQL:
    """graphql-transport-ws, and mutations by POST."""

    has_operations: bool = True

    def subscribing(self, selection: str) -> Options:
        query = f'subscription {{ messageAdded(roomId: "room:%ROOM%") {{ {selection} }} }}'
        authorization = {"authorization": "Bearer %TOKEN%"}
        return {
            "subprotocol": "graphql-transport-ws",
            "hello": json.dumps({"type": "connection_init", "payload": authorization}),
            "await": "connection_ack",
            "subscribe": json.dumps(
                {"id": "%ID%", "type": "subscribe", "payload": {"query": query}}
            ),
        }

    def sending(self) -> Options:
        message = {"roomId": "room:%ROOM%", "text": "%TEXT%"}
        return {"body": graphql_body(_SEND, {"input": message})}


@dataclass(frozen=True)
class SocketIO:
    has_operations: bool = False

    def subscribing(self, selection: str) -> Options:
        return {
            "ws-path": "/socket.io/?EIO=4&transport=websocket",
            "hello": '40{"token":"%TOKEN%"}',
            "await": '40{"sid"',
            "subscribe": '42["join","room:%ROOM%"]',
        }

    def sending(self) -> Options:
        return _SENDING_PLAIN


@dataclass(frozen=True)
class Plain:
    has_operations: bool = False

    def subscribing(self, selection: str) -> Options:
        return {"ws-path": "/ws?room=%ROOM%&token=%TOKEN%"}

    def sending(self) -> Options:
        return _SENDING_PLAIN


_SENDING_PLAIN = {"http-path": "/send", "body": '{"roomId":"%ROOM%","text":"%TEXT%"}'}


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    talk: GraphQL | SocketIO | Plain = field(default_factory=GraphQL)

    @property
    def is_parley(self) -> bool:
        return self.name == "parley"

    def environment(self, store_url: str) -> dict[str, str]:
        """Nothing of ours but what a program needs to be found."""
        own = {"REDIS_ENDPOINT_URL" if self.is_parley else "REDIS_URL": store_url}
        return {**own, **self.env}


_PARLEY_ENV = {
    "PORT": "0",
    "DEMO_DATA": "false",
    "LOG_LEVEL": "warning",
    "RATE_LIMITS": "off",
    "PYTHONPATH": str(ROOT),
    "PYTHONUNBUFFERED": "1",
}
_CACHED = {"USER_CACHE": "1"}


_PARLEY = [sys.executable, "-m", "application"]


def workers(count: int) -> Contestant:
    """Parley as several processes."""
    command = [*_PARLEY, "serve", "--workers", str(count)]
    return Contestant("parley", f"Parley, {count} workers", command, _PARLEY_ENV)


def _node(
    name: str,
    title: str,
    script: str,
    talk: GraphQL | SocketIO | Plain | None = None,
    *,
    cached: bool = False,
) -> Contestant:
    env = {"NODE_ENV": "production", **(_CACHED if cached else {})}
    command = [shutil.which("node") or "node", str(_PEERS / script)]
    return Contestant(name, title, command, env, talk or GraphQL())


def _strawberry(name: str, title: str, env: Mapping[str, str]) -> Contestant:
    return Contestant(name, title, [sys.executable, str(_PEERS / "strawberry_peer.py")], env)


CONTESTANTS = (
    Contestant("parley", "Parley", _PARLEY, _PARLEY_ENV),
    _strawberry("strawberry", "Strawberry", {}),
    _strawberry("strawberry-cached", "Strawberry, caches", _CACHED),
    _node("mercurius", "Mercurius", "mercurius.mjs"),
    _node("mercurius-cached", "Mercurius, user cache", "mercurius.mjs", cached=True),
    _node("apollo-cached", "Apollo, user cache", "apollo.mjs", cached=True),
    _node("yoga-cached", "Yoga, user cache", "yoga.mjs", cached=True),
    _node("socketio", "Socket.IO¹", "socketio.mjs", talk=SocketIO()),
    _node("ws", "bare `ws`¹", "ws.mjs", talk=Plain()),
)
