"""What waits for one subscriber: who came and went is in no log, the rest has a bound."""

from services.hub.subscription import MAX_WAITING_BYTES, LiveEvent, Subscription
from services.models import Message, MessageEvent, PresenceEvent


def following() -> Subscription:
    subscription = Subscription("1", None, (MessageEvent, PresenceEvent))
    subscription.follow()
    return subscription


def said(position: int, text: str = "Hello") -> MessageEvent:
    return MessageEvent(Message("0", "2", text, position, position / 1e6, None))


def taken(subscription: Subscription) -> list[LiveEvent]:
    events = []
    while (event := subscription.take()) is not None:
        events.append(event)
    return events


def test_what_waits_is_counted_and_when_it_is_taken_nothing_does() -> None:
    subscription = following()
    events: list[LiveEvent] = [said(1), PresenceEvent("3"), said(2)]
    for event in events:
        subscription.put(event)
    assert subscription.waiting_bytes > 0
    assert taken(subscription) == events
    assert subscription.waiting_bytes == 0


def test_who_falls_behind_keeps_who_came_and_went() -> None:
    subscription = following()
    for event in (
        PresenceEvent("3"),
        said(1),
        PresenceEvent("4"),
        said(2, "x" * MAX_WAITING_BYTES),
    ):
        subscription.put(event)
    assert subscription.is_behind
    assert taken(subscription) == [PresenceEvent("3"), PresenceEvent("4")]
    assert subscription.waiting_bytes == 0


def test_who_comes_and_goes_waits_once() -> None:
    """How it is with them is told when it is taken."""
    subscription = following()
    for user_id in ("3", "4", "3", "3"):
        subscription.put(PresenceEvent(user_id))
    assert taken(subscription) == [PresenceEvent("3"), PresenceEvent("4")]
    subscription.put(PresenceEvent("3"))
    assert taken(subscription) == [PresenceEvent("3")]


def test_a_crowd_that_comes_and_goes_makes_nobody_read_the_log() -> None:
    subscription = following()
    crowd = [PresenceEvent(str(number)) for number in range(1, 5_001)]
    for event in crowd:
        subscription.put(event)
    assert not subscription.is_behind
    assert taken(subscription) == crowd
