"""Messages and the pages of a room's history."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

import strawberry

from execution.batching import batched
from schema.connection import Connection, Edge, Page, page_size
from schema.context import Context
from schema.node import Node
from schema.room import Room
from schema.scalars import date_time
from schema.user import User
from services import cursors, ids, models
from services.errors import BadUserInput


async def rooms_of_messages(context: Context, messages: Sequence["Message"]) -> list[Room]:
    rooms = await context.loaders.rooms(message.record.room_id for message in messages)
    made = {id_: Room.of(room or models.Room(id_, None)) for id_, room in rooms.items()}
    return [made[message.record.room_id] for message in messages]


async def senders_of_messages(context: Context, messages: Sequence["Message"]) -> list[User]:
    users = await context.loaders.users(message.record.sender_id for message in messages)
    # Other servers store messages of users that have no record.
    made = {id_: User.of(user or models.User(id_, f"user {id_}")) for id_, user in users.items()}
    return [made[message.record.sender_id] for message in messages]


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
            sent_at=date_time(record.sent_at),
        )

    sent_at: datetime = strawberry.field(
        description="When it was sent: by the store's clock, or by its own server's for others."
    )
    room: Room = batched(rooms_of_messages, description="Where it was sent to.")
    sender: User = batched(senders_of_messages, description="Who sent it.")


def message_edge(context: Context, record: models.Message) -> Edge[Message]:
    return Edge(cursor=message_cursors(context)(record), node=Message.of(record))


def message_cursors(context: Context) -> Callable[[models.Message], str]:
    epoch = context.chat.epoch
    return lambda record: cursors.encode(record.score, record.position, epoch)


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
    return Connection(
        page=Page(
            page.messages,
            node=Message.of,
            cursor=message_cursors(context),
            has_previous=page.has_previous,
            has_next=page.has_next,
        )
    )
