"""The hub's work on a Redis Cluster, where each log has a clock of its own (docs/decisions/0016).

Every now and then all logs are found to have been handed out up to some moment. Live events tell by
their `doubt` how long before them that was. A subscription that resumes after one reads all logs
from that moment on, and the one that the event is of from the event on. So nothing is left out, and
what comes again is what may not have come before.
"""

from services.errors import Unavailable
from services.hub.cluster_checks import ClusterChecks
from services.hub.cluster_delivery import ClusterDelivery
from services.hub.cluster_subscription import ClusterSubscription
from services.hub.ear import Ear
from services.hub.handout import Handout
from services.hub.membership import Membership
from services.hub.subscription import Subscription
from services.hub.watches import Watches
from services.models import Message


class ManyClocks:
    """For each log there is a position up to which it was handed out: the delivery's."""

    subscription: type[Subscription] = ClusterSubscription

    def __init__(
        self,
        ear: Ear,
        membership: Membership,
        handout: Handout,
        delivery: ClusterDelivery,
        checks: ClusterChecks,
        watches: Watches,
    ) -> None:
        self._ear = ear
        self._membership = membership
        self._handout = handout
        self._delivery = delivery
        self._checks = checks
        self._watches = watches
        self.check_forever = checks.check_forever

    @property
    def hearing(self) -> int | None:
        return self._watches.hearing

    async def open(self) -> None:
        await self._delivery.open()
        self._watches.open()

    async def close(self) -> None:
        await self._watches.close()
        await self._delivery.close()

    def note_sent(self, message: Message, previous: int) -> None:
        """It is read like all others."""

    async def work(self) -> None:
        """What rings does not wait for this. Where a server is away that one step has to ask, the
        others are done all the same."""
        ear = self._ear
        while ear.has_missed or ear.moved or ear.envelopes:
            failure = None
            for step in (self._recheck, self._receive, self._catch_up):
                try:
                    await step()
                except Unavailable as unavailable:
                    failure = unavailable
            if failure is not None:
                raise failure

    async def _recheck(self) -> None:
        if self._ear.moved:
            await self._membership.recheck(self._ear.take_moved())

    async def _receive(self) -> None:
        if self._ear.envelopes:
            with self._ear.taken_envelopes() as envelopes:
                await self._handout.receive(envelopes)

    async def _catch_up(self) -> None:
        if self._ear.has_missed:
            self._ear.has_missed = False
            await self._checks.catch_up()
