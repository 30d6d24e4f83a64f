"""What was acknowledged and what came of it: the accounts, and the count of what is wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A message that a server has promised to keep."""

    key: str
    """Its clientMessageId; of another server's message its text."""
    room_id: str
    message_id: str | None
    """None for another server's message: nobody has told us yet."""
    first_sent: float


@dataclass(frozen=True, slots=True)
class Told:
    """A message as a subscriber or the history tells of it."""

    key: str
    room_id: str
    message_id: str
    position: int


class Stream:
    """What one subscriber got over its whole life, however often it was resumed."""

    def __init__(self, name: str, room_ids: Iterable[str]) -> None:
        self.name = name
        self.room_ids = frozenset(room_ids)
        """Those that it is to hear of."""
        self.told: list[Told] = []
        self.arrivals: dict[str, float] = {}
        """When each message came first, by its key."""

    def take(self, told: Told, at: float) -> None:
        self.told.append(told)
        self.arrivals.setdefault(told.key, at)

    def has(self, key: str) -> bool:
        return key in self.arrivals


@dataclass(frozen=True, slots=True)
class Count:
    """What is wrong, each in words."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    unfounded: list[str] = field(default_factory=list)
    """Told to somebody who may not see it, or not as the history has it."""

    def __str__(self) -> str:
        kinds = (self.lost, self.duplicated, self.reordered, self.unfounded)
        return "\n".join(line for kind in kinds for line in _some(kind))


class Ledger:
    """The accounts of one load."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.streams: list[Stream] = []

    def acknowledge(self, message: Acknowledged) -> None:
        self.acknowledged[message.key] = message

    def is_complete(self) -> bool:
        return not any(self._missing())

    def count(self, history: Mapping[str, Sequence[Told]]) -> Count:
        count = Count()
        for room_id, told in history.items():
            count.duplicated.extend(
                f"{key} is in the history of {room_id} more than once"
                for key in _repeated(message.key for message in told)
            )
        kept = {message.message_id: message for told in history.values() for message in told}
        keys_kept = {message.key for message in kept.values()}
        for message in self.acknowledged.values():
            if message.key not in keys_kept or message.message_id not in {None, *kept}:
                count.lost.append(f"{message.key} is not in the history of {message.room_id}")
        for stream, message in self._missing():
            count.lost.append(f"{message.key} did not come to {stream.name}")
        for stream in self.streams:
            self._count_stream(count, stream, kept)
        return count

    def _count_stream(self, count: Count, stream: Stream, kept: Mapping[str, Told]) -> None:
        highest: dict[str, Told] = {}
        ids: set[str] = set()
        for message in stream.told:
            if message.message_id in ids:
                if not self._may_repeat(stream):
                    count.duplicated.append(f"{message.key} came to {stream.name} again")
                continue
            ids.add(message.message_id)
            if message.room_id not in stream.room_ids:
                count.unfounded.append(f"{message.key} is none of {stream.name}'s business")
            if not self._is_founded(message, kept):
                count.unfounded.append(f"{message} came to {stream.name}: the history differs")
            order = self._order_of(message)
            before = highest.get(order)
            if before is not None and message.position <= before.position:
                count.reordered.append(f"{message.key} came to {stream.name} after {before.key}")
            else:
                highest[order] = message

    def _missing(self) -> Iterator[tuple[Stream, Acknowledged]]:
        for stream in self.streams:
            for message in self.acknowledged.values():
                if message.room_id in stream.room_ids and not stream.has(message.key):
                    yield stream, message

    def _may_repeat(self, stream: Stream) -> bool:
        return False

    def _is_founded(self, message: Told, kept: Mapping[str, Told]) -> bool:
        return kept.get(message.message_id) == message

    def _order_of(self, message: Told) -> str:
        """Those of one order come by their positions."""
        return message.room_id


def _repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _some(lines: list[str], limit: int = 5) -> list[str]:
    return lines[:limit] + ([f"and {len(lines) - limit} more"] if len(lines) > limit else [])
