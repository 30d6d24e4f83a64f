"""The echo: how a process that does not hear everybody knows what it has heard (0015)."""

from services import keys
from services.hub.bells import Channels
from services.redis.store import Store


class Echo:
    """It says the present moment on a channel that it alone hears."""

    def __init__(self, store: Store, channels: Channels, server_id: str) -> None:
        self._store = store
        is_needed = channels.is_sharded and not store.is_cluster
        self.channel = keys.echo(server_id) if is_needed else None
        """None where all logs ring on one channel, or have clocks of their own to compare."""
        self._said = 0
        """The moment that was said last."""
        self.heard = 0
        """The one that came back last: all that rang before was heard."""

    async def say(self, now: int) -> None:
        if self.channel is not None:
            self._said = now
            await self._store.call("SPUBLISH", self.channel, now)

    def hear(self, data: bytes) -> None:
        if data == b"%d" % self._said:
            self.heard = self._said

    def forget(self) -> None:
        self._said = self.heard = 0
