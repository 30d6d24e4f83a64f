"""`users` and `rooms`, on a store that a chat uses at the same time."""

import asyncio
from contextlib import aclosing

import pytest

from services import keys
from services.chat import Chat
from services.errors import NotFound, Unauthenticated
from services.hub.bells import Channels
from services.models import CaughtUpEvent, RoomEvent, Scope
from tests.cli.command import Outcome, parley


class Operator:
    """Somebody at the command line of a store."""

    def __init__(self, url: str, **settings: str) -> None:
        self._env = {"REDIS_ENDPOINT_URL": url, **settings}

    async def __call__(self, *words: str, stdin: str = "") -> Outcome:
        return await asyncio.to_thread(parley, *words, env=self._env, stdin=stdin)

    async def lines(self, *words: str, stdin: str = "") -> list[list[str]]:
        """What a command says that succeeds, in words."""
        outcome = await self(*words, stdin=stdin)
        assert outcome.status == 0, outcome
        return [line.split() for line in outcome.stdout.splitlines()]


@pytest.fixture
def operator(store_url: str) -> Operator:
    return Operator(store_url)


async def test_accounts_are_listed_and_shown(chat: Chat, operator: Operator) -> None:
    names = [["user:1", "Pablo"], ["user:2", "Joe"], ["user:3", "Mary"], ["user:4", "Alex"]]
    assert await operator.lines("users", "list") == names
    assert await operator.lines("users", "list", "--search", "A") == [names[0], *names[2:]]
    (mary,) = await chat.users.read_many(["3"])
    assert mary is not None
    await chat.presence.connect(mary)
    assert await operator.lines("users", "list", "--online") == [names[2]]
    await chat.sessions.create("3", "Firefox on Linux")
    user, presence, session, *rooms = await operator.lines("users", "show", "Mary")
    assert (user, presence) == (names[2], ["online"])
    assert session[:3] == ["logged", "in", "since"]
    assert session[-3:] == ["Firefox", "on", "Linux"]
    assert [words[1] for words in rooms] == ["room:0", "room:1:3", "room:2:3", "room:3:4"]


async def test_an_account_is_created_and_gets_another_password(
    chat: Chat, operator: Operator
) -> None:
    created = await operator.lines("users", "create", "Zoé", stdin="password456\n")
    assert created == [["user:5", "Zoé"]]
    user = await chat.users.authenticate("Zoé", "password456")
    token, _ = await chat.sessions.create(user.id)
    ended = asyncio.Event()
    key = chat.sessions.claimed(token)
    assert key is not None
    chat.watch_session(key, ended.set)
    changed = await operator.lines("users", "set-password", "user:5", stdin="password789")
    assert changed == [["1", "session", "ended."]]
    await asyncio.wait_for(ended.wait(), 10)
    assert await chat.sessions.resolve(token) is None
    with pytest.raises(Unauthenticated):
        await chat.users.authenticate("Zoé", "password456")
    await chat.users.authenticate("Zoé", "password789")
    assert await operator.lines("users", "log-out", "Zoé") == [["0", "sessions", "ended."]]


