"""What depends on the viewer is marked: nothing else may be told to many in the same words."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import GraphQLObjectType, get_named_type, is_composite_type

from execution.engine import Engine
from execution.marks import depends_on_viewer
from execution.request import GraphQLRequest
from resolvers.root import build_schema
from schema.context import Context
from schema.errors import format_error
from schema.event import MessageAdded
from schema.message import message_edge
from services.chat import Chat
from services.models import Room

SCHEMA = build_schema()._schema
DEEPEST = 4


class Asked(Context):
    """A context of nobody, which notes when somebody wants to know who it is."""

    asked = False

    async def optional_viewer(self) -> None:
        self.asked = True


def selections(type_: GraphQLObjectType, depth: int) -> Iterator[tuple[str, bool]]:
    """Each field below a type in a selection of its own, and whether it is marked."""
    for name, field in type_.fields.items():
        named = get_named_type(field.type)
        is_marked = depends_on_viewer(field)
        if is_marked or not isinstance(named, GraphQLObjectType):
            below = "{ __typename }" if is_composite_type(named) else ""
            yield f"{name} {below}", is_marked
        elif depth:
            for inner, is_inner_marked in selections(named, depth - 1):
                yield f"{name} {{ {inner} }}", is_inner_marked


def cases() -> list[Any]:
    type_ = SCHEMA.type_map["MessageAdded"]
    assert isinstance(type_, GraphQLObjectType)
    return [pytest.param(*each, id=each[0]) for each in selections(type_, DEEPEST)]


@pytest.mark.parametrize(("selection", "is_marked"), cases())
async def test_only_what_is_marked_asks_who_the_viewer_is(
    chat: Chat, selection: str, is_marked: bool
) -> None:
    engine = Engine(SCHEMA, format_error=format_error)
    query = f"subscription {{ events {{ ... on MessageAdded {{ {selection} }} }} }}"
    plan = engine.plan(engine.prepare(GraphQLRequest(query)))
    assert plan.depends_on_viewer is is_marked
    message = await chat.messages.send("1", Room("0", "General"), "Hello")
    context = Asked(chat)
    edge = message_edge(context, message)
    event = MessageAdded(cursor=edge.cursor, edge=edge)
    response = orjson.loads(bytes(await plan.execute_event(event, context)))
    assert context.asked is is_marked
    assert ("errors" in response) is is_marked
