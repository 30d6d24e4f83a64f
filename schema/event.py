"""The events of a viewer's stream."""

import strawberry

from schema.connection import Edge
from schema.context import Context
from schema.message import Message, message_edge
from schema.room import Room
from schema.user import User
from services import cursors, models


@strawberry.interface(description="Something that concerns the viewer.")
class Event:
    cursor: str | None = strawberry.field(
        description="Resume after it by `after`; null for what is not kept (presence)."
    )


@strawberry.type(description="A message was sent to a room of the viewer.")
class MessageAdded(Event):
    edge: Edge[Message] = strawberry.field(description="The message and its place in the room.")


@strawberry.type(description="A room became visible to the viewer.")
class RoomAdded(Event):
    room: Room = strawberry.field(description="The room.")


@strawberry.type(description="Somebody came online or went offline.")
class PresenceChanged(Event):
    user: User = strawberry.field(description="Who; ask for `online`.")


@strawberry.type(description="Everything newer than `after` was delivered; live events follow.")
class CaughtUp(Event):
    replayed: int = strawberry.field(description="How many events were delivered before this one.")


def position_cursor(context: Context, position: int, doubt: int = 0) -> str:
    """The cursor of a moment, for what has no place in a room's history."""
    cursor = cursors.encode(position / 1_000_000, position, context.chat.epoch)
    return cursors.doubtful(cursor, doubt)


async def to_event(context: Context, event: models.Event) -> Event | None:
    """The event as the API tells it; None for one about a record that is gone."""
    match event:
        case models.MessageEvent(message=message, doubt=doubt):
            edge = message_edge(context, message)
            return MessageAdded(cursor=cursors.doubtful(edge.cursor, doubt), edge=edge)
        case models.RoomEvent(position=position, room_id=room_id, doubt=doubt):
            (room,) = await context.chat.rooms.get_many([room_id])
            cursor = position_cursor(context, position, doubt)
            return None if room is None else RoomAdded(cursor=cursor, room=Room.of(room))
        case models.PresenceEvent(user_id=user_id):
            user = await context.loaders.user(user_id)
            return None if user is None else PresenceChanged(cursor=None, user=User.of(user))
        case models.CaughtUpEvent(position=position, replayed=replayed):
            return CaughtUp(cursor=position_cursor(context, position), replayed=replayed)
