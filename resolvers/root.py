"""The schema, assembled."""

from datetime import datetime

import strawberry
from strawberry.schema.config import StrawberryConfig

from resolvers.mutation import Mutation
from resolvers.query import Query
from resolvers.subscription import Subscription
from schema.event import CaughtUp, MessageAdded, PresenceChanged, RoomAdded
from schema.message import Message
from schema.room import Room
from schema.scalars import DateTime
from schema.user import User


def build_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[User, Room, Message, MessageAdded, RoomAdded, PresenceChanged, CaughtUp],
        config=StrawberryConfig(scalar_map={datetime: DateTime}),
    )
