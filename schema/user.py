"""Users."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Self

import strawberry

from execution.batching import batched
from schema.connection import Connection, Edge, decode_cursor, encode_cursor
from schema.context import Context
from schema.node import Node
from schema.scalars import Moment
from services import ids, models

_FEW = 2
"""Users up to which a connection is kept: those of a private room, of which lists have many."""


async def online_of_users(context: Context, users: Sequence["User"]) -> list[bool]:
    presence = await context.loaders.presence(user.record.id for user in users)
    return [presence[user.record.id].online for user in users]


async def last_seen_of_users(context: Context, users: Sequence["User"]) -> list[Moment | None]:
    presence = await context.loaders.presence(user.record.id for user in users)
    seen = [presence[user.record.id].last_seen_at for user in users]
    return [None if moment is None else Moment(moment) for moment in seen]


@strawberry.type(
    description="Somebody with an account, on this server or another one; or somebody's bot."
)
class User(Node):
    record: strawberry.Private[models.User]
    username: str = strawberry.field(description="The unique name.")
    is_bot: bool = strawberry.field(description="Whether it is a program: show it with the name.")

    @classmethod
    @lru_cache(maxsize=10_000)
    def of(cls, record: models.User) -> Self:
        node_id = strawberry.ID(ids.user_node_id(record.id))
        return cls(id=node_id, record=record, username=record.username, is_bot=record.is_bot)

    online: bool = batched(
        online_of_users, description="Whether the user has a connection to any server."
    )
    last_seen_at: Moment | None = batched(
        last_seen_of_users,
        description="When the user was last online; null while online and if never seen.",
    )


First = Annotated[
    int | None, strawberry.argument(description="How many items, from 1 to 100; 50 by default.")
]
After = Annotated[str | None, strawberry.argument(description="Begin after this cursor.")]


def after_user(after: str | None) -> int:
    """The id after which a list of users begins."""
    return 0 if after is None else int(decode_cursor(after, ids.is_user_id))


def user_connection(
    users: list[models.User],
    after: str | None,
    more: bool,
) -> Connection[User]:
    make = _kept_connection if len(users) <= _FEW else _connection
    return make(tuple(users), after is not None, more)


def _connection(
    users: tuple[models.User, ...], has_previous: bool, has_next: bool
) -> Connection[User]:
    return Connection(edges=list(map(_edge, users)), has_previous=has_previous, has_next=has_next)


_kept_connection = lru_cache(maxsize=10_000)(_connection)


@lru_cache(maxsize=10_000)
def _edge(record: models.User) -> Edge[User]:
    return Edge(cursor=encode_cursor(record.id), node=User.of(record))
