"""A chat in memory, with the part of the services that the schema asks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, cast

import graphql

from resolvers.root import build_schema
from schema.context import Context
from schema.errors import format_error
from services.chat import Chat
from services.cursors import Cursor
from services.errors import NotFound
from services.models import Event, Message, MessagePage, Presence, Room, Session, User

EPOCH = "0000cafe"
SCHEMA = build_schema()._schema
SESSION = Session("1", "hash", 4_000_000_000.0)
TOKEN = f"1.{'a' * 43}"


class FakeChat:
    """Users 1 to 5, the public room 0, the private rooms 1:2 and 2:3, ten messages in room 0."""

    def __init__(self) -> None:
        self.user_records = {str(number): User(str(number), f"u{number}") for number in range(1, 6)}
        self.messages_of = {"0": [_message("0", number) for number in range(1, 11)]}
        self.asked: list[tuple[str, Any]] = []
        self.presence_delay = 0.0
        self.page_failure: Exception | None = None
        self.end_failure: Exception | None = None
        self.ended = False
        self.events: list[Event] = []

    def in_services(self) -> Chat:
        return cast(
            Chat,
            SimpleNamespace(
                epoch=EPOCH,
                users=SimpleNamespace(find_many=self.find_users, page=self.page_of_users),
                presence=SimpleNamespace(many=self.presences),
                rooms=SimpleNamespace(
                    get_many=self.get_rooms,
                    visible=self.visible,
                    visible_many=self.visible_many,
                    members_many=self.members_many,
                    page_of_user=self.page_of_user,
                ),
                messages=SimpleNamespace(
                    last_many=self.last_many, page=self.page, get=self.get, send=self.send
                ),
                hub=SimpleNamespace(subscribe=self.subscribe),
                sessions=SimpleNamespace(resolve=self.resolve, end=self.end),
            ),
        )

    async def resolve(self, token: str, counted: Collection[str] = ()) -> Session | None:
        await asyncio.sleep(0.01)
        return None

    async def end(self, session: Session) -> None:
        if self.end_failure is not None:
            raise self.end_failure
        self.ended = True

    async def subscribe(
        self, user_id: str, kinds: object, *, room_id: str | None, after: Cursor | None
    ) -> AsyncGenerator[Event]:
        for event in self.events:
            yield event

    async def find_users(self, ids: Collection[str]) -> dict[str, User]:
        self.asked.append(("users", list(ids)))
        return {id_: self.user_records[id_] for id_ in ids if id_ in self.user_records}

    async def page_of_users(
        self, after_id: int, first: int, online: bool | None
    ) -> tuple[list[User], bool]:
        users = [user for user in self.user_records.values() if int(user.id) > after_id]
        return users[:first], len(users) > first

    async def members_many(
        self, rooms: Sequence[Room], after_id: int, first: int
    ) -> list[tuple[list[User], bool]]:
        return [await self.page_of_users(after_id, first, None) for _ in rooms]

    async def presences(self, ids: Sequence[str]) -> list[Presence]:
        await asyncio.sleep(self.presence_delay)
        return [Presence(user_id == "1", None) for user_id in ids]

    async def get_rooms(self, ids: Sequence[str]) -> list[Room | None]:
        return [
            None if room_id == "7" else Room(room_id, "General" if room_id == "0" else None)
            for room_id in ids
        ]

    async def visible_many(self, user_id: str, ids: Sequence[str]) -> list[Room | None]:
        self.asked.append(("visible", list(ids)))
        rooms = await self.get_rooms(ids)
        return [
            room if room and (room.id == "0" or user_id in room.id.split(":")) else None
            for room in rooms
        ]

    async def visible(self, user_id: str, room_id: str) -> Room:
        (room,) = await self.visible_many(user_id, [room_id])
        if room is None:
            raise NotFound("There is no such room.")
        return room

    async def page_of_user(
        self, user_id: str, after_room_id: str | None, first: int
    ) -> tuple[list[Room], bool]:
        rooms = [Room("0", "General"), Room("1:2", None)]
        left = rooms if after_room_id is None else rooms[1:] if after_room_id == "0" else []
        return left[:first], len(left) > first

    async def last_many(self, room_ids: Sequence[str]) -> list[Message | None]:
        return [self.messages_of.get(room_id, [None])[-1] for room_id in room_ids]

    async def get(self, user_id: str, room_id: str, position: int) -> Message | None:
        await self.visible(user_id, room_id)
        found = [each for each in self.messages_of.get(room_id, []) if each.position == position]
        return found[0] if found else None

    async def send(self, user_id: str, room: Room, text: str, key: str | None) -> Message:
        return Message(room.id, user_id, text, 11, 0.000011, key)

    async def page(
        self,
        user_id: str,
        room_id: str,
        *,
        first: int | None = None,
        after: Cursor | None = None,
        last: int | None = None,
        before: Cursor | None = None,
    ) -> MessagePage:
        if self.page_failure is not None:
            await asyncio.sleep(0.02)
            raise self.page_failure
        await self.visible(user_id, room_id)
        everything = self.messages_of.get(room_id, [])
        inner = [
            message
            for message in everything
            if (after is None or message.position > after.position)
            and (before is None or message.position < before.position)
        ]
        page = inner[:first] if first is not None else inner[-(last or 0) :]
        return MessagePage(
            page,
            has_previous=bool(page) and page[0] is not everything[0],
            has_next=bool(page) and page[-1] is not everything[-1],
        )


def _message(room_id: str, position: int) -> Message:
    # The sender of the last one has no record.
    sender = "99" if position == 10 else "1"
    return Message(room_id, sender, f"text {position}", position, position / 1e6, None)


class FakeCookies:
    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.calls: list[tuple[str, ...]] = []

    def set(self, token: str, expires_at: float) -> None:
        self.calls.append(("set", token))

    def clear(self) -> None:
        self.calls.append(("clear",))


def context_of(
    chat: FakeChat, *, session: Session | None = SESSION, token: str | None = None
) -> Context:
    return Context(chat.in_services(), session=session, token=token)


class Answer:
    """What an operation gave: its data, and its errors as a caller sees them."""

    def __init__(self, result: graphql.ExecutionResult) -> None:
        self.data: Any = result.data
        self.errors = [format_error(error) for error in result.errors or []]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def fields(self) -> list[str | None]:
        return [error["extensions"].get("field") for error in self.errors]


async def execute(
    context: Context, document: str, variables: Mapping[str, Any] | None = None
) -> Answer:
    result = graphql.execute(
        SCHEMA,
        graphql.parse(document),
        context_value=context,
        variable_values=dict(variables or {}),
    )
    if not isinstance(result, graphql.ExecutionResult):
        result = await result
    return Answer(result)


async def follow(context: Context, document: str) -> list[Answer]:
    """The answers of a subscription until its stream ends; raises what the stream raises."""
    stream = graphql.subscribe(SCHEMA, graphql.parse(document), context_value=context)
    if isawaitable(stream):
        stream = await stream
    if isinstance(stream, graphql.ExecutionResult) and stream.errors:
        raise stream.errors[0].original_error or stream.errors[0]
    assert isinstance(stream, AsyncIterator)
    return [Answer(result) async for result in stream]
