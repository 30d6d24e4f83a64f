"""A TCP proxy that breaks on command, in the ways in which networks break."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

Address = tuple[str, int]

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time at all: closing sends RST instead of FIN."""


class Proxy:
    """Passes bytes between whoever connects to `address` and the target."""

    def __init__(self, target: Address, port: int = 0) -> None:
        """`port`: where it listens, if not anywhere."""
        self.address: Address = ("127.0.0.1", port)
        self.delay = 0.0
        """Seconds that everything takes longer in each direction."""
        self.links: set[Link] = set()
        self._silenced: set[str] = set()
        self._target = target
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where to ask when the target speaks HTTP."""
        host, port = self.address
        return f"http://{host}:{port}"

    async def open(self) -> None:
        """Take connections; after `refuse` at the same address again."""
        self._listener = await asyncio.start_server(self._serve, *self.address)
        self.address = self._listener.sockets[0].getsockname()

    def refuse(self) -> None:
        """Take no new connections; those that are there live on."""
        if self._listener is not None:
            self._listener.close()

    def cut(self) -> None:
        """Reset all connections."""
        for link in self.links:
            link.cut()

    def cut_replies_after(self, size: int) -> None:
        """Reset each connection when it has passed on so many more bytes from the target."""
        for link in self.links:
            link.reply_bytes_left = size

    def black_out(self) -> None:
        """Lose whatever the present connections carry from now on, and tell neither end."""
        for link in self.links:
            link.is_black = True

    def silence(self, *hosts: str) -> None:
        """Lose what comes from these hosts or goes there, on new connections, too."""
        self._silenced |= set(hosts)
        for link in self.links:
            link.is_black |= link.host in hosts

    def restore(self) -> None:
        """Let everybody through again, on new connections."""
        self._silenced.clear()
        for link in self.links:
            if link.is_black:
                link.cut()

    async def close(self) -> None:
        self.refuse()
        while self.links:
            self.cut()
            await asyncio.sleep(0.01)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            target = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(writer)
            return
        link = Link(self, (reader, writer), target)
        link.is_black = link.host in self._silenced
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)


class Link:
    """One connection through the proxy."""

    def __init__(
        self,
        proxy: Proxy,
        client: tuple[StreamReader, StreamWriter],
        target: tuple[StreamReader, StreamWriter],
    ) -> None:
        self.is_black = False
        self.reply_bytes_left: int | None = None
        self.is_left_by_target = False
        self._proxy = proxy
        self._client = client
        self._target = target
        self._over = asyncio.Event()

    @property
    def host(self) -> str:
        """From where its client has come."""
        return str(self._client[1].get_extra_info("peername")[0])

    @property
    def address_at_target(self) -> str:
        host, port = self._target[1].get_extra_info("sockname")
        return f"{host}:{port}"

    def cut(self) -> None:
        for _, writer in (self._client, self._target):
            _reset(writer)
        self._over.set()

    async def run(self) -> None:
        pumps = [
            asyncio.create_task(self._pump_requests()),
            asyncio.create_task(self._pump_replies()),
        ]
        await self._over.wait()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for _, writer in (self._client, self._target):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _pump_requests(self) -> None:
        await self._pump(self._client[0], self._target[1])
        self._end()

    async def _pump_replies(self) -> None:
        await self._pump(self._target[0], self._client[1], are_replies=True)
        self.is_left_by_target = True
        self._end()

    def _end(self) -> None:
        # Of a connection that has gone black neither end hears when the other one leaves.
        if not self.is_black:
            self._over.set()

    async def _pump(
        self, reader: StreamReader, writer: StreamWriter, *, are_replies: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._proxy.delay:
                    await asyncio.sleep(self._proxy.delay)
                if self.is_black:
                    continue
                if are_replies and self.reply_bytes_left is not None:
                    data = data[: self.reply_bytes_left]
                    self.reply_bytes_left -= len(data)
                writer.write(data)
                await writer.drain()
                if are_replies and self.reply_bytes_left == 0:
                    self.cut()


def _reset(writer: StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
