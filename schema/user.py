"""Users."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from schema.connection import Connection, Edge, decode_cursor, forward_page, page_size
from schema.context import Context, Info
from schema.node import Node
from schema.scalars import date_time
from services import ids, models


@strawberry.type(description="Somebody with an account, on this server or another one.")
class User(Node):
    record: strawberry.Private[models.User]
    username: str = strawberry.field(description="The unique name.")

    @classmethod
    def of(cls, record: models.User) -> Self:
        node_id = strawberry.ID(ids.user_node_id(record.id))
        return cls(id=node_id, record=record, username=record.username)

    @strawberry.field(description="Whether the user has a connection to any server.")
    async def online(self, info: Info) -> bool:
        return (await info.context.loaders.presence.load(self.record.id)).online

    @strawberry.field(
        description="When the user was last online; null while online and if never seen.",
    )
    async def last_seen_at(self, info: Info) -> datetime | None:
        seen = (await info.context.loaders.presence.load(self.record.id)).last_seen_at
        return None if seen is None else date_time(seen)


UserEdge = Edge[User]
UserConnection = Connection[User]

First = Annotated[
    int | None, strawberry.argument(description="How many items, from 1 to 100; 50 by default.")
]
After = Annotated[str | None, strawberry.argument(description="Begin after this cursor.")]


def after_user(after: str | None) -> int:
    """The id after which a list of users begins."""
    return 0 if after is None else int(decode_cursor(after, ids.is_user_id))


def user_connection(users: list[models.User], after: str | None, more: bool) -> Connection[User]:
    return forward_page(
        UserConnection,
        UserEdge,
        users,
        User.of,
        lambda user: user.id,
        has_previous=after is not None,
        has_next=more,
    )


async def members_of(
    context: Context, room: models.Room, first: int | None, after: str | None
) -> Connection[User]:
    users, more = await context.chat.rooms.members(room, after_user(after), page_size(first))
    return user_connection(users, after, more)
