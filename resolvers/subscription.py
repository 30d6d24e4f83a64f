"""Subscriptions."""

from collections.abc import AsyncIterator
from typing import Annotated

import strawberry

from resolvers.arguments import room_id as to_room_id
from resolvers.live import LiveEvents, T, Tell
from schema.connection import Edge
from schema.context import Context, Info
from schema.event import Event, to_event
from schema.message import Message, live_edge
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
    ) -> AsyncIterator[Edge[Message]]:
        return await _live(info, [models.MessageEvent], _tell_message, after, room_id)

    @strawberry.subscription(description="Rooms that become visible to the viewer.")
    async def room_added(self, info: Info) -> AsyncIterator[Room]:
        return await _live(info, [models.RoomEvent], _tell_room)

    @strawberry.subscription(description="Users who come online or go offline.")
    async def presence_changed(self, info: Info) -> AsyncIterator[User]:
        return await _live(info, [models.PresenceEvent], _tell_user)

    @strawberry.subscription(
        description="Everything that concerns the viewer, in one stream. Replays from `after`, "
        "then sends CaughtUp (also when there was nothing to replay), then goes live."
    )
    async def events(self, info: Info, after: After = None) -> AsyncIterator[Event]:
        kinds = [
            models.MessageEvent,
            models.RoomEvent,
            models.PresenceEvent,
            models.CaughtUpEvent,
        ]
        return await _live(info, kinds, to_event, after)


async def _live(
    info: Info,
    kinds: list[type[models.Event]],
    tell: Tell[T],
    after: str | None = None,
    room: str | None = None,
) -> LiveEvents[T]:
    viewer = await info.context.reader()
    room_id = None if room is None else to_room_id(room)
    # A client that sends the same request again has seen more since.
    after = info.context.resume_after or after
    cursor = None if after is None else cursors.decode(after, "after")
    stream = info.context.chat.hub.subscribe(viewer.user_id, kinds, room_id=room_id, after=cursor)
    return LiveEvents(info.context, stream, tell)


async def _tell_message(context: Context, event: models.Event) -> Edge[Message] | None:
    return live_edge(context, event) if isinstance(event, models.MessageEvent) else None


async def _tell_room(context: Context, event: models.Event) -> Room | None:
    if not isinstance(event, models.RoomEvent):
        return None
    room = (await context.loaders.rooms([event.room_id]))[event.room_id]
    return None if room is None else Room.of(room)


async def _tell_user(context: Context, event: models.Event) -> User | None:
    if not isinstance(event, models.PresenceEvent):
        return None
    user = await context.loaders.user(event.user_id)
    return None if user is None else User.of(user)
