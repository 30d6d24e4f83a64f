"""The events of a stream, as the API tells them."""

from services import cursors
from services.models import CaughtUpEvent, MessageEvent, PresenceEvent, RoomEvent
from tests.unit.schema.fakes import EPOCH, FakeChat, context_of, follow

EVENTS = """subscription { events {
    __typename cursor
    ... on MessageAdded { edge { cursor node { id room { id } } } }
    ... on RoomAdded { room { id } }
    ... on PresenceChanged { user { id online } }
    ... on CaughtUp { replayed }
} }"""


async def test_each_kind_of_event() -> None:
    chat = FakeChat()
    message = chat.messages_of["0"][2]
    chat.events = [
        MessageEvent(message),
        RoomEvent(20, "1:2"),
        CaughtUpEvent(30, 2),
        PresenceEvent("1"),
    ]
    answers = await follow(context_of(chat), EVENTS)
    assert [answer.errors for answer in answers] == [[]] * 4
    place = cursors.encode(message.score, message.position, EPOCH)
    assert [answer.data["events"] for answer in answers] == [
        {
            "__typename": "MessageAdded",
            "cursor": place,
            "edge": {"cursor": place, "node": {"id": "message:0:3", "room": {"id": "room:0"}}},
        },
        {
            "__typename": "RoomAdded",
            "cursor": cursors.encode(20e-6, 20, EPOCH),
            "room": {"id": "room:1:2"},
        },
        {"__typename": "CaughtUp", "cursor": cursors.encode(30e-6, 30, EPOCH), "replayed": 2},
        {"__typename": "PresenceChanged", "cursor": None, "user": {"id": "user:1", "online": True}},
    ]


async def test_what_is_gone_is_not_told() -> None:
    chat = FakeChat()
    chat.events = [RoomEvent(20, "7"), PresenceEvent("99"), CaughtUpEvent(30, 0)]
    (answer,) = await follow(context_of(chat), EVENTS)
    assert answer.data["events"]["__typename"] == "CaughtUp"


async def test_every_event_asks_anew() -> None:
    chat = FakeChat()
    chat.events = [PresenceEvent("1"), PresenceEvent("1")]
    await follow(
        context_of(chat), "subscription { events { ... on PresenceChanged { user { id } } } }"
    )
    assert chat.asked == [("users", ["1"])] * 2
