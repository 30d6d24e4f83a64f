"""Hearing of the end early."""

import asyncio
import signal

from application.signals import told_to_stop


async def test_both_hear_of_the_signal() -> None:
    heard = asyncio.Event()
    servers: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: servers.append(number))
    try:
        own = signal.getsignal(signal.SIGTERM)
        with told_to_stop(heard.set):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(heard.wait(), 5)
        assert servers == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_a_signal_that_nobody_handles_keeps_its_meaning() -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with told_to_stop(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