async def test_bots_are_shown_with_their_owners(chat: Chat, operator: Operator) -> None:
    scopes = [Scope.SEND, Scope.READ]
    _, token = await chat.bots.create("3", "Echo", scopes)
    *_, bot = [words for words in await operator.lines("users", "show", "Mary") if "has" in words]
    assert bot == ["has", "user:5", "Echo", "(bot)"]
    assert await operator.lines("rooms", "add", "room:0", "Echo") == [["Added."]]
    named, _, owner, issued, *rooms = await operator.lines("users", "show", "Echo")
    assert (named, owner) == (["user:5", "Echo", "(bot)"], ["of", "user:3", "Mary"])
    assert (issued[:2], issued[-3:]) == (["token", "since"], ["for", "READ,", "SEND"])
    assert rooms == [["in", "room:0", "General"]]
    assert await operator.lines("users", "log-out", "Echo") == [["1", "session", "ended."]]
    assert await chat.sessions.resolve(token) is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["users", "show", "nobody\x1b[2J"], "There is no user nobody�[2J"),
        (["users", "create", "pablo"], "This username is taken"),
        (["users", "set-password", "Mary"], "A password has at least 8 characters."),
        (["rooms", "show", "../0"], "There is no room ../0"),
        (["rooms", "show", "77"], "There is no room 77: give an id like room:0"),
        (["rooms", "show", "General"], "There is no room General: give an id like room:0"),
        (["rooms", "add", "77", "Mary"], "There is no such room."),
        (["rooms", "rename", "1:2", "Public"], "A private room has two users and no name."),
        (["rooms", "remove", "0", "Mary"], "Everybody is in General."),
        (["rooms", "create", "\N{RIGHT-TO-LEFT OVERRIDE}"], "The room's name has characters"),
    ],
)
async def test_what_cannot_be_done_is_one_line(
    chat: Chat, operator: Operator, words: list[str], reason: str
) -> None:
    stdin = "password123" if "create" in words else "short"
    outcome = await operator(*words, stdin=stdin)
    assert outcome.status == 1
    assert outcome.reason.startswith(reason)


async def test_a_named_room_is_created_and_kept(chat: Chat, operator: Operator) -> None:
    kinds = (RoomEvent, CaughtUpEvent)
    async with aclosing(chat.hub.subscribe("3", kinds)) as events:
        assert isinstance(await asyncio.wait_for(anext(events), 10), CaughtUpEvent)
        room = [["room:1001", "Project", "X"]]
        assert await operator.lines("rooms", "create", "Project X", "--member", "Mary") == room
        added = await asyncio.wait_for(anext(events), 10)
        assert isinstance(added, RoomEvent)
        assert added.room_id == "1001"
    assert await operator.lines("rooms", "add", "1001", "Joe") == [["Added."]]
    assert await operator.lines("rooms", "remove", "room:1001", "Mary") == [["Removed."]]
    assert await chat.store.call("SISMEMBER", keys.user_rooms("3"), "1001") == 0
    await operator.lines("rooms", "rename", "1001", "Project Y")
    await chat.messages.send("2", await chat.rooms.visible("2", "1001"), "hi")
    named, size, *members = await operator.lines("rooms", "show", "1001")
    assert (named, size[:2]) == (["room:1001", "Project", "Y"], ["1", "message,"])
    assert members == [["with", "user:2", "Joe"]]
    listed = await operator.lines("rooms", "list")
    assert sorted(words[:2] for words in listed) == [["1", "room:1001"], ["5", "room:0"]]


async def test_every_room_has_an_id_of_its_own(chat: Chat) -> None:
    await chat.store.call("SET", keys.room_name("1002"), "Taken by another server")
    made = await asyncio.gather(*(chat.named_rooms.create("Same name") for _ in range(20)))
    assert len({room.id for room in made} - {"1002"}) == 20
    with pytest.raises(NotFound):
        await chat.named_rooms.rename("1022", "Nobody's")


@pytest.mark.parametrize("channels", [Channels.SHARDED])
async def test_what_nobody_would_hear_is_not_done(
    chat: Chat, operator: Operator, store_url: str
) -> None:
    refused = await operator("rooms", "create", "Project X")
    assert refused.status == 1
    assert refused.reason == (
        "CHANNELS is shared here and sharded in a server that uses the same store: they would not"
        " hear each other. Set CHANNELS=sharded, as the server has it."
    )
    assert [room async for room in chat.named_rooms.all() if room.name == "Project X"] == []
    alike = Operator(store_url, CHANNELS="sharded")
    ((room, *_),) = await alike.lines("rooms", "create", "Project X")
    async with aclosing(chat.hub.subscribe("3", {RoomEvent, CaughtUpEvent})) as stream:
        assert isinstance(await anext(stream), CaughtUpEvent)
        assert await alike.lines("rooms", "add", room, "Mary") == [["Added."]]
        event = await asyncio.wait_for(anext(stream), 10)
        assert isinstance(event, RoomEvent)
        assert f"room:{event.room_id}" == room
    # Who is no server does not count as one.
    assert await chat.fleet.servers() == 1
