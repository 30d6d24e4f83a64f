"""Inputs and payloads of what changes the chat."""

import strawberry

from schema.connection import Edge
from schema.message import Message
from schema.room import Room


@strawberry.input(description="A message to send.")
class SendMessageInput:
    room_id: strawberry.ID = strawberry.field(description="The room to send it to.")
    text: str = strawberry.field(
        description="What to say: 1 to 4,000 characters without the blanks around them, which are "
        "not kept; of control characters line feeds and tabs only."
    )
    client_message_id: str | None = strawberry.field(
        default=None,
        description="Idempotency key, unique per sender and room: sending it again returns the "
        "first message. 1 to 128 characters.",
    )


@strawberry.input(description="Whom to talk to.")
class OpenPrivateRoomInput:
    user_id: strawberry.ID = strawberry.field(description="The other user.")


@strawberry.type(description="A message that is kept.")
class SendMessagePayload:
    message: Message = strawberry.field(description="The message.")
    edge: Edge[Message] = strawberry.field(description="Its place in the room's messages.")


@strawberry.type(description="A private room that is open.")
class OpenPrivateRoomPayload:
    room: Room = strawberry.field(description="The room; the same for both users.")
