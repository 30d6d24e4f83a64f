"""Mirrors a room to standard output, one message a line, as JSON.

    PARLEY_TOKEN=… python bridge.py room:0 | …

The place of the last line is kept in a file, and what was said meanwhile comes first. Should the
bridge itself be killed just after a line, that line comes again: `id` says so.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("PARLEY_URL", "ws://localhost:8000/graphql")
TOKEN = os.environ["PARLEY_TOKEN"]
PLACE = Path(os.environ.get("PARLEY_STATE", "bridge.cursor"))

PRESENT = GraphQLRequest("{ eventCursor }")
MESSAGES = """subscription($roomId: ID!, $after: String) {
    messageAdded(roomId: $roomId, after: $after) {
        cursor node { id sentAt text sender { username isBot } } } }"""


def keep(cursor: str) -> None:
    """All of it or nothing, however this ends."""
    PLACE.with_suffix(".new").write_text(cursor)
    PLACE.with_suffix(".new").replace(PLACE)


async def follow(session: Any, room_id: str) -> None:
    if not PLACE.exists():
        keep((await session.execute(PRESENT))["eventCursor"])
    variables = {"roomId": room_id, "after": PLACE.read_text()}
    async for data in session.subscribe(GraphQLRequest(MESSAGES, variable_values=variables)):
        edge = data["messageAdded"]
        print(json.dumps(edge["node"], ensure_ascii=False), flush=True)
        keep(edge["cursor"])


async def main(room_id: str) -> None:
    while True:
        socket = WebsocketsTransport(
            URL,
            init_payload={"authorization": f"Bearer {TOKEN}"},
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        )
        try:
            async with Client(transport=socket) as session:
                await follow(session, room_id)
        except (TransportError, OSError) as error:
            if any(code in f"{error.__cause__}" for code in ("4401", "4403")):
                sys.exit("The token does not hold any more.")
            if isinstance(error, TransportQueryError) and "NOT_FOUND" in str(error):
                sys.exit(f"The bot is not in {room_id}.")
            if "CURSOR_EXPIRED" in str(error):
                PLACE.unlink()  # The store has lost what came after: on from the present.
            print(f"Trying again: {error}", file=sys.stderr)
            await asyncio.sleep(1)


asyncio.run(main(sys.argv[1]))
