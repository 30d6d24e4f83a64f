"""Bots, as their owner sees them."""

from enum import Enum
from typing import Self

import strawberry

from schema.connection import Connection, page_size
from schema.context import Info
from schema.room import Room, after_room, room_connection
from schema.scalars import Moment, to_moment
from schema.user import After, First, User
from services import ids, models


@strawberry.enum(description="What a bot may do with its token.")
class BotScope(Enum):
    READ = strawberry.enum_value(
        "READ", description="Read, and subscribe to, whatever is in its rooms."
    )
    SEND = strawberry.enum_value("SEND", description="Send messages to its rooms.")


@strawberry.type(description="An account of the viewer's that a program speaks as.")
class Bot:
    record: strawberry.Private[models.Bot]
    id: strawberry.ID = strawberry.field(description="The id of its user.")
    user: User = strawberry.field(description="As whom it is in rooms and sends messages.")
    created_at: Moment = strawberry.field(description="When it was created.")
    scopes: list[BotScope] = strawberry.field(
        description="What it may do; nothing while it has no token."
    )
    token_issued_at: Moment | None = strawberry.field(
        description="When it got its token; null while it has none."
    )
    last_used_at: Moment | None = strawberry.field(
        description="When the token was last used, to the hour; null while it has none."
    )

    @classmethod
    def of(cls, record: models.Bot) -> Self:
        user, token = record.user, record.token
        scopes = () if token is None else token.session.scopes or ()
        return cls(
            record=record,
            id=strawberry.ID(ids.user_node_id(user.id)),
            user=User.of(user),
            created_at=to_moment(record.created_at),
            scopes=[BotScope[scope.name] for scope in sorted(scopes)],
            token_issued_at=None if token is None else to_moment(token.created_at),
            last_used_at=None if token is None else to_moment(token.used_at),
        )

    @strawberry.field(description="The public rooms that it was added to.")
    async def rooms(self, info: Info, first: First = None, after: After = None) -> Connection[Room]:
        rooms, more = await info.context.chat.rooms.page_of_user(
            self.record.user.id, after_room(after), page_size(first), public_only=True
        )
        return room_connection(rooms, after, more)


@strawberry.input(description="A new bot.")
class CreateBotInput:
    username: str = strawberry.field(
        description="Its name, by the same rules as a person's: 1 to 32 characters, nobody else's."
    )
    scopes: list[BotScope] = strawberry.field(description="What its token is for; at least one.")


@strawberry.input(description="A bot that shall get a new token.")
class RotateBotTokenInput:
    bot_id: strawberry.ID = strawberry.field(description="The bot.")
    scopes: list[BotScope] = strawberry.field(
        description="What the new token is for; at least one."
    )


@strawberry.input(description="A bot that shall have no token.")
class RevokeBotTokenInput:
    bot_id: strawberry.ID = strawberry.field(description="The bot.")


@strawberry.input(description="A bot that is not needed any more.")
class DeleteBotInput:
    bot_id: strawberry.ID = strawberry.field(description="The bot.")


@strawberry.input(description="A bot, and a room for it.")
class AddBotToRoomInput:
    bot_id: strawberry.ID = strawberry.field(description="The bot, one of the viewer's.")
    room_id: strawberry.ID = strawberry.field(
        description="A public room. For a private one with a bot, open it: its two are in it then."
    )


@strawberry.input(description="A bot, and a room that it shall leave.")
class RemoveBotFromRoomInput:
    bot_id: strawberry.ID = strawberry.field(description="The bot, one of the viewer's.")
    room_id: strawberry.ID = strawberry.field(description="A public room.")


@strawberry.type(description="A bot, and its token, which is shown this once.")
class CreateBotPayload:
    bot: Bot = strawberry.field(description="The bot. It is in no room yet.")
    token: str = strawberry.field(
        description="For `Authorization: Bearer <token>`, or in a socket's connection_init "
        "payload. It lasts until it is rotated or revoked."
    )


@strawberry.type(description="A bot, and its new token, which is shown this once.")
class RotateBotTokenPayload:
    bot: Bot = strawberry.field(description="The bot.")
    token: str = strawberry.field(description="As of `createBot`. The old one holds no more.")


@strawberry.type(description="A bot without a token.")
class RevokeBotTokenPayload:
    bot: Bot = strawberry.field(description="The bot. With a new token it goes on.")


@strawberry.type(description="A bot that was deleted.")
class DeleteBotPayload:
    bot: Bot = strawberry.field(description="The bot, as it was.")


@strawberry.type(description="A bot in a room.")
class AddBotToRoomPayload:
    bot: Bot = strawberry.field(description="The bot.")
    room: Room = strawberry.field(description="The room that it is in now.")


@strawberry.type(description="A bot that has left a room.")
class RemoveBotFromRoomPayload:
    bot: Bot = strawberry.field(description="The bot.")
    room: Room = strawberry.field(description="The room that it is not in.")
