"""How operators name users and rooms, and how these are shown to them."""

import re
import sys
import time

from services.chat import Chat
from services.errors import NotFound
from services.ids import RoomRef, UserRef, is_room_id, parse_node_id
from services.models import Room, SessionDetails, User

# Other servers set no limit to names: none of them shall move the cursor of a terminal.
_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


async def find_user(chat: Chat, text: str) -> User:
    """The user of this name, or of an id like `user:3`. Raises NotFound."""
    user = await chat.users.by_username(text)
    if user is None and isinstance(reference := parse_node_id(text), UserRef):
        (user,) = await chat.users.read_many([reference.user_id])
    if user is None:
        raise NotFound(f"There is no user {shown(text)}: give a name, or an id like user:3.")
    return user


def find_room_id(text: str) -> str:
    """The id in `room:0` or `0`. Raises NotFound."""
    reference = parse_node_id(text)
    if isinstance(reference, RoomRef):
        return reference.room_id
    if not is_room_id(text):
        raise no_room(text)
    return text


def no_room(text: str) -> NotFound:
    return NotFound(f"There is no room {shown(text)}: give an id like room:0, as rooms list has.")


def shown(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def user_line(user: User) -> str:
    mark = " (bot)" if user.is_bot else ""
    return f"user:{user.id:<7} {shown(user.username)}{mark}"


def room_line(room: Room) -> str:
    return f"room:{room.id:<7} {shown(room.name) if room.name is not None else '(private)'}"


def session_line(details: SessionDetails) -> str:
    since, used = moment(details.created_at), moment(details.used_at)
    if details.session.scopes is not None:
        return f"token since {since}, used {used}, for {', '.join(sorted(details.session.scopes))}"
    return (
        f"logged in since {since}, used {used}, on {shown(details.device) or 'an unknown device'}"
    )


def moment(seconds: float) -> str:
    """In the time zone of this machine, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
