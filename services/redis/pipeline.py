"""Commands that go to the store together."""

from typing import Any

import hiredis

Word = str | int | float | bytes


class Pipeline:
    """Commands in the order in which they are executed; `atomic`: with nothing in between.

    Replies are as they come: text is bytes, pairs are flat or nested as the store has them.
    """

    __slots__ = ("commands", "is_atomic")

    def __init__(self, *, atomic: bool = False) -> None:
        self.commands: list[tuple[Word, ...]] = []
        self.is_atomic = atomic

    def add(self, *command: Word) -> None:
        self.commands.append(command)

    def packed(self) -> tuple[bytes, int]:
        """What goes to the store, and how many replies it has to that."""
        commands = self.commands
        if self.is_atomic:
            commands = [("MULTI",), *commands, ("EXEC",)]
        return b"".join(map(hiredis.pack_command, commands)), len(commands)  # type: ignore[arg-type]

    def unpacked(self, received: list[Any]) -> list[Any]:
        """The reply to each command, of all that was received; or what kept them from running."""
        if not self.is_atomic:
            return received
        refused = [reply for reply in received if isinstance(reply, Exception)]
        return refused or received[-1]


def pairs(reply: Any) -> list[tuple[Any, Any]]:
    """Of a hash, or of members with scores, which the two versions of the protocol write apart."""
    if isinstance(reply, dict):
        return list(reply.items())
    if reply and isinstance(reply[0], list):
        return [(first, second) for first, second in reply]
    return list(zip(reply[::2], reply[1::2], strict=True))
