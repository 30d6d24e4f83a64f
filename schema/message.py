"""Messages and the pages of a room's history."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

import strawberry

from execution.batching import batched
from schema.connection import Connection, Edge, page_size
from schema.context import Context
from schema.node import Node
from schema.room import Room
from schema.scalars import Moment
from schema.user import User
from services import cursors, ids, models
from services.errors import BadUserInput

_SHORT = 1_000
"""Characters up to which a message is kept in the process: ten thousand of them take 20 MB."""


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
            sent_at=Moment(record.sent_at),
        )

    sent_at: Moment = strawberry.field(
        description="When it was sent: by the store's clock, or by its own server's for others."
    )
    room: Room = batched(rooms_of_messages, description="Where it was sent to.")
    sender: User = batched(senders_of_messages, description="Who sent it.")


def message_edge(context: Context, record: models.Message) -> Edge[Message]:
    return _edge(record, context.chat.epoch)


def live_edge(context: Context, event: models.MessageEvent) -> Edge[Message]:
    """Of a message that is being told: resuming after it repeats what may not have been told."""
    edge = _edge(event.message, context.chat.epoch)
    if event.doubt:
        return Edge(cursor=cursors.doubtful(edge.cursor, event.doubt), node=edge.node)
    return edge


def _edge(record: models.Message, epoch: str) -> Edge[Message]:
    """The same for everybody; kept, as the newest pages are read again and again."""
    make = _kept_edge if len(record.text) <= _SHORT else _new_edge
    return make(record, epoch)


def _new_edge(record: models.Message, epoch: str) -> Edge[Message]:
    cursor = cursors.encode(record.score, record.position, epoch)
    return Edge(cursor=cursor, node=Message.of(record))


_kept_edge = lru_cache(maxsize=10_000)(_new_edge)


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
    epoch = context.chat.epoch
    edges = [_edge(record, epoch) for record in page.messages]
    return Connection(edges=edges, has_previous=page.has_previous, has_next=page.has_next)
