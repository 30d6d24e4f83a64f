"""Responses for a transport that takes one at a time and waits in between."""

import asyncio
from collections import deque
from typing import Self

from execution.stream import ResponseStream

_MAX_BYTES = 128 * 1024
"""What may wait of the live responses that are made for many; the rest is read again later."""


class Inbox:
    """The responses of a stream, as an asynchronous iterator."""

    def __init__(self, stream: ResponseStream) -> None:
        self._stream = stream
        self._heard: deque[bytes] = deque()
        self._bytes = 0
        self._sharing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._heard:
                response = self._heard.popleft()
                self._bytes -= len(response)
                return response
            if self._sharing is None:
                pulled = await self._stream.pull()
                if pulled is not None:
                    return pulled
                self._share()
            self._wake.clear()
            await self._wake.wait()

    async def aclose(self) -> None:
        if self._sharing is not None:
            self._sharing.cancel()
            await asyncio.gather(self._sharing, return_exceptions=True)
        await self._stream.aclose()

    def _share(self) -> None:
        self._sharing = asyncio.create_task(self._stream.share(self._hear))
        self._sharing.add_done_callback(self._stop_sharing)

    def _stop_sharing(self, sharing: "asyncio.Task[None]") -> None:
        self._sharing = None
        self._wake.set()

    def _hear(self, response: bytes) -> bool:
        if self._heard and self._bytes + len(response) > _MAX_BYTES:
            return False
        self._heard.append(response)
        self._bytes += len(response)
        self._wake.set()
        return True
