"""Mutations."""

from typing import Annotated

import strawberry

from resolvers.arguments import room_id, user_id
from schema.auth import AuthPayload, LoginInput, LogoutPayload, RegisterInput
from schema.context import Context, Info
from schema.message import message_edge
from schema.mutations import (
    OpenPrivateRoomInput,
    OpenPrivateRoomPayload,
    SendMessageInput,
    SendMessagePayload,
)
from schema.room import Room
from schema.scalars import Moment
from schema.session import (
    EndOtherSessionsPayload,
    EndSessionInput,
    EndSessionPayload,
    Session,
)
from schema.user import User
from services import models

_INPUT = strawberry.argument(description="What to do it with.")


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(description="Open an account and log in.")
    async def register(self, info: Info, input: Annotated[RegisterInput, _INPUT]) -> AuthPayload:
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
        session = await context.optional_viewer()
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
        viewer = await context.viewer()
        ended = await context.chat.sessions.end_one(viewer.user_id, input.session_id)
        if ended.session.token_hash == viewer.token_hash and context.cookies is not None:
            context.cookies.clear()
        return EndSessionPayload(session=Session.of(ended, viewer))

    @strawberry.mutation(description="End all of the viewer's sessions but this one.")
    async def end_other_sessions(self, info: Info) -> EndOtherSessionsPayload:
        info.context.leave_uncounted()
        viewer = await info.context.viewer()
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
        viewer = await info.context.viewer()
        room = await info.context.chat.rooms.open_private(viewer.user_id, user_id(input.user_id))
        return OpenPrivateRoomPayload(room=Room.of(room))


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
        expires_at=Moment(round(session.expires_at * 1_000_000)),
    )
