"""How safe a message has to be before its sender is told that it is kept (docs/durability.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.errors import Unavailable

_PATIENCE_MS = 700
"""Each of the commands waits this long; both fit into what a call to the store may take."""


class NotDurable(Unavailable):
    """The write is done, but not known to be as safe as is asked."""

    def __init__(self) -> None:
        super().__init__(
            "The message may have been kept, but is not safe yet."
            " Sending it again with the same clientMessageId is safe."
        )


@dataclass(frozen=True, slots=True)
class Durability:
    replicas: int = 0
    """How many replicas must have it."""
    disk: bool = False
    """Whether it must be flushed to the disk of the store."""

    @property
    def commands(self) -> list[tuple[str | int, ...]]:
        """What waits for it, on the connection that wrote; each replies with numbers reached."""
        return self._commands(_PATIENCE_MS)

    @property
    def probes(self) -> list[tuple[str | int, ...]]:
        """The same without much waiting: a store that cannot do it answers with an error."""
        return self._commands(1)

    def _commands(self, patience: int) -> list[tuple[str | int, ...]]:
        commands: list[tuple[str | int, ...]] = []
        if self.disk:
            commands.append(("WAITAOF", 1, 0, patience))
        if self.replicas:
            commands.append(("WAIT", self.replicas, patience))
        return commands

    def is_reached(self, replies: Sequence[Any]) -> bool:
        remaining = list(replies)
        if self.disk and remaining.pop(0)[0] < 1:
            return False
        return not self.replicas or remaining.pop(0) >= self.replicas
