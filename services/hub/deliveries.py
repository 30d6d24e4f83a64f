"""What the hub has done, in plain numbers for whoever wants to know."""

import time
from dataclasses import dataclass, field

from services.durations import Durations

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(slots=True)
class Deliveries:
    """Counted for a whole audience at a time, never for each of its members."""

    shared: int = 0
    """Events told to members of audiences, once for each member."""
    own: int = 0
    """Events that subscribers took one by one: replayed, or selected by nobody else."""
    left: int = 0
    """How often a member left its audience because its socket was behind."""
    catch_ups: int = 0
    """How often the logs were searched for what might have been missed."""
    delays: Durations = field(default_factory=lambda: Durations(_BOUNDS))
    """From the first ring of what is delivered together until it is with the sockets."""
    _rung_at: float | None = None
    """When that rang which waits; None while nothing does."""
    _taken_rung_at: float | None = None
    """The same of what is being delivered."""

    def ring(self) -> None:
        if self._rung_at is None:
            self._rung_at = time.perf_counter()

    def take(self) -> None:
        """All that has rung is being delivered from now on."""
        self._taken_rung_at, self._rung_at = self._rung_at, None

    def done(self) -> None:
        """What was taken is delivered."""
        if self._taken_rung_at is not None:
            self.delays.add(time.perf_counter() - self._taken_rung_at)
            self._taken_rung_at = None

    def wait_since(self, moment: float | None) -> None:
        """What has rung first of several deliveries that go side by side; None: nothing waits."""
        self._rung_at = moment

    @property
    def lag(self) -> float:
        """For how many seconds that waits which rang first and is not delivered; 0 for nothing."""
        began = self._rung_at if self._taken_rung_at is None else self._taken_rung_at
        return 0.0 if began is None else time.perf_counter() - began
