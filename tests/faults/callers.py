"""Clients of the API as they should be: patient with every server, and never sending twice."""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

import httpx

from application.loadtest.ledger import Told
from services.cursors import decode
from tests.api.client import ACCEPT, Failed

GENERAL = "room:0"
PRIVATE = "room:1:2"
"""Of Pablo and Joe, and as lively as General."""
QUIET = "room:3:4"
"""Of Mary and Alex, who use it only where a scenario says so."""

ROOMS = {
    "Pablo": (GENERAL, PRIVATE),
    "Joe": (GENERAL, PRIVATE),
    "Mary": (GENERAL, QUIET),
    "Alex": (GENERAL, QUIET),
}

MESSAGE = "cursor node { id text clientMessageId room { id } sender { username } }"
_PATIENCE = httpx.Timeout(3.0, pool=None)
_PAGE = 100


class Account:
    """A user who is logged in, on all servers at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = ""
        self.refusals: list[str] = []
        """Sessions, rooms and cursors that were gone, as they are when the store has lost data."""
        self._renewing = asyncio.Lock()

    async def log_in(self, caller: "Caller") -> None:
        self.token = ""
        data = await caller.insist(
            "mutation($input: LoginInput!) { login(input: $input) { token } }",
            input={"username": self.name, "password": "password123"},
        )
        self.token = data["login"]["token"]

    async def renew(self, caller: "Caller", refused: str) -> None:
        """Log in again, unless somebody has done so since the token was refused."""
        async with self._renewing:
            if self.token == refused:
                self.refusals.append(f"a session of {self.name}")
                await self.log_in(caller)


class Caller:
    """A client of an account. Where one server fails it turns to the next."""

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str], account: Account) -> None:
        self.account = account
        self._http = http
        self._urls = urls
        self._turn = random.randrange(len(urls))

    @property
    def url(self) -> str:
        return self._urls[self._turn % len(self._urls)]

    def turn(self) -> None:
        self._turn += 1

    async def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """Ask once. Raises Failed, or httpx.TransportError when there is no answer."""
        headers = {"accept": ACCEPT}
        if self.account.token:
            headers["authorization"] = f"Bearer {self.account.token}"
        response = await self._http.post(
            f"{self.url}/graphql",
            json={"query": document, "variables": variables},
            headers=headers,
            timeout=_PATIENCE,
        )
        body = response.json()
        if body.get("errors"):
            raise Failed(body["errors"])
        data: dict[str, Any] = body["data"]
        return data

    async def insist(self, document: str, **variables: Any) -> dict[str, Any]:
        """Ask until there is an answer; every attempt says the same."""
        data, _ = await self.insist_since(document, **variables)
        return data

    async def insist_since(self, document: str, **variables: Any) -> tuple[dict[str, Any], float]:
        """As `insist`, with the moment when the attempt began that was answered."""
        while True:
            token, began = self.account.token, time.monotonic()
            try:
                return await self.ask(document, **variables), began
            except httpx.TransportError:
                pass
            except Failed as failed:
                (code,) = set(failed.codes)
                if code == "NOT_FOUND":
                    self.account.refusals.append(f"{variables}, of {self.account.name}")
                # Without a token it was a log-in: the accounts are gone, and may come back.
                elif code == "UNAUTHENTICATED" and token:
                    await self.account.renew(self, token)
                elif code not in ("UNAUTHENTICATED", "UNAVAILABLE"):
                    raise
            self.turn()
            await pause()

    async def send(self, room_id: str, key: str, text: str) -> tuple[str, float]:
        """The id of the message, and when the attempt began that was answered."""
        data, began = await self.insist_since(
            "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }",
            input={"roomId": room_id, "text": text, "clientMessageId": key},
        )
        return str(data["sendMessage"]["message"]["id"]), began

    async def now(self) -> str:
        data = await self.insist("{ eventCursor }")
        return str(data["eventCursor"])

    async def history(self, room_id: str) -> list[Told]:
        """The whole of a room's messages, page by page."""
        found: list[Told] = []
        after = None
        while True:
            data = await self.insist(
                "query($room: ID!, $first: Int, $after: String)"
                " { messages(roomId: $room, first: $first, after: $after)"
                f" {{ edges {{ {MESSAGE} }} pageInfo {{ hasNextPage endCursor }} }} }}",
                room=room_id,
                first=_PAGE,
                after=after,
            )
            page = data["messages"]
            found += [to_told(edge) for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def to_told(edge: dict[str, Any]) -> Told:
    node = edge["node"]
    return Told(
        key=node["clientMessageId"] or node["text"],
        room_id=node["room"]["id"],
        message_id=node["id"],
        position=decode(edge["cursor"], "cursor").position,
    )


async def pause() -> None:
    """Before the next attempt; not all clients at the same moment."""
    await asyncio.sleep(random.uniform(0.03, 0.1))
