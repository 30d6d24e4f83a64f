"""Rooms."""

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from execution.batching import batched
from execution.marks import DEPENDS_ON_VIEWER
from schema.connection import Connection, Edge, decode_cursor, encode_cursor, page_size
from schema.context import Context, Info
from schema.node import Node
from schema.user import After, First, User, after_user, user_connection
from services import ids, models

if TYPE_CHECKING:
    from schema.message import Message


@strawberry.enum(description="Who may see a room.")
class RoomKind(Enum):
    PUBLIC = strawberry.enum_value(
        "PUBLIC", description="Everybody who is logged in, and the bots that were added to it."
    )
    PRIVATE = strawberry.enum_value("PRIVATE", description="Its two members only.")


LazyMessage = Annotated["Message", strawberry.lazy("schema.message")]
FirstOf = Annotated[
    int | None,
    strawberry.argument(description="How many items from the beginning, from 1 to 100."),
]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="How many items from the end, from 1 to 100; 50 without `first`."
    ),
]
Before = Annotated[str | None, strawberry.argument(description="End before this cursor.")]


async def members_of_rooms(
    context: Context, rooms: Sequence["Room"], first: First = None, after: After = None
) -> list[Connection[User]]:
    context.check_may_read()
    records = [room.record for room in rooms]
    pages = await context.chat.rooms.members_many(records, after_user(after), page_size(first))
    return [user_connection(users, after, more) for users, more in pages]


async def last_messages_of_rooms(
    context: Context, rooms: Sequence["Room"]
) -> list["Message | None"]:
    from schema.message import message_edge

    context.check_may_read()
    records = await context.chat.messages.last_many([room.record.id for room in rooms])
    return [None if record is None else message_edge(context, record).node for record in records]


@strawberry.type(description="A place where messages are sent to.")
class Room(Node):
    record: strawberry.Private[models.Room]
    name: str | None = strawberry.field(description="What it is called; null for a private room.")
    kind: RoomKind = strawberry.field(description="Who may see it.")

    @classmethod
    def of(cls, record: models.Room) -> Self:
        return cls(
            id=strawberry.ID(ids.room_node_id(record.id)),
            record=record,
            name=record.name,
            kind=RoomKind.PRIVATE if record.is_private else RoomKind.PUBLIC,
        )

    members: Connection[User] = batched(
        members_of_rooms, description="Who is in it, in the order of registration."
    )

    @strawberry.field(
        metadata=DEPENDS_ON_VIEWER,
        description="Its messages, oldest to newest; the last 50 if neither end is asked for.",
    )
    async def messages(
        self,
        info: Info,
        first: FirstOf = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LazyMessage]:
        from schema.message import message_page

        viewer = await info.context.reader()
        return await message_page(
            info.context, viewer.user_id, self.record.id, first, after, last, before
        )

    last_message: LazyMessage | None = batched(
        last_messages_of_rooms, description="Its newest message; null while there is none."
    )


def after_room(after: str | None) -> str | None:
    """The id after which a list of rooms begins."""
    return None if after is None else decode_cursor(after, ids.is_room_id)


def room_connection(rooms: list[models.Room], after: str | None, more: bool) -> Connection[Room]:
    edges = list(map(_edge, rooms))
    return Connection(edges=edges, has_previous=after is not None, has_next=more)


@lru_cache(maxsize=10_000)
def _edge(record: models.Room) -> Edge[Room]:
    return Edge(cursor=encode_cursor(record.id), node=Room.of(record))
