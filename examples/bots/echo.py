"""Says again what people say in the rooms of the bot.

    PARLEY_TOKEN=… python echo.py

The place of the last message that was answered is kept in a file. What is said while the bot or the
server is away is answered later, and nothing is answered twice.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("PARLEY_URL", "ws://localhost:8000/graphql")
TOKEN = os.environ["PARLEY_TOKEN"]
PLACE = Path(os.environ.get("PARLEY_STATE", "echo.cursor"))

PRESENT = GraphQLRequest("{ eventCursor }")
MESSAGES = """subscription($after: String) { messageAdded(after: $after) {
    cursor node { id text room { id } sender { isBot } } } }"""
SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }"


def keep(cursor: str) -> None:
    """All of it or nothing, however this ends."""
    PLACE.with_suffix(".new").write_text(cursor)
    PLACE.with_suffix(".new").replace(PLACE)


async def answer(session: Any, message: dict[str, Any]) -> None:
    if message["sender"]["isBot"]:
        return  # Two that echo each other would never end.
    # One message, one key: an answer that is sent again is no second one.
    key = f"echo {message['id']}"
    input = {"roomId": message["room"]["id"], "text": message["text"], "clientMessageId": key}
    try:
        await session.execute(GraphQLRequest(SEND, variable_values={"input": input}))
    except TransportQueryError as error:
        if "NOT_FOUND" not in str(error):  # It was taken out of the room.
            raise  # As of all else, it is tried again.


async def follow(session: Any) -> None:
    if not PLACE.exists():
        keep((await session.execute(PRESENT))["eventCursor"])
    request = GraphQLRequest(MESSAGES, variable_values={"after": PLACE.read_text()})
    async for data in session.subscribe(request):
        edge = data["messageAdded"]
        await answer(session, edge["node"])
        keep(edge["cursor"])


async def main() -> None:
    while True:
        socket = WebsocketsTransport(
            URL,
            init_payload={"authorization": f"Bearer {TOKEN}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        try:
            async with Client(transport=socket) as session:
                await follow(session)
        except (TransportError, OSError) as error:
            if any(code in f"{error.__cause__}" for code in ("4401", "4403")):
                sys.exit("The token does not hold any more.")
            if "CURSOR_EXPIRED" in str(error):
                PLACE.unlink()  # The store has lost what came after: on from the present.
            print(f"Trying again: {error}", file=sys.stderr)
            await asyncio.sleep(1)


asyncio.run(main())
