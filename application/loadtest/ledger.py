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
        self._known: set[str] = set()

    def take(self, told: Told, at: float) -> None:
        self.told.append(told)
        self.arrivals.setdefault(told.key, at)

    def reload(self, known: set[str]) -> None:
        """Begin anew with a history that was read: what the client knows without being told."""
        self.told.clear()
        self.arrivals.clear()
        self._known = known

    def has(self, key: str) -> bool:
        return key in self.arrivals or key in self._known


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

    one_clock = True
    """Whether the positions of all rooms are in one order. Otherwise those of each are, and who
    follows several of them may hear again what came shortly before a cursor."""
    may_vanish = False
    """Whether the store may lose what was told and not acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Acknowledged] = {}
        self.streams: list[Stream] = []
        self._since = 0.0

    def acknowledge(self, message: Acknowledged, attempted: float) -> None:
        """`attempted` is when the attempt began that was answered."""
        if attempted >= self._since:
            self.acknowledged[message.key] = message

    def forget_before(self, moment: float) -> None:
        """What was attempted earlier was lost by the store, as everybody knows."""
        self._since = moment
        self.acknowledged.clear()

    def is_complete(self) -> bool:
        return not any(self._missing())

    def recovered_at(self, since: float) -> float | None:
        """When, in every room, a message sent after a moment had come to all; None if not yet."""
        room_ids = {message.room_id for message in self.acknowledged.values()}
        moments = [self._recovered_in(room_id, since) for room_id in room_ids]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

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
                if self.one_clock or len(stream.room_ids) == 1:
                    count.duplicated.append(f"{message.key} came to {stream.name} again")
                continue
            ids.add(message.message_id)
            if message.room_id not in stream.room_ids:
                count.unfounded.append(f"{message.key} is none of {stream.name}'s business")
            if kept.get(message.message_id) != message and not (
                self.may_vanish and message.message_id not in kept
            ):
                count.unfounded.append(f"{message} came to {stream.name}: the history differs")
            order = "all" if self.one_clock else message.room_id
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

    def _recovered_in(self, room_id: str, since: float) -> float | None:
        listeners = [stream for stream in self.streams if room_id in stream.room_ids]
        for message in self.acknowledged.values():
            if (
                message.room_id == room_id
                and message.first_sent >= since
                and all(message.key in stream.arrivals for stream in listeners)
            ):
                return max(stream.arrivals[message.key] for stream in listeners)
        return None


def _repeated(keys: Iterable[str]) -> list[str]:
    return [key for key, times in Counter(keys).items() if times > 1]


def _some(lines: list[str], limit: int = 5) -> list[str]:
    return lines[:limit] + ([f"and {len(lines) - limit} more"] if len(lines) > limit else [])
