"""Mutations."""

from typing import Annotated

import strawberry

from resolvers.arguments import room_id, user_id
from schema.auth import AuthPayload, LoginInput, LogoutPayload, RegisterInput
from schema.bot import (
    AddBotToRoomInput,
    AddBotToRoomPayload,
    Bot,
    BotScope,
    CreateBotInput,
    CreateBotPayload,
    DeleteBotInput,
    DeleteBotPayload,
    RemoveBotFromRoomInput,
    RemoveBotFromRoomPayload,
    RevokeBotTokenInput,
    RevokeBotTokenPayload,
    RotateBotTokenInput,
    RotateBotTokenPayload,
)
from schema.context import Context, Info
from schema.message import message_edge
from schema.mutations import (
    OpenPrivateRoomInput,
    OpenPrivateRoomPayload,
    SendMessageInput,
    SendMessagePayload,
)
from schema.room import Room
from schema.scalars import to_moment
from schema.session import (
    EndOtherSessionsPayload,
    EndSessionInput,
    EndSessionPayload,
    Session,
)
from schema.user import User
from services import models
from services.errors import Forbidden

_INPUT = strawberry.argument(description="What to do it with.")


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(description="Open an account and log in.")
    async def register(self, info: Info, input: Annotated[RegisterInput, _INPUT]) -> AuthPayload:
        if not info.context.chat.registration:
            raise Forbidden("Accounts are made by the operator here.")
        user = await info.context.chat.users.register(
            input.username, input.password, info.context.address
        )
        return await _log_in(info.context, user)

    @strawberry.mutation(description="Log in.")
    async def login(self, info: Info, input: Annotated[LoginInput, _INPUT]) -> AuthPayload:
        user = await info.context.chat.users.authenticate(
            input.username, input.password, info.context.address
        )
        return await _log_in(info.context, user)

    @strawberry.mutation(description="End the session, its open subscriptions included.")
    async def logout(self, info: Info) -> LogoutPayload:
        context = info.context
        context.leave_uncounted()
        session = await context.optional_person()
        if session is not None:
            await context.chat.sessions.end(session)
        # Not before: with the session still alive, the browser needs it to try again.
        if context.cookies is not None:
            context.cookies.clear()
        user = None if session is None else await context.loaders.user(session.user_id)
        return LogoutPayload(user=None if user is None else User.of(user))

    @strawberry.mutation(
        description="End one of the viewer's sessions, its open subscriptions included."
    )
    async def end_session(
        self, info: Info, input: Annotated[EndSessionInput, _INPUT]
    ) -> EndSessionPayload:
        context = info.context
        context.leave_uncounted()
        viewer = await context.person()
        ended = await context.chat.sessions.end_one(viewer.user_id, input.session_id)
        if ended.session.token_hash == viewer.token_hash and context.cookies is not None:
            context.cookies.clear()
        return EndSessionPayload(session=Session.of(ended, viewer))

    @strawberry.mutation(description="End all of the viewer's sessions but this one.")
    async def end_other_sessions(self, info: Info) -> EndOtherSessionsPayload:
        info.context.leave_uncounted()
        viewer = await info.context.person()
        ended = await info.context.chat.sessions.end_others(viewer)
        return EndOtherSessionsPayload(sessions=[Session.of(each, viewer) for each in ended])

    @strawberry.mutation(description="Send a message. Acknowledged means kept.")
    async def send_message(
        self, info: Info, input: Annotated[SendMessageInput, _INPUT]
    ) -> SendMessagePayload:
        context = info.context

        async def visible(user_id: str) -> models.Room:
            return await context.chat.rooms.visible(user_id, room_id(input.room_id))

        sender, room = await context.on_behalf_of_sender(visible)
        message = await context.chat.messages.send(
            sender.user_id, room, input.text, input.client_message_id
        )
        edge = message_edge(context, message)
        return SendMessagePayload(message=edge.node, edge=edge)

    @strawberry.mutation(description="Open the private room with another user.")
    async def open_private_room(
        self, info: Info, input: Annotated[OpenPrivateRoomInput, _INPUT]
    ) -> OpenPrivateRoomPayload:
        viewer = await info.context.person()
        room = await info.context.chat.rooms.open_private(viewer.user_id, user_id(input.user_id))
        return OpenPrivateRoomPayload(room=Room.of(room))

    @strawberry.mutation(description="Create a bot of the viewer's, with a token.")
    async def create_bot(
        self, info: Info, input: Annotated[CreateBotInput, _INPUT]
    ) -> CreateBotPayload:
        viewer = await info.context.person()
        bot, token = await info.context.chat.bots.create(
            viewer.user_id, input.username, _scopes(input.scopes), info.context.address
        )
        return CreateBotPayload(bot=Bot.of(bot), token=token)

    @strawberry.mutation(
        description="Give a bot another token, or one again. The old one ends at once, its open "
        "subscriptions included."
    )
    async def rotate_bot_token(
        self, info: Info, input: Annotated[RotateBotTokenInput, _INPUT]
    ) -> RotateBotTokenPayload:
        viewer = await info.context.person()
        bot, token = await info.context.chat.bots.rotate_token(
            viewer.user_id, user_id(input.bot_id), _scopes(input.scopes)
        )
        return RotateBotTokenPayload(bot=Bot.of(bot), token=token)

    @strawberry.mutation(
        description="End a bot's token, its open subscriptions included. The bot stays, and can "
        "do nothing."
    )
    async def revoke_bot_token(
        self, info: Info, input: Annotated[RevokeBotTokenInput, _INPUT]
    ) -> RevokeBotTokenPayload:
        info.context.leave_uncounted()
        viewer = await info.context.person()
        bot = await info.context.chat.bots.revoke_token(viewer.user_id, user_id(input.bot_id))
        return RevokeBotTokenPayload(bot=Bot.of(bot))

    @strawberry.mutation(
        description="Delete a bot. Its messages stay and so does its name, which nobody can take."
    )
    async def delete_bot(
        self, info: Info, input: Annotated[DeleteBotInput, _INPUT]
    ) -> DeleteBotPayload:
        viewer = await info.context.person()
        bot = await info.context.chat.bots.delete(viewer.user_id, user_id(input.bot_id))
        return DeleteBotPayload(bot=Bot.of(bot))

    @strawberry.mutation(
        description="Add a bot to a public room. It sees nothing of a room that it is not in."
    )
    async def add_bot_to_room(
        self, info: Info, input: Annotated[AddBotToRoomInput, _INPUT]
    ) -> AddBotToRoomPayload:
        viewer = await info.context.person()
        bot, room = await info.context.chat.bots.add_to_room(
            viewer.user_id, user_id(input.bot_id), room_id(input.room_id)
        )
        return AddBotToRoomPayload(bot=Bot.of(bot), room=Room.of(room))

    @strawberry.mutation(
        description="Take a bot out of a public room. What it follows of the room ends at once."
    )
    async def remove_bot_from_room(
        self, info: Info, input: Annotated[RemoveBotFromRoomInput, _INPUT]
    ) -> RemoveBotFromRoomPayload:
        viewer = await info.context.person()
        bot, room = await info.context.chat.bots.remove_from_room(
            viewer.user_id, user_id(input.bot_id), room_id(input.room_id)
        )
        return RemoveBotFromRoomPayload(bot=Bot.of(bot), room=Room.of(room))


def _scopes(given: list[BotScope]) -> list[models.Scope]:
    return [models.Scope[scope.name] for scope in given]


async def _log_in(context: Context, user: models.User) -> AuthPayload:
    sessions, cookies = context.chat.sessions, context.cookies
    token, session = await sessions.create(user.id, context.device)
    if cookies is not None:
        # The browser forgets the user's old token: nobody shall find a use for it. A program that
        # logs several users in may have the cookie of another one, who goes on.
        old_token = cookies.token or ""
        claimed = sessions.claimed(old_token)
        if claimed is not None and claimed.user_id == user.id:
            old = await sessions.resolve(old_token)
            if old is not None:
                await sessions.end(old)
        cookies.set(token, session.expires_at)
    return AuthPayload(
        user=User.of(user),
        token=token,
        expires_at=to_moment(session.expires_at),
    )
