"""The ledger of a load where stores lose what they had, and streams begin anew."""

from collections.abc import Iterable, Mapping

from application.loadtest import ledger
from application.loadtest.ledger import Acknowledged, Told


class Stream(ledger.Stream):
    """One that may read a history and go on from there."""

    def __init__(self, name: str, room_ids: Iterable[str]) -> None:
        super().__init__(name, room_ids)
        self._known: set[str] = set()

    def reload(self, known: set[str]) -> None:
        """Begin anew with a history that was read: what the client knows without being told."""
        self.told.clear()
        self.arrivals.clear()
        self._known = known

    def has(self, key: str) -> bool:
        return super().has(key) or key in self._known


class Ledger(ledger.Ledger):
    """The accounts of one load, and when all was well again."""

    one_clock = True
    """Whether the positions of all rooms are in one order. Otherwise those of each are, and who
    follows several of them may hear again what came shortly before a cursor."""
    may_vanish = False
    """Whether the store may lose what was told and not acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self._since = 0.0

    def acknowledge_attempt(self, message: Acknowledged, attempted: float) -> None:
        """`attempted` is when the attempt began that was answered."""
        if attempted >= self._since:
            self.acknowledge(message)

    def forget_before(self, moment: float) -> None:
        """What was attempted earlier was lost by the store, as everybody knows."""
        self._since = moment
        self.acknowledged.clear()

    def recovered_at(self, since: float) -> float | None:
        """When, in every room, a message sent after a moment had come to all; None if not yet."""
        room_ids = {message.room_id for message in self.acknowledged.values()}
        moments = [self._recovered_in(room_id, since) for room_id in room_ids]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

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

    def _may_repeat(self, stream: ledger.Stream) -> bool:
        return not self.one_clock and len(stream.room_ids) > 1

    def _is_founded(self, message: Told, kept: Mapping[str, Told]) -> bool:
        has_vanished = self.may_vanish and message.message_id not in kept
        return has_vanished or super()._is_founded(message, kept)

    def _order_of(self, message: Told) -> str:
        return "all" if self.one_clock else super()._order_of(message)
