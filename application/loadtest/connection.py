"""One client of the API: a WebSocket with the subprotocol graphql-transport-ws."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from websockets import ConnectionClosed, Subprotocol, WebSocketException
from websockets.asyncio.client import ClientConnection, connect

from services.errors import OperatorError

_OPEN_SECONDS = 10
_LARGEST = 1 << 20

Took = Callable[[dict[str, Any]], None]


class Refused(OperatorError):
    """The server has answered with an error; `code` is its."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"The server refuses: {code}: {message}")
        self.code = code


class Connection:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = map(str, itertools.count(1))
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._followed: dict[str, Took] = {}
        self.failure: Exception | None = None
        """What has ended the connection or one of its subscriptions."""

    async def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The data of the answer. Raises Refused, OperatorError when the connection ends."""
        name = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        await self._subscribe(name, document, variables)
        return await answer

    async def follow(self, take: Took, document: str, **variables: object) -> None:
        """Subscribe; `take` gets the data of each event."""
        name = next(self._ids)
        self._followed[name] = take
        await self._subscribe(name, document, variables)

    async def _subscribe(self, name: str, document: str, variables: dict[str, object]) -> None:
        payload = {"query": document, "variables": variables}
        try:
            await self.say({"type": "subscribe", "id": name, "payload": payload})
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def say(self, message: dict[str, object]) -> None:
        await self._socket.send(orjson.dumps(message), text=True)

    async def listen(self) -> None:
        """Read until the connection ends."""
        try:
            async for text in self._socket:
                await self._handle(orjson.loads(text))
            self._fail(OperatorError("The server has closed a connection."))
        except ConnectionClosed as closed:
            self._fail(_ended(closed))
        except Exception as error:
            # What has come cannot be taken: nobody shall wait for more.
            self._fail(error)
            await self._socket.close()

    async def _handle(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "ping"}:
                await self.say({"type": "pong"})
            case {"type": "next", "id": name, "payload": payload}:
                self._take(name, payload.get("data"), payload.get("errors"))
            case {"type": "error", "id": name, "payload": errors}:
                self._take(name, None, errors)

    def _take(self, name: str, data: dict[str, Any] | None, errors: list[dict[str, Any]]) -> None:
        refused = None
        if errors:
            code = errors[0].get("extensions", {}).get("code", "?")
            refused = Refused(code, errors[0]["message"])
        if (answer := self._answers.pop(name, None)) is not None:
            if not answer.done():
                answer.set_exception(refused) if refused else answer.set_result(data or {})
        elif refused:
            self.failure = refused
        elif data is not None:
            self._followed[name](data)

    def _fail(self, reason: Exception) -> None:
        self.failure = reason
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(reason)
                answer.exception()  # Whoever asked may have been told already, by the socket.


@asynccontextmanager
async def connected(url: str, token: str | None = None) -> AsyncIterator[Connection]:
    """A connection to the server at `http://host:port`; OperatorError when there is none."""
    address = url.rstrip("/").replace("http", "ws", 1) + "/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    try:
        socket = await connect(
            address,
            subprotocols=protocols,
            compression=None,
            max_size=_LARGEST,
            open_timeout=_OPEN_SECONDS,
        )
    except (OSError, WebSocketException, ValueError) as error:
        raise OperatorError(f"There is no server of Parley at {url}: {error}.") from error
    async with socket:
        connection = Connection(socket)
        payload = {"authorization": f"Bearer {token}"} if token else {}
        try:
            await connection.say({"type": "connection_init", "payload": payload})
            async with asyncio.timeout(_OPEN_SECONDS):
                answer = orjson.loads(await socket.recv())
        except ConnectionClosed as closed:
            raise _ended(closed) from closed
        except TimeoutError:
            raise OperatorError(f"The server at {url} does not answer.") from None
        if answer.get("type") != "connection_ack":
            raise OperatorError(f"The server at {url} answers {answer}.")
        listening = asyncio.create_task(connection.listen())
        try:
            yield connection
        finally:
            listening.cancel()


def _ended(closed: ConnectionClosed) -> OperatorError:
    if closed.rcvd is None:
        return OperatorError("The server has dropped a connection.")
    return OperatorError(
        f"The server has closed a connection: {closed.rcvd.code} {closed.rcvd.reason}."
    )
