"""Queries."""

import asyncio
from contextlib import suppress
from typing import Annotated

import strawberry

from resolvers.arguments import room_id as to_room_id
from schema.bot import Bot
from schema.connection import MAX_PAGE, Connection, page_size
from schema.context import Context, Info
from schema.event import position_cursor
from schema.message import Message, message_page
from schema.node import Node
from schema.room import Before, FirstOf, Last, Room, after_room, room_connection
from schema.session import Session
from schema.user import After, First, User, after_user, user_connection
from services import ids
from services.errors import BadUserInput, NotFound

NodeId = Annotated[strawberry.ID, strawberry.argument(description="The record's id.")]


@strawberry.type(description="What can be read.")
class Query:
    @strawberry.field(description="Who is logged in; null when nobody is.")
    async def me(self, info: Info) -> User | None:
        session = await info.context.optional_viewer()
        return None if session is None else await _user(info.context, session.user_id)

    @strawberry.field(description="The viewer's sessions, the last used one first.")
    async def sessions(self, info: Info) -> list[Session]:
        viewer = await info.context.person()
        listed = await info.context.chat.sessions.of_user(viewer.user_id)
        return [Session.of(details, viewer) for details in listed]

    @strawberry.field(description="The viewer's bots, the oldest one first.")
    async def bots(self, info: Info) -> list[Bot]:
        viewer = await info.context.person()
        return [Bot.of(each) for each in await info.context.chat.bots.of_user(viewer.user_id)]

    @strawberry.field(description="A record by its id; null when there is none for the viewer.")
    async def node(self, info: Info, id: NodeId) -> Node | None:
        viewer = await info.context.reader()
        return await _node(info.context, viewer.user_id, id)

    @strawberry.field(description="Records by their ids, in that order; at most 100.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="The records' ids.")],
    ) -> list[Node | None]:
        viewer = await info.context.reader()
        if len(ids) > MAX_PAGE:
            raise BadUserInput(f"Ask for at most {MAX_PAGE} nodes at once.", "ids")
        return await asyncio.gather(
            *(_node(info.context, viewer.user_id, node_id) for node_id in ids)
        )

    @strawberry.field(description="A user by id or by name: exactly one of the two.")
    async def user(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID | None, strawberry.argument(description="The user's id.")
        ] = None,
        username: Annotated[str | None, strawberry.argument(description="The user's name.")] = None,
    ) -> User | None:
        await info.context.reader()
        if (id is None) == (username is None):
            raise BadUserInput("Give either `id` or `username`.", "id")
        if username is not None:
            user = await info.context.chat.users.by_username(username)
            return None if user is None else User.of(user)
        match ids.parse_node_id(id or ""):
            case ids.UserRef(user_id=user_id):
                return await _user(info.context, user_id)
            case _:
                return None

    @strawberry.field(description="All users, in the order of registration.")
    async def users(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        online: Annotated[
            bool | None,
            strawberry.argument(description="Only those who are online, or only the others."),
        ] = None,
    ) -> Connection[User]:
        await info.context.reader()
        users, more = await info.context.chat.users.page(
            after_user(after), page_size(first), online
        )
        return user_connection(users, after, more)

    @strawberry.field(description="A room by its id; null when there is none for the viewer.")
    async def room(self, info: Info, id: NodeId) -> Room | None:
        viewer = await info.context.reader()
        match ids.parse_node_id(id):
            case ids.RoomRef():
                node = await _node(info.context, viewer.user_id, id)
                return node if isinstance(node, Room) else None
            case _:
                return None

    @strawberry.field(
        description="The present moment: read it before the rest of a page, then subscribe "
        "with it as `after`."
    )
    async def event_cursor(self, info: Info) -> str:
        await info.context.reader()
        return position_cursor(info.context, await info.context.chat.log.now())

    @strawberry.field(description="The viewer's rooms: public ones first, then private ones.")
    async def rooms(self, info: Info, first: First = None, after: After = None) -> Connection[Room]:
        context = info.context

        async def page(user_id: str) -> Connection[Room]:
            rooms, more = await context.chat.rooms.page_of_user(
                user_id, after_room(after), page_size(first)
            )
            return room_connection(rooms, after, more)

        return await context.on_behalf_of_reader(page)

    @strawberry.field(
        description="Messages of a room, oldest to newest; the last 50 if neither end is asked for."
    )
    async def messages(
        self,
        info: Info,
        room_id: Annotated[strawberry.ID, strawberry.argument(description="The room.")],
        first: FirstOf = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        context = info.context

        async def page(user_id: str) -> Connection[Message]:
            wanted = to_room_id(room_id)
            return await message_page(context, user_id, wanted, first, after, last, before)

        return await context.on_behalf_of_reader(page)


async def _user(context: Context, user_id: str) -> User | None:
    user = await context.loaders.user(user_id)
    return None if user is None else User.of(user)


async def _node(context: Context, viewer_id: str, node_id: str) -> Node | None:
    chat = context.chat
    match ids.parse_node_id(node_id):
        case ids.UserRef(user_id=user_id):
            return await _user(context, user_id)
        case ids.RoomRef(room_id=room_id):
            room = await context.loaders.visible_rooms.load((viewer_id, room_id))
            return None if room is None else Room.of(room)
        case ids.MessageRef(room_id=room_id, position=position):
            with suppress(NotFound):
                message = await chat.messages.get(viewer_id, room_id, position)
                return None if message is None else Message.of(message)
    return None
