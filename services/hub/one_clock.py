"""The hub's work on a store with one clock for all logs (docs/decisions/0004)."""

from services.hub.checks import Checks
from services.hub.delivery import Delivery
from services.hub.ear import Ear
from services.hub.handout import Handout
from services.hub.membership import Membership
from services.hub.subscription import Subscription


class OneClock:
    """One position says how far everything was handed out: the register's."""

    subscription: type[Subscription] = Subscription

    def __init__(
        self,
        ear: Ear,
        membership: Membership,
        handout: Handout,
        delivery: Delivery,
        checks: Checks,
    ) -> None:
        self._ear = ear
        self._membership = membership
        self._handout = handout
        self._delivery = delivery
        self._checks = checks
        self.note_sent = delivery.note_sent
        self.check_forever = checks.check_forever

    @property
    def hearing(self) -> int | None:
        return self._ear.hearing

    async def open(self) -> None:
        await self._delivery.open()

    async def close(self) -> None:
        """All that it does ends with the hub's own tasks."""

    async def work(self) -> None:
        """What was missed goes first: it is older than what rang since."""
        ear, delivery = self._ear, self._delivery
        while ear.has_missed or ear.moved or delivery.rung or ear.envelopes:
            if ear.has_missed:
                ear.has_missed = False
                await self._checks.catch_up()
            elif ear.moved:
                await self._membership.recheck(ear.take_moved())
            elif delivery.rung:
                await delivery.deliver()
            else:
                with ear.taken_envelopes() as envelopes:
                    await self._handout.receive(envelopes)
        delivery.reach(ear.echo.heard)
