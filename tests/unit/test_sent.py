"""What this process has sent and need not read back."""

from services.hub.sent import SentMessages
from services.models import Message, MessageEvent


def message(room_id: str, position: int) -> Message:
    return Message(room_id, "1", f"{position}", position, position / 1e6, None)


def test_what_rang_comes_in_the_order_of_the_positions() -> None:
    sent = SentMessages()
    for room_id, position, previous in [("0", 11, 3), ("5", 12, 0), ("0", 13, 11), ("0", 14, 13)]:
        sent.add(message(room_id, position), previous)
    assert sent.take({"room:0": {11, 13}, "room:5": {12}}, 10) == [
        ("room:0", MessageEvent(message("0", 11))),
        ("room:5", MessageEvent(message("5", 12))),
        ("room:0", MessageEvent(message("0", 13))),
    ]
    assert sent.take({"room:0": {14}}, 13) == [("room:0", MessageEvent(message("0", 14)))]


def test_what_is_no_news_is_nothing() -> None:
    assert SentMessages().take({"room:0": {10}}, 10) == []


def test_what_another_process_wrote_has_to_be_read() -> None:
    sent = SentMessages()
    sent.add(message("0", 13), 11)
    assert sent.take({"room:0": {13}}, 10) is None
    sent.add(message("0", 13), 11)
    assert sent.take({"room:0": {13, 14}}, 12) is None
    sent.add(message("0", 13), 11)
    assert sent.take({"room:0": {13}, "user:1": {12}}, 11) is None
    assert sent.take({"room:5": {13}}, 11) is None


def test_what_never_rings_is_forgotten() -> None:
    sent = SentMessages()
    for position in range(1, 1001):
        sent.add(message("0", position), position - 1)
    assert sent.take({"room:0": {1}}, 0) is None
    assert sent.take({"room:0": {999}}, 998) is not None
    sent.forget()
    assert sent.take({"room:0": {1000}}, 999) is None
