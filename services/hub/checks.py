"""Checks on one store: is it the one it was, and did everything ring that it has?"""

import asyncio
from collections.abc import Awaitable, Callable

from services.errors import Unavailable
from services.hub.delivery import Delivery
from services.hub.ear import Ear
from services.hub.handout import Handout
from services.hub.register import Register
from services.log import Log
from services.redis.store import Store

CHECK_SECONDS = 2.0
"""How often is checked that nothing was missed, and that the store still has what was delivered."""


class Checks:
    def __init__(
        self,
        store: Store,
        log: Log,
        ear: Ear,
        register: Register,
        handout: Handout,
        delivery: Delivery,
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._log = log
        self._ear = ear
        self._register = register
        self._handout = handout
        self._delivery = delivery
        self._renew = renew

    async def check_forever(self) -> None:
        """A connection to a server that has been replaced, say, is alive and silent."""
        before = self._register.position
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._register.sweep()
            try:
                await self._store.epochs.refresh(self._store)
                is_other = (
                    self._store.epoch != self._register.epoch or await self._has_lost_something()
                )
                ring = self._ear.newest_ring
                now = await self._log.now()
                await self._ear.echo.say(now)
            except Unavailable:
                continue
            if is_other or not before <= ring <= now:
                self._ear.miss()
            before = now

    async def catch_up(self) -> None:
        """After a (re)connection: find what was stored meanwhile and deliver it like the rest."""
        await self._check_epoch()
        await self._renew()
        await self._delivery.catch_up()
        self._ear.newest_ring = self._register.position

    async def _check_epoch(self) -> None:
        """End every subscription that has seen what the store does not have any more."""
        store, register = self._store, self._register
        await store.epochs.refresh(store)
        if await self._has_lost_something():
            await store.epochs.refresh(store, lost=register.epoch)
        if store.epoch == register.epoch:
            return
        epoch = store.epoch
        reach = await store.epochs.reach(store, register.epoch)
        now = await self._log.now()
        register.expire(reach)
        register.position = min(register.position, now if reach is None else reach)
        register.epoch = epoch
        self._ear.newest_ring = register.position
        self._ear.echo.forget()
        self._handout.newest = None

    async def _has_lost_something(self) -> bool:
        """Whether something that was delivered in this epoch is not there."""
        if self._store.epoch != self._register.epoch:
            return False
        position, witness = self._register.position, self._handout.newest
        if await self._log.now() < position:
            return True
        if witness is None:
            return False
        log, event = witness
        return not await self._log.has(log, event.position)
