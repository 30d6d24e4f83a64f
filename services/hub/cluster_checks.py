"""Checks on a Redis Cluster: was it emptied, and was everything handed out that its logs have?"""

import asyncio
from collections.abc import Awaitable, Callable

from services.errors import Unavailable
from services.hub.checks import CHECK_SECONDS
from services.hub.cluster_delivery import ClusterDelivery
from services.hub.ear import Ear
from services.hub.register import Register
from services.log import Log
from services.redis.store import Store


class ClusterChecks:
    def __init__(
        self,
        store: Store,
        log: Log,
        ear: Ear,
        register: Register,
        delivery: ClusterDelivery,
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._log = log
        self._ear = ear
        self._register = register
        self._delivery = delivery
        self._renew = renew

    async def check_forever(self) -> None:
        """Every now and then: was everything handed out that the logs had at the last check?"""
        delivery = self._delivery
        moment, due = delivery.sound, dict[str, int]()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._register.sweep()
            try:
                await self._store.epochs.refresh(self._store)
                now = await self._log.now()
                # All that are followed now: each of them counts up to this moment.
                clocks = await self._log.clocks(self._register.logs())
            except Unavailable:
                continue
            followed = self._register.logs()
            if self._store.epoch != self._register.epoch:
                self._ear.miss()
            if all(delivery.place(log) >= due[log] for log in due.keys() & followed):
                delivery.confirm(moment)
            delivery.forget_others(followed)
            for log, clock in clocks.items():
                if clock > delivery.place(log):
                    delivery.read_soon(log, clock)
            moment, due = now, clocks

    async def catch_up(self) -> None:
        """After a (re)connection: find what was stored meanwhile and deliver it like the rest."""
        # First: what follows waits for servers that may be away. Rings do not wait for it either.
        self._delivery.catch_up()
        await self._check_epoch()
        await self._renew()

    async def _check_epoch(self) -> None:
        """End every subscription when the cluster was emptied."""
        await self._store.epochs.refresh(self._store)
        if self._store.epoch == self._register.epoch:
            return
        self._register.expire(None)
        self._delivery.begin_anew(await self._log.now())
        self._register.epoch = self._store.epoch
