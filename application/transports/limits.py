"""Bounds on what one client may cost."""

from dataclasses import dataclass

STALL_SECONDS = 5.0
"""How long a client may take nothing while something waits for it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one socket.

    With what waits in the hub and in the transport, a subscriber that does not read costs less
    than 1 MB.
    """

    init_seconds: float = 10.0
    ping_seconds: float = 14.0
    """How often sockets are pinged; also how long they may take to say something after it."""
    max_operations: int = 100
    """At a time, subscriptions included."""
    max_subscriptions: int = 100
    operations_size: int = 512 * 1024
    """Characters of the requests whose operations run; the only one may have any size."""
    operations_weight: int = 20_000
    """Tokens of the documents of these, each counted once, and fields of their plans: 400 to 1,200
    bytes for each of it. The only one may have any weight."""
    result_bytes: int = 128 * 1024
    """Operations wait while this much waits to be read."""
    other_bytes: int = 256 * 1024
    """Pongs and refusals cannot wait: who leaves more of them unread is closed at once."""
    stall_seconds: float = STALL_SECONDS
    drain_seconds: float = 2.5
    """How long operations may go on when the session ends or the server stops."""
