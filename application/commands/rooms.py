"""`rooms`: the named rooms, and who is in them."""

from typing import Annotated

import typer

rooms = typer.Typer(help="See and keep the named rooms.")

Which = Annotated[str, typer.Argument(metavar="ROOM", help="An id like room:0.")]
Who = Annotated[str, typer.Argument(metavar="USER", help="A name, or an id like user:3.")]
_PAGE = 1000


@rooms.command("list")
def list_rooms() -> None:
    """List the named rooms, with how many messages they have."""
    from application.commands.opened import with_chat
    from application.commands.records import room_line, say
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        async for room in chat.named_rooms.all():
            count = await chat.messages.count(room.id)
            say(f"{count:>9,}  {room_line(room)}")

    with_chat(work)


@rooms.command()
def show(which: Which) -> None:
    """Show a room and its members."""
    from application.commands.opened import with_chat
    from application.commands.records import (
        find_room_id,
        moment,
        no_room,
        room_line,
        say,
        user_line,
    )
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        room_id = find_room_id(which)
        ((room,), (newest,)) = (
            await chat.rooms.get_many([room_id]),
            await chat.messages.last_many([room_id]),
        )
        if room is None or (room.is_private and newest is None):
            raise no_room(which)
        say(room_line(room))
        count = await chat.messages.count(room_id)
        last = f", the last of {moment(newest.score)}" if newest is not None else ""
        say(f"{count:,} message{'' if count == 1 else 's'}{last}")
        after, more = 0, True
        while more:
            ((members, more),) = await chat.rooms.members_many([room], after, _PAGE)
            for user in members:
                say(f"with {user_line(user)}")
                after = int(user.id)

    with_chat(work)


@rooms.command()
def create(
    name: str,
    member: Annotated[
        list[str] | None, typer.Option(help="Put this user into it; may be given again.")
    ] = None,
) -> None:
    """Create a named room, which everybody may read."""
    from application.commands.opened import with_chat
    from application.commands.records import find_user, room_line, say
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        members = [await find_user(chat, who) for who in member or ()]
        room = await chat.named_rooms.create(name)
        for user in members:
            await chat.named_rooms.add(room.id, user.id)
        say(room_line(room))

    with_chat(work)


@rooms.command()
def rename(which: Which, name: str) -> None:
    """Give a named room another name.

    Pages that are open show it when they are loaded again.
    """
    from application.commands.opened import with_chat
    from application.commands.records import find_room_id, room_line, say
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        say(room_line(await chat.named_rooms.rename(find_room_id(which), name)))

    with_chat(work)


@rooms.command()
def add(which: Which, who: Who) -> None:
    """Put a named room into a user's list, or a bot into it.

    Whoever has a page open sees it at once.
    """
    from application.commands.opened import with_chat
    from application.commands.records import find_room_id, find_user, say
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        user = await find_user(chat, who)
        added = await chat.named_rooms.add(find_room_id(which), user.id)
        say("Added." if added else "They are in it already.")

    with_chat(work)


@rooms.command()
def remove(which: Which, who: Who) -> None:
    """Take a named room from a user's list, or a bot out of it.

    It stays public: who knows its id may go on, but bots.
    """
    from application.commands.opened import with_chat
    from application.commands.records import find_room_id, find_user, say
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        user = await find_user(chat, who)
        removed = await chat.named_rooms.remove(find_room_id(which), user.id)
        say("Removed." if removed else "They are not in it.")

    with_chat(work)
