"""What this process has sent, until it rings: it need not be read back from the log."""

from collections.abc import Collection, Mapping

from services.log import Entry
from services.models import Message, MessageEvent

_MAX_MESSAGES = 256
"""Some are never asked for: their ring was heard before the store's answer, say."""


class SentMessages:
    """Messages that the store has taken, each with its predecessor in the room's log."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[Entry, int]] = {}

    def add(self, message: Message, previous: int) -> None:
        """`previous`: the position of the entry before it in its log, 0 if it is the first."""
        log = f"room:{message.room_id}"
        self._found[log, message.position] = (log, MessageEvent(message)), previous
        if len(self._found) > _MAX_MESSAGES:
            del self._found[next(iter(self._found))]

    def take(self, rung: Mapping[str, Collection[int]], after: int) -> list[Entry] | None:
        """What the logs that rang hold after a position and up to their newest rings, in the order
        of the positions; None where that is not known from one entry to the next."""
        entries: list[Entry] = []
        for log, positions in rung.items():
            position = max(positions)
            while position > after:
                found = self._found.pop((log, position), None)
                if found is None:
                    return None
                entry, position = found
                entries.append(entry)
        return sorted(entries, key=lambda entry: entry[1].position)

    def forget(self) -> None:
        self._found.clear()
