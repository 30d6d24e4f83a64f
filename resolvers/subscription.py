"""Subscriptions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from resolvers.arguments import room_id as to_room_id
from schema.connection import Edge
from schema.context import Info
from schema.event import Event, to_event
from schema.message import Message, message_edge
from schema.room import Room
from schema.user import User
from services import cursors, models

After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor seen before: everything newer is delivered first, then live events "
        "follow with no gap and no duplicate."
    ),
]


@strawberry.type(description="What can be followed.")
class Subscription:
    @strawberry.subscription(description="Messages of a room, or of all rooms of the viewer.")
    async def message_added(
        self,
        info: Info,
        room_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The room; null for all rooms of the viewer."),
        ] = None,
        after: After = None,
    ) -> AsyncGenerator[Edge[Message], None]:
        async with aclosing(_events(info, [models.MessageEvent], after, room_id)) as events:
            async for event in events:
                if isinstance(event, models.MessageEvent):
                    yield message_edge(info.context, event.message)

    @strawberry.subscription(description="Rooms that become visible to the viewer.")
    async def room_added(self, info: Info) -> AsyncGenerator[Room, None]:
        async with aclosing(_events(info, [models.RoomEvent])) as events:
            async for event in events:
                if isinstance(event, models.RoomEvent):
                    (room,) = await info.context.chat.rooms.get_many([event.room_id])
                    if room is not None:
                        yield Room.of(room)

    @strawberry.subscription(description="Users who come online or go offline.")
    async def presence_changed(self, info: Info) -> AsyncGenerator[User, None]:
        async with aclosing(_events(info, [models.PresenceEvent])) as events:
            async for event in events:
                if isinstance(event, models.PresenceEvent):
                    (user,) = await info.context.chat.users.get_many([event.user_id])
                    if user is not None:
                        yield User.of(user)

    @strawberry.subscription(
        description="Everything that concerns the viewer, in one stream. Replays from `after`, "
        "then sends CaughtUp (also when there was nothing to replay), then goes live."
    )
    async def events(self, info: Info, after: After = None) -> AsyncGenerator[Event, None]:
        kinds = [
            models.MessageEvent,
            models.RoomEvent,
            models.PresenceEvent,
            models.CaughtUpEvent,
        ]
        async with aclosing(_events(info, kinds, after)) as events:
            async for event in events:
                told = await to_event(info.context, event)
                if told is not None:
                    yield told


async def _events(
    info: Info,
    kinds: list[type[models.Event]],
    after: str | None = None,
    room: str | None = None,
) -> AsyncGenerator[models.Event, None]:
    viewer = await info.context.viewer()
    room_id = None if room is None else to_room_id(room)
    cursor = None if after is None else cursors.decode(after, "after")
    stream = info.context.chat.hub.subscribe(viewer.user_id, kinds, room_id=room_id, after=cursor)
    async with aclosing(stream) as events:
        async for event in events:
            # What an event tells of a record is what is so now.
            info.context.loaders.clear()
            yield event
