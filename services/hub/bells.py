"""Bells: how the processes of one store tell each other that a log has grown.

A ring is "the log room:0 has grown to this position". All logs may ring on one channel that every
process hears, or each on a channel of its own, in the slot of its log: a sharded channel, which
only those listen to who have subscribers for it. All processes of a store ring in the same way.
"""

from enum import StrEnum

from services import keys

Way = tuple[str, str]
"""The command that publishes, and the channel."""

PRESENCE = "presence"
"""Rings when somebody comes or goes; it is the name of no log."""


class Channels(StrEnum):
    """Which channels there are; the setting CHANNELS."""

    SHARED = "shared"
    """MESSAGES, for the servers that are not Parley, and one channel for all logs."""
    BOTH = "both"
    """MESSAGES, and a sharded channel for each log."""
    SHARDED = "sharded"
    """A sharded channel for each log: for Parley alone."""

    @property
    def is_sharded(self) -> bool:
        return self is not Channels.SHARED

    @property
    def envelopes(self) -> str:
        """The channel for what is told to other servers, '' where there are none."""
        return "" if self is Channels.SHARDED else keys.MESSAGES_CHANNEL

    @property
    def presence(self) -> Way:
        """Where envelopes say who came and went."""
        if self is Channels.SHARDED:
            return "SPUBLISH", bell(PRESENCE)
        return "PUBLISH", keys.MESSAGES_CHANNEL

    def bell(self, log: str) -> Way:
        """How a log rings, by its name (`room:0`, `user:4`)."""
        return ("SPUBLISH", bell(log)) if self.is_sharded else ("PUBLISH", keys.LOG_CHANNEL)


def bell(name: str) -> str:
    """The sharded channel of a log, or of PRESENCE."""
    return keys.PRESENCE_BELL if name == PRESENCE else keys.bell(name)
