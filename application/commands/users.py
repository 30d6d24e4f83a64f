"""`users`: who has an account."""

from typing import Annotated

import typer

from application.commands.passwords import read_password

users = typer.Typer(help="See and keep the accounts.")

Who = Annotated[str, typer.Argument(metavar="USER", help="A name, or an id like user:3.")]
_PAGE = 1000


@users.command("list")
def list_users(
    search: Annotated[str, typer.Option(help="Only names that contain this, in any case.")] = "",
    online: Annotated[bool, typer.Option("--online", help="Only who is online.")] = False,
) -> None:
    """List the users, the oldest account first."""
    from application.commands.opened import with_chat
    from application.commands.records import say, user_line
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        after, more = 0, True
        while more:
            page, more = await chat.users.page(after, _PAGE, True if online else None)
            for user in page:
                if search.casefold() in user.username.casefold():
                    say(user_line(user))
                after = int(user.id)

    with_chat(work)


@users.command()
def show(who: Who) -> None:
    """Show a user: log-ins, bots, rooms; of a bot its token.

    Where a person is logged in or what a bot's token is for, whose bots there are, and which rooms
    they are in.
    """
    from application.commands.opened import with_chat
    from application.commands.records import (
        find_user,
        moment,
        room_line,
        say,
        session_line,
        user_line,
    )
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        user = await find_user(chat, who)
        (presence,) = await chat.presence.many([user.id])
        say(user_line(user))
        if presence.online:
            say("online")
        elif presence.last_seen_at is not None:
            say(f"last seen {moment(presence.last_seen_at / 1_000_000)}")
        else:
            say("never seen")
        if user.owner_id:
            for owner in await chat.users.read_many([user.owner_id]):
                say(f"of {user_line(owner) if owner else 'nobody'}")
        for details in await chat.sessions.of_user(user.id):
            say(session_line(details))
        for bot in await chat.bots.of_user(user.id):
            say(f"has {user_line(bot.user)}")
        after, more = None, True
        while more:
            rooms, more = await chat.rooms.page_of_user(user.id, after, _PAGE)
            for room in rooms:
                say(f"in {room_line(room)}")
                after = room.id

    with_chat(work)


@users.command()
def create(name: str) -> None:
    """Create an account.

    The password is asked for, or read from standard input.
    """
    from application.commands.opened import with_chat
    from application.commands.records import say, user_line
    from services.chat import Chat

    password = read_password(is_new=True)

    async def work(chat: Chat) -> None:
        say(user_line(await chat.users.register(name, password)))

    with_chat(work)


@users.command("set-password")
def set_password(who: Who) -> None:
    """Give a user another password, and end all sessions.

    It is asked for, or read from standard input.
    """
    from application.commands.opened import with_chat
    from application.commands.records import find_user
    from services.chat import Chat

    password = read_password(is_new=True)

    async def work(chat: Chat) -> None:
        user = await find_user(chat, who)
        await chat.users.set_password(user.id, password)
        _say_ended(len(await chat.sessions.end_all(user.id)))

    with_chat(work)


@users.command("log-out")
def log_out(who: Who) -> None:
    """End all sessions of a user, or a bot's token.

    Open connections close, on every server.
    """
    from application.commands.opened import with_chat
    from application.commands.records import find_user
    from services.chat import Chat

    async def work(chat: Chat) -> None:
        user = await find_user(chat, who)
        _say_ended(len(await chat.sessions.end_all(user.id)))

    with_chat(work)


def _say_ended(count: int) -> None:
    from application.commands.records import say

    say(f"{count} session{'' if count == 1 else 's'} ended.")
