"""The schema, assembled."""

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, Undefined
from strawberry.schema.config import StrawberryConfig

from resolvers.mutation import Mutation
from resolvers.query import Query
from resolvers.subscription import Subscription
from schema.event import CaughtUp, MessageAdded, PresenceChanged, RoomAdded
from schema.message import Message
from schema.room import Room
from schema.scalars import DateTime, Moment
from schema.user import User


def build_schema() -> strawberry.Schema:
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[User, Room, Message, MessageAdded, RoomAdded, PresenceChanged, CaughtUp],
        config=StrawberryConfig(scalar_map={Moment: DateTime}),
    )
    _drop_null_defaults(schema)
    return schema


def _drop_null_defaults(schema: strawberry.Schema) -> None:
    """Write `first: Int` for an argument that may be left out, not `first: Int = null`.

    Strawberry shows the default of the Python parameter; the parameter itself keeps it.
    """
    for type_ in schema._schema.type_map.values():
        match type_:
            case GraphQLObjectType() | GraphQLInterfaceType():
                inputs = [each for field in type_.fields.values() for each in field.args.values()]
            case GraphQLInputObjectType():
                inputs = list(type_.fields.values())
            case _:
                continue
        for each in inputs:
            if each.default_value is None:
                each.default_value = Undefined
