"""Messages and the pages of a room's history."""

from datetime import datetime
from typing import Self

import strawberry

from schema.connection import Connection, Edge, page_size
from schema.context import Context, Info
from schema.node import Node
from schema.room import Room
from schema.scalars import date_time
from schema.user import User
from services import cursors, ids, models
from services.errors import BadUserInput


@strawberry.type(description="Something that somebody said in a room.")
class Message(Node):
    record: strawberry.Private[models.Message]
    text: str = strawberry.field(description="What was said: text, never markup.")
    client_message_id: str | None = strawberry.field(
        description="The idempotency key that its sender gave, the same for every viewer."
    )

    @classmethod
    def of(cls, record: models.Message) -> Self:
        return cls(
            id=strawberry.ID(ids.message_node_id(record.room_id, record.position)),
            record=record,
            text=record.text,
            client_message_id=record.client_message_id,
        )

    @strawberry.field(
        description="When it was sent: by the store's clock, or by its own server's for others.",
    )
    def sent_at(self) -> datetime:
        return date_time(self.record.sent_at)

    @strawberry.field(description="Where it was sent to.")
    async def room(self, info: Info) -> Room:
        room = await info.context.loaders.rooms.load(self.record.room_id)
        return Room.of(room or models.Room(self.record.room_id, None))

    @strawberry.field(description="Who sent it.")
    async def sender(self, info: Info) -> User:
        sender_id = self.record.sender_id
        user = await info.context.loaders.users.load(sender_id)
        # Other servers store messages of users that have no record.
        return User.of(user or models.User(sender_id, f"user {sender_id}"))


MessageEdge = Edge[Message]
MessageConnection = Connection[Message]


def message_edge(context: Context, record: models.Message) -> Edge[Message]:
    cursor = cursors.encode(record.score, record.position, context.chat.epoch)
    return MessageEdge(cursor=cursor, node=Message.of(record))


async def message_page(
    context: Context,
    viewer_id: str,
    room_id: str,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[Message]:
    """A page of a room's history. Raises NotFound for a room that the viewer may not see."""
    if first is not None and last is not None:
        raise BadUserInput("Ask for `first` or for `last`, not for both.", "last")
    size = {"first": page_size(first)} if first is not None else {"last": page_size(last, "last")}
    after_cursor = None if after is None else cursors.decode(after, "after")
    before_cursor = None if before is None else cursors.decode(before, "before")
    page = await context.chat.messages.page(
        viewer_id, room_id, **size, after=after_cursor, before=before_cursor
    )
    return MessageConnection.of(
        [message_edge(context, message) for message in page.messages],
        has_previous=page.has_previous,
        has_next=page.has_next,
    )
