"""Subscribers: whatever ends their subscription, they resume it where it stopped."""

import asyncio
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets import ConnectionClosed, Subprotocol, WebSocketException
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.callers import MESSAGE, Caller, pause, to_told
from tests.faults.ledger import Stream

EVENTS = f"""
    subscription($after: String) {{
      events(after: $after) {{ cursor ... on MessageAdded {{ edge {{ {MESSAGE} }} }} }}
    }}
"""
MESSAGE_ADDED = f"""
    subscription($room: ID, $after: String) {{
      messageAdded(roomId: $room, after: $after) {{ {MESSAGE} }}
    }}
"""

_OPEN_SECONDS = 3.0
_SESSION_ENDED = (4401, 4403)


class Subscriber:
    """Follows one subscription, on any server, from the last cursor that it has seen."""

    def __init__(
        self,
        caller: Caller,
        stream: Stream,
        document: str,
        *,
        room_id: str | None = None,
        receive_buffer: int | None = None,
        cursor: str | None = None,
    ) -> None:
        self.stream = stream
        self.is_connected = asyncio.Event()
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self.close_codes: list[int] = []
        self.receive_buffer = receive_buffer
        """Bytes that the kernel takes for a subscriber that does not read; None for very many."""
        self.cursor = cursor
        """Where to resume; None until the history was read."""
        self.expired_cursors = 0
        self._caller = caller
        self._token = ""
        self._document = document
        self._room_id = room_id

    async def run(self) -> None:
        while True:
            try:
                if self.cursor is None:
                    await self._reload()
                await self._follow()
            except ConnectionClosed as closed:
                await self._note_close(closed)
            except (OSError, WebSocketException, TimeoutError, _Interrupted):
                pass
            self.is_connected.clear()
            self._caller.turn()
            await pause()

    async def _reload(self) -> None:
        """Read the present moment, then the rooms as they are."""
        cursor = await self._caller.now()
        known = set()
        for room_id in self.stream.room_ids:
            known |= {message.key for message in await self._caller.history(room_id)}
        self.stream.reload(known)
        self.cursor = cursor

    async def _follow(self) -> None:
        async with connect(
            self._caller.url.replace("http", "ws", 1) + "/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            sock=await self._narrow_socket(),
            max_queue=16 if self.receive_buffer is None else 1,
            compression=None,
            # Who does not read does not ping, as browsers never do: to send anything on a socket
            # that the server has closed is answered by a reset, and the reason is lost.
            ping_interval=20 if self.receive_buffer is None else None,
            open_timeout=_OPEN_SECONDS,
            close_timeout=1,
        ) as connection:
            await self._subscribe(connection)
            self.is_connected.set()
            while True:
                await self.is_reading.wait()
                await self._handle(connection, orjson.loads(await connection.recv()))

    async def _narrow_socket(self) -> socket.socket | None:
        """A socket with a small buffer, which the kernel takes only before the connecting."""
        if self.receive_buffer is None:
            return None
        narrow = socket.socket()
        narrow.setblocking(False)
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        parts = urlsplit(self._caller.url)
        await asyncio.get_running_loop().sock_connect(narrow, (parts.hostname, parts.port))
        return narrow

    async def _subscribe(self, connection: ClientConnection) -> None:
        self._token = self._caller.account.token
        authorization = {"authorization": f"Bearer {self._token}"}
        variables = {"room": self._room_id, "after": self.cursor}
        payload = {"query": self._document, "variables": variables}
        await _send(connection, {"type": "connection_init", "payload": authorization})
        async with asyncio.timeout(_OPEN_SECONDS):
            acknowledgement = orjson.loads(await connection.recv())
        assert acknowledgement == {"type": "connection_ack"}
        await _send(connection, {"type": "subscribe", "id": "1", "payload": payload})

    async def _handle(self, connection: ClientConnection, message: dict[str, Any]) -> None:
        match message:
            case {"type": "ping"}:
                await _send(connection, {"type": "pong"})
            case {"type": "next", "payload": {"errors": errors}}:
                await self._fail(errors)
            case {"type": "next", "payload": {"data": data}}:
                self._take(data)
            case _:
                raise AssertionError(f"{self.stream.name} got {message}")

    def _take(self, data: dict[str, Any]) -> None:
        event = data.get("events", {})
        edge = data.get("messageAdded") or event.get("edge")
        if edge is not None:
            self.stream.take(to_told(edge), time.monotonic())
        # Presence has no cursor.
        self.cursor = (event or edge)["cursor"] or self.cursor

    async def _fail(self, errors: list[dict[str, Any]]) -> None:
        """End the connection. What failed to be told is told after the last cursor."""
        match errors[0]["extensions"]["code"]:
            case "CURSOR_EXPIRED":
                self.expired_cursors += 1
                self._caller.account.refusals.append(f"cursor {self.cursor} of {self.stream.name}")
                self.cursor = None
            case "UNAUTHENTICATED":
                await self._caller.account.renew(self._caller, self._token)
            case "NOT_FOUND":
                self._caller.account.refusals.append(f"the room of {self.stream.name}")
            case "UNAVAILABLE":
                pass
            case _:
                raise AssertionError(f"{self.stream.name} got {errors}")
        raise _Interrupted

    async def _note_close(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else 1006
        self.close_codes.append(code)
        if code in _SESSION_ENDED:
            await self._caller.account.renew(self._caller, self._token)


class _Interrupted(Exception):
    """The server has ended the subscription."""


async def _send(connection: ClientConnection, message: dict[str, Any]) -> None:
    await connection.send(orjson.dumps(message), text=True)
