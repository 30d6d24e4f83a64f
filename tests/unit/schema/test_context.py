"""What the fields of an operation share: the viewer and the loaders."""

import asyncio
from collections.abc import Collection

import pytest

from schema.context import Context
from services.errors import Unauthenticated, Unavailable
from services.models import Session
from tests.unit.schema.fakes import (
    SESSION,
    TOKEN,
    FakeChat,
    FakeCookies,
    context_of,
    execute,
    follow,
)


class Resolving(FakeChat):
    """Counts how often a token is looked up; it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_up: list[str] = []

    async def resolve(self, token: str, counted: Collection[str] = ()) -> Session | None:
        self.looked_up.append(token)
        await asyncio.sleep(0.01)
        return SESSION


async def test_the_token_is_looked_up_by_those_who_ask_first() -> None:
    chat = Resolving()
    context = context_of(chat, session=None, token=TOKEN)
    answer = await execute(context, "{ me { id } rooms { nodes { id } } users { nodes { id } } }")
    assert answer.errors == []
    assert chat.looked_up == [TOKEN] * 3
    await context.viewer()
    assert chat.looked_up == [TOKEN] * 3


async def test_a_forged_token_has_the_store_asked_once() -> None:
    asked: list[str] = []

    async def ask(user_id: str) -> None:
        asked.append(user_id)
        await asyncio.sleep(0)

    context = context_of(FakeChat(), session=None, token="1." + "A" * 43)
    outcomes = await asyncio.gather(
        *(context.on_behalf_of_reader(ask) for _ in range(20)), return_exceptions=True
    )
    assert all(isinstance(outcome, Unauthenticated) for outcome in outcomes)
    assert asked == ["1"]


async def test_nobody_is_looked_up_when_nobody_asks() -> None:
    chat = Resolving()
    answer = await execute(context_of(chat, session=None, token=TOKEN), "{ __typename }")
    assert answer.data == {"__typename": "Query"}
    assert chat.looked_up == []


async def test_whoever_stops_waiting_does_not_stop_the_others() -> None:
    context = context_of(Resolving(), session=None, token=TOKEN)
    gone, stays = (asyncio.create_task(context.viewer()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays is SESSION


async def test_a_failing_field_ends_only_what_it_has_to() -> None:
    chat = FakeChat()
    # Both fields wait for the presence of user 1 when `b` fails.
    chat.presence_delay, chat.page_failure = 0.1, Unavailable("Try again.")
    answer = await execute(
        context_of(chat),
        """{
            a: user(id: "user:1") { online }
            b: room(id: "room:0") {
                members { nodes { online } }
                messages { nodes { id } }
            }
        }""",
    )
    assert answer.data == {"a": {"online": True}, "b": None}
    assert answer.codes == ["UNAVAILABLE"]


ANONYMOUS = [
    '{ node(id: "user:1") { id } }',
    '{ nodes(ids: ["user:1"]) { id } }',
    '{ user(id: "user:1") { id } }',
    "{ users(first: 0) { nodes { id } } }",
    '{ room(id: "room:0") { id } }',
    "{ eventCursor }",
    '{ rooms(after: "x") { nodes { id } } }',
    '{ messages(roomId: "room:0") { nodes { id } } }',
    '{ messages(roomId: "x") { nodes { id } } }',
    '{ messages(roomId: "room:0", first: 0) { nodes { id } } }',
    '{ messages(roomId: "room:0", after: "x") { nodes { id } } }',
    'mutation { sendMessage(input: { roomId: "room:0", text: "" }) { message { id } } }',
    'mutation { sendMessage(input: { roomId: "x", text: "hello" }) { message { id } } }',
    'mutation { openPrivateRoom(input: { userId: "x" }) { room { id } } }',
]


@pytest.mark.parametrize(
    "token", [None, "nonsense", TOKEN], ids=["no token", "no token's form", "ended"]
)
@pytest.mark.parametrize("document", ANONYMOUS)
async def test_a_stranger_hears_of_nothing_but_being_one(document: str, token: str | None) -> None:
    answer = await execute(context_of(FakeChat(), session=None, token=token), document)
    assert answer.codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    "document",
    [
        'subscription { messageAdded(roomId: "x") { cursor } }',
        'subscription { messageAdded(after: "x") { cursor } }',
        "subscription { roomAdded { id } }",
        "subscription { presenceChanged { id } }",
        'subscription { events(after: "x") { cursor } }',
    ],
)
async def test_a_stranger_follows_nothing(document: str) -> None:
    context = context_of(FakeChat(), session=None, token=TOKEN)
    with pytest.raises(Unauthenticated):
        await follow(context, document)


async def test_strangers_may_ask_who_they_are_and_leave() -> None:
    context = context_of(FakeChat(), session=None, token=TOKEN)
    assert (await execute(context, "{ me { id } }")).data == {"me": None}
    answer = await execute(context, "mutation { logout { user { id } } }")
    assert answer.data == {"logout": {"user": None}}


async def test_logging_out_takes_the_cookie() -> None:
    chat, cookies = FakeChat(), FakeCookies()
    context = Context(chat.in_services(), session=SESSION, cookies=cookies)
    answer = await execute(context, "mutation { logout { user { username } } }")
    assert answer.data == {"logout": {"user": {"username": "u1"}}}
    assert chat.ended
    assert cookies.calls == [("clear",)]


async def test_the_cookie_stays_while_the_session_does() -> None:
    chat, cookies = FakeChat(), FakeCookies()
    chat.end_failure = Unavailable("Try again.")
    context = Context(chat.in_services(), session=SESSION, cookies=cookies)
    answer = await execute(context, "mutation { logout { user { id } } }")
    assert answer.codes == ["UNAVAILABLE"]
    assert cookies.calls == []
