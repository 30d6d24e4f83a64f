"""Reminds people: `/remind 10 minutes Tea is ready` is said again ten minutes later.

    PARLEY_TOKEN=… python remind.py

What falls due while the bot or the server is away is said later, and nothing is said twice.
"""

import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("PARLEY_URL", "ws://localhost:8000/graphql")
INIT = {"authorization": f"Bearer {os.environ['PARLEY_TOKEN']}"}
FILE = Path(os.environ.get("PARLEY_STATE", "remind.json"))
EVENTS = """subscription($after: String) { events(after: $after) { cursor ... on MessageAdded {
    edge { node { id text sentAt room { id } sender { username isBot } } } } } }"""
SEND = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }"
COMMAND = re.compile(r"/remind (\d{1,4}) (second|minute|hour|day)s? (.+)", re.DOTALL)


def keep(state: dict[str, Any]) -> None:
    FILE.with_suffix(".new").write_text(json.dumps(state))
    FILE.with_suffix(".new").replace(FILE)  # All of it or nothing, however this ends.


async def listen(session: Any, state: dict[str, Any]) -> None:
    request = GraphQLRequest(EVENTS, variable_values={"after": state["cursor"]})
    async for data in session.subscribe(request):
        message = data["events"].get("edge", {}).get("node", {"text": ""})
        if (found := COMMAND.fullmatch(message["text"])) and not message["sender"]["isBot"]:
            delay = timedelta(**{f"{found[2]}s": int(found[1])})
            at = (datetime.fromisoformat(message["sentAt"]) + delay).isoformat()
            due = {"clientMessageId": f"remind {message['id']}"}  # Sent again, it is no second one.
            due["text"] = f"{message['sender']['username']}: {found[3]}"[:4000]
            state["due"].append([at, due | {"roomId": message["room"]["id"]}])
        state["cursor"] = data["events"]["cursor"] or state["cursor"]
        keep(state)


async def remind(session: Any, state: dict[str, Any]) -> None:
    while True:
        for due in [each for each in state["due"] if each[0] <= datetime.now(UTC).isoformat()]:
            try:
                await session.execute(GraphQLRequest(SEND, variable_values={"input": due[1]}))
            except TransportQueryError as error:
                if "NOT_FOUND" not in str(error):
                    raise  # Of a room that it was taken out of, there is nothing to say.
            state["due"].remove(due)
            keep(state)
        await asyncio.sleep(0.5)


async def main() -> None:
    state = json.loads(FILE.read_text()) if FILE.exists() else {"cursor": None, "due": []}
    causes = ""
    while "4401" not in causes and "4403" not in causes:
        socket = WebsocketsTransport(URL, init_payload=INIT, subprotocols=["graphql-transport-ws"])
        try:
            async with Client(transport=socket) as session, asyncio.TaskGroup() as both:
                both.create_task(listen(session, state))
                both.create_task(remind(session, state))
        except* (TransportError, OSError) as error:
            causes = f"{[each.__cause__ for each in error.exceptions]}"
            if "CURSOR_EXPIRED" in str(error.exceptions):
                state["cursor"] = None  # The store has lost what came after: on from the present.
            print(f"Cut off: {error.exceptions}", file=sys.stderr)
        await asyncio.sleep(1)
    sys.exit("The token does not hold any more.")


asyncio.run(main())
