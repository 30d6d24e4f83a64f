"""How long things took."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Durations:
    """Counts of durations by size, in seconds; adding one costs next to nothing.

    Never less than before: what somebody reads now and then tells what came between.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        """Ascending; a duration counts for the first that it does not exceed."""
        self.counts = [0] * (len(bounds) + 1)
        """For each of the bounds, and for what exceeds all of them."""
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def cumulated(self) -> list[int]:
        """How many did not exceed each of the bounds and, last, how many there are."""
        return list(accumulate(self.counts))
