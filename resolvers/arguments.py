"""Ids from outside, turned into those of the services."""

from services import ids
from services.errors import NotFound


def room_id(node_id: str) -> str:
    """The room's id; NotFound for anything that cannot be one, as for a room that is not there."""
    match ids.parse_node_id(node_id):
        case ids.RoomRef(room_id=found):
            return found
        case _:
            raise NotFound("There is no such room.")


def user_id(node_id: str) -> str:
    """The user's id; NotFound for anything that cannot be one."""
    match ids.parse_node_id(node_id):
        case ids.UserRef(user_id=found):
            return found
        case _:
            raise NotFound("There is no such user.")
