"""How sockets are closed by the server as it runs: each code of graphql-transport-ws but that of a
late init, which takes ten seconds (see `tests/unit/transports/test_websocket.py`)."""

from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode

from tests.api.client import User
from tests.api.conftest import Visitor
from tests.unit.transports.sockets import PROTOCOL, closed, hear, subscribe, tell

SILENT = "subscription { roomAdded { id } }"


async def code_after(url: str, *messages: Any, protocols: Any = PROTOCOL) -> int | None:
    """The code with which the server closes a socket that has sent these."""
    async with connect(f"{url}/graphql", subprotocols=protocols) as socket:
        for message in messages:
            await (socket.send(message) if isinstance(message, str) else tell(socket, message))
        code, reason = await closed(socket)
        assert reason
        return code


async def test_each_close_code(visitor: Visitor, server_url: str) -> None:
    url = server_url.replace("http", "ws", 1)
    init = {"type": "connection_init"}
    silent = {"id": "1", "type": "subscribe", "payload": {"query": "{ me { id } }"}}
    bad = {"type": "connection_init", "payload": {"authorization": "Bearer nonsense"}}
    assert await code_after(url, "nonsense") == 4400
    assert await code_after(url, init, {"type": "start", "id": "1", "payload": {}}) == 4400
    assert await code_after(url, silent) == 4401
    assert await code_after(url, bad) == 4403
    assert await code_after(url, protocols=["graphql-ws"]) == 4406
    assert await code_after(url, protocols=None) == 4406
    assert await code_after(url, init, init) == 4429
    pablo = await visitor().log_in("Pablo")
    async with connect(f"{url}/graphql", subprotocols=PROTOCOL) as socket:
        await open_session(socket, pablo)
        await subscribe(socket, "1", SILENT)
        await subscribe(socket, "1", SILENT)
        assert await closed(socket) == (4409, "Subscriber for 1 already exists")


async def test_what_is_no_message_at_all(server_url: str) -> None:
    """RFC 6455 has codes of its own for these."""
    url = f"{server_url.replace('http', 'ws', 1)}/graphql"
    async with connect(url, subprotocols=PROTOCOL) as socket:
        socket.transport.write(Frame(Opcode.TEXT, b'{"type":"\xff"}').serialize(mask=True))
        assert (await closed(socket))[0] == 1007
    async with connect(url, subprotocols=PROTOCOL) as socket:
        await socket.send(" " * 300_000)
        assert (await closed(socket))[0] == 1009


async def test_a_session_that_ends_closes_the_socket(visitor: Visitor, server_url: str) -> None:
    pablo = await visitor().log_in("Pablo")
    url = server_url.replace("http", "ws", 1)
    async with connect(f"{url}/graphql", subprotocols=PROTOCOL) as socket:
        await open_session(socket, pablo)
        await subscribe(socket, "1", SILENT)
        await pablo("mutation { logout { user { id } } }")
        assert await closed(socket) == (4401, "logged out")


async def open_session(socket: ClientConnection, user: User) -> None:
    payload = {"authorization": f"Bearer {user.token}"}
    await tell(socket, {"type": "connection_init", "payload": payload})
    assert (await hear(socket))["type"] == "connection_ack"
