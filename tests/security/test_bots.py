"""Bots: what their tokens are good for, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Protocol

import httpx
import pytest
import redis
from gql.transport.exceptions import TransportError, TransportQueryError
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

from resolvers.root import build_schema
from tests.api.client import Failed, User, subscription
from tests.security.accounts import answer, guess, refusal
from tests.security.conftest import Serve, Visit
from tests.servers import Server

CREATE = (
    "mutation($input: CreateBotInput!) { createBot(input: $input)"
    " { token bot { id scopes user { username isBot } } } }"
)
ROTATE = (
    "mutation($input: RotateBotTokenInput!) { rotateBotToken(input: $input)"
    " { token bot { scopes } } }"
)
REVOKE = (
    "mutation($input: RevokeBotTokenInput!) { revokeBotToken(input: $input)"
    " { bot { scopes tokenIssuedAt } } }"
)
DELETE = "mutation($input: DeleteBotInput!) { deleteBot(input: $input) { bot { id } } }"
ADD = "mutation($input: AddBotToRoomInput!) { addBotToRoom(input: $input) { room { id } } }"
REMOVE = (
    "mutation($input: RemoveBotFromRoomInput!) { removeBotFromRoom(input: $input) { room { id } } }"
)
BOTS = "{ bots { id scopes createdAt tokenIssuedAt lastUsedAt rooms { nodes { id } } } }"
EVENTS = "subscription { events { __typename } }"
GENERAL = "room:0"
READ, SEND = ["READ"], ["SEND"]
BOTH = [*READ, *SEND]

SCHEMA = build_schema()._schema
ROOTS = {
    "query": SCHEMA.query_type,
    "mutation": SCHEMA.mutation_type,
    "subscription": SCHEMA.subscription_type,
}
FOR_NOBODY = {"register", "login"}
"""They are for who is not logged in, so it does not matter who calls."""
FOR_ALL_BOTS = {"me"}
FOR_PEOPLE = {"sessions", "bots"}


class Create(Protocol):
    """Creates a bot of the owner's."""

    async def __call__(
        self, owner: User, name: str = "Echo", scopes: Sequence[str] = BOTH
    ) -> User: ...


Call = Callable[[str, str], User]
"""Makes a caller with a token, on the server at an address."""


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    callers: list[User] = []

    def make(url: str, token: str) -> User:
        callers.append(User(url))
        callers[-1].token = token
        return callers[-1]

    yield make
    for caller in callers:
        await caller.http.aclose()


@pytest.fixture
def create(call: Call) -> Create:
    async def make(owner: User, name: str = "Echo", scopes: Sequence[str] = BOTH) -> User:
        data = await owner(CREATE, input={"username": name, "scopes": scopes})
        bot = call(owner.url, data["createBot"]["token"])
        bot.id = data["createBot"]["bot"]["id"]
        return bot

    return make


async def add(owner: User, bot: User, room: str = GENERAL) -> None:
    await owner(ADD, input={"botId": bot.id, "roomId": room})


async def code_of(user: User, document: str, **variables: Any) -> str:
    error = await refusal(user, document, **variables)
    return str(error["extensions"]["code"])


def literal(type_: GraphQLInputType) -> str:
    """Some value of the type."""
    of = get_nullable_type(type_)
    named = get_named_type(type_)
    if isinstance(of, GraphQLList):
        return f"[{literal(of.of_type)}]"
    if isinstance(named, GraphQLInputObjectType):
        fields = [
            f"{name}: {literal(field.type)}"
            for name, field in named.fields.items()
            if is_required_input_field(field)
        ]
        return f"{{{', '.join(fields)}}}"
    if isinstance(named, GraphQLEnumType):
        return str(next(iter(named.values)))
    return {"ID": f'"{GENERAL}"', "Int": "1", "Boolean": "true"}.get(named.name, '"x"')


def selection(name: str, field: GraphQLField) -> str:
    """The field with what it needs."""
    given = ", ".join(
        f"{argument_name}: {literal(argument.type)}"
        for argument_name, argument in field.args.items()
        if is_required_argument(argument)
    )
    arguments = f"({given})" if given else ""
    below = " { __typename }" if is_composite_type(get_named_type(field.type)) else ""
    return f"{name}{arguments}{below}"


def root_fields(kinds: Iterable[str] = ROOTS) -> list[tuple[str, str, str]]:
    """Kind, name and selection of each."""
    return [
        (kind, name, selection(name, field))
        for kind in kinds
        if (root := ROOTS[kind]) is not None
        for name, field in root.fields.items()
    ]


def may(kind: str, name: str, scopes: Sequence[str]) -> bool:
    if name in FOR_NOBODY | FOR_ALL_BOTS:
        return True
    if name in FOR_PEOPLE:
        return False
    return name == "sendMessage" and scopes != READ if kind == "mutation" else scopes != SEND


async def codes(user: User, document: str) -> set[str]:
    """The codes of the errors of an operation, of its first event where it goes on."""
    async with user.http.stream(
        "POST",
        "/graphql",
        json={"query": document},
        headers={"accept": "text/event-stream", **user.headers},
    ) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                body = httpx.Response(200, text=line.removeprefix("data: ")).json()
                return {error["extensions"]["code"] for error in body.get("errors", ())}
            if line == ":":
                return set()  # It has begun.
    raise AssertionError("It has ended without a word.")


@pytest.mark.parametrize("scopes", [READ, SEND, BOTH], ids="+".join)
async def test_each_operation_is_for_its_scope(
    serve: Serve, visit: Visit, create: Create, scopes: list[str]
) -> None:
    server = serve(RATE_LIMITS="off")
    pablo = await visit(server).log_in("Pablo")
    bot = await create(pablo, scopes=scopes)
    await add(pablo, bot)
    for kind, name, selected in root_fields(["query", "mutation"]):
        body = await answer(bot, f"{kind} {{ {selected} }}")
        refused = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert ("FORBIDDEN" in refused) is not may(kind, name, scopes), (name, body)
    async with bot.socket() as socket:
        for kind, name, selected in root_fields():
            if kind == "subscription" and may(kind, name, scopes):
                continue
            # Whatever it is called, and wherever it stands.
            document = (
                f"{kind} {{ ...Hidden }} fragment Hidden on {kind.capitalize()}"
                f" {{ ... {{ me: {selected} }} }}"
            )
            try:
                async for _ in socket.subscribe(subscription(document)):
                    break
                errors: list[dict[str, Any]] = []
            except TransportQueryError as error:
                errors = error.errors or []
            forbidden = any(each["extensions"]["code"] == "FORBIDDEN" for each in errors)
            assert forbidden is not may(kind, name, scopes), (name, errors)
            if kind == "subscription":
                assert await codes(bot, f"{kind} {{ {selected} }}") == {"FORBIDDEN"}, name


async def test_one_field_that_is_allowed_opens_no_other(
    serve: Serve, visit: Visit, create: Create
) -> None:
    server = serve(MAX_BATCH_SIZE="2")
    pablo = await visit(server).log_in("Pablo")
    sender = await create(pablo, "Sender", SEND)
    reader = await create(pablo, "Reader", READ)
    for bot in (sender, reader):
        await add(pablo, bot)
    body = await answer(
        sender, '{ a: me { username } messages(roomId: "room:0") { nodes { text } } b: me { id } }'
    )
    assert body["data"] is None
    batch = [{"query": "{ me { username } }"}, {"query": "{ eventCursor }"}]
    allowed, refused = (
        await sender.http.post("/graphql", json=batch, headers=sender.headers)
    ).json()
    assert allowed == {"data": {"me": {"username": "Sender"}}}
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    send = 'sendMessage(input: {roomId: "room:0", text: "x"}) { message { id } }'
    body = await answer(reader, f"mutation {{ a: {send} b: {send} }}")
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
    page = await pablo('{ messages(roomId: "room:0", last: 1) { nodes { text } } }')
    assert page["messages"]["nodes"] != [{"text": "x"}]


def below(type_: GraphQLObjectType, depth: int) -> list[str]:
    """Each way down to an object below the type."""
    ways = []
    for name, field in type_.fields.items():
        of = get_named_type(field.type)
        if isinstance(of, GraphQLObjectType) and depth:
            ways += [f"{name} {{ __typename }}"]
            ways += [f"{name} {{ {way} }}" for way in below(of, depth - 1)]
    return ways


async def test_a_sender_reads_nothing_below_what_it_has_sent(
    serve: Serve, visit: Visit, create: Create
) -> None:
    server = serve(RATE_LIMITS="off")
    pablo = await visit(server).log_in("Pablo")
    bot = await create(pablo, scopes=SEND)
    await add(pablo, bot)
    payload = SCHEMA.type_map["SendMessagePayload"]
    assert isinstance(payload, GraphQLObjectType)
    own = {"message", "edge", "node", "sender", "room"}
    ways = below(payload, 4)
    assert len(ways) > 10
    for way in ways:
        document = (
            f'mutation {{ sendMessage(input: {{roomId: "{GENERAL}", text: "x"}}) {{ {way} }} }}'
        )
        body = await answer(bot, document)
        names = set(way.replace("{", " ").replace("}", " ").split()) - {"__typename"}
        refused = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert refused == (set() if names <= own else {"FORBIDDEN"}), way


async def test_a_bot_is_marked_wherever_it_is(serve: Serve, visit: Visit, create: Create) -> None:
    pablo = await visit(serve()).log_in("Pablo")
    bot = await create(pablo)
    await add(pablo, bot)
    await bot.send(GENERAL, "hello")
    data = await pablo(
        '{ users { nodes { username isBot } } room(id: "room:0") { lastMessage { sender'
        " { username isBot } } members { nodes { username isBot } } } }"
    )
    marked = {"username": "Echo", "isBot": True}
    assert data["room"]["lastMessage"]["sender"] == marked
    for people in (data["users"]["nodes"], data["room"]["members"]["nodes"]):
        assert [user for user in people if user["isBot"]] == [marked]
        assert len(people) == 5
    assert (await bot("{ me { username isBot } }"))["me"] == marked


async def test_its_name_obeys_the_rules_of_names(serve: Serve, visit: Visit) -> None:
    pablo = await visit(serve(RATE_LIMITS="off")).log_in("Pablo")
    for name, code in (
        ("mary", "CONFLICT"),
        ("Раblо", "CONFLICT"),
        ("", "BAD_USER_INPUT"),
        ("x" * 33, "BAD_USER_INPUT"),
        ("a\u200bb", "BAD_USER_INPUT"),
    ):
        assert await code_of(pablo, CREATE, input={"username": name, "scopes": BOTH}) == code, name
    error = await refusal(pablo, CREATE, input={"username": "Echo", "scopes": []})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.scopes"}


async def test_nobody_logs_in_to_a_bot(serve: Serve, visit: Visit, create: Create) -> None:
    server = serve()
    bot = await create(await visit(server).log_in("Pablo"))
    wrong = await guess(visit(server), "Nobody")
    for password in ("", "password123", str(bot.token)):
        assert await guess(visit(server), "Echo", password) == wrong


@pytest.mark.on_cluster
async def test_it_sees_nothing_of_a_room_that_it_is_not_in(
    serve: Serve, visit: Visit, create: Create
) -> None:
    server = serve()
    pablo = await visit(server).log_in("Pablo")
    bot = await create(pablo)
    message = (await pablo.send(GENERAL, "hello"))["message"]["id"]
    asked = (
        "query($room: ID!, $message: ID!) { room(id: $room) { id } node(id: $message) { id }"
        " rooms { nodes { id } } }"
    )

    async def seen(room: str, message: str) -> tuple[Any, ...]:
        page = "query($room: ID!) { messages(roomId: $room) { nodes { id } } }"
        follow = "subscription($room: ID!) { messageAdded(roomId: $room) { cursor } }"
        send = (
            'mutation($room: ID!) { sendMessage(input: {roomId: $room, text: "x"})'
            " { message { id } } }"
        )
        return (
            await answer(bot, asked, room=room, message=message),
            await answer(bot, page, room=room),
            await answer(bot, send, room=room),
            await codes(bot, follow.replace("($room: ID!)", "").replace("$room", f'"{room}"')),
        )

    outside = await seen(GENERAL, message)
    assert outside == await seen("room:99", "message:99:1795401320057371")
    assert outside[-1] == {"NOT_FOUND"}
    await add(pablo, bot)
    data = await bot(asked, room=GENERAL, message=message)
    assert data == {
        "room": {"id": GENERAL},
        "node": {"id": message},
        "rooms": {"nodes": [{"id": GENERAL}]},
    }
    await pablo(REMOVE, input={"botId": bot.id, "roomId": GENERAL})
    assert await seen(GENERAL, message) == outside


@pytest.mark.on_cluster
async def test_a_private_room_is_opened_with_it(serve: Serve, visit: Visit, create: Create) -> None:
    server = serve()
    pablo, mary = await visit(server).log_in("Pablo"), await visit(server).log_in("Mary")
    bot = await create(pablo)
    room = await mary.open_room(bot.id)
    await mary.send(room, "psst")
    data = await bot("query($room: ID!) { messages(roomId: $room) { nodes { text } } }", room=room)
    assert data["messages"]["nodes"] == [{"text": "psst"}]
    await bot.send(room, "yes?")
    # That it is Pablo's bot makes the room none of his.
    assert (await pablo(BOTS))["bots"][0]["rooms"] == {"nodes": []}
    for change in (ADD, REMOVE):
        assert await code_of(pablo, change, input={"botId": bot.id, "roomId": room}) == "NOT_FOUND"
    own = await pablo.open_room(mary.id)
    error = await refusal(pablo, ADD, input={"botId": bot.id, "roomId": own})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.roomId"}


async def test_it_is_its_owners_alone(serve: Serve, visit: Visit, create: Create) -> None:
    server = serve()
    pablo, mary = await visit(server).log_in("Pablo"), await visit(server).log_in("Mary")
    bot = await create(pablo)
    assert (await mary(BOTS))["bots"] == []
    for document, more in (
        (ROTATE, {"scopes": BOTH}),
        (REVOKE, {}),
        (DELETE, {}),
        (ADD, {"roomId": GENERAL}),
        (REMOVE, {"roomId": GENERAL}),
    ):
        absent = await refusal(mary, document, input={"botId": "user:99", **more})
        assert absent["extensions"]["code"] == "NOT_FOUND"
        for id_ in (bot.id, mary.id, pablo.id, "nonsense"):
            refused = await refusal(mary, document, input={"botId": id_, **more})
            assert refused["extensions"] == absent["extensions"]
    assert (await bot("{ me { id } }"))["me"] == {"id": bot.id}


async def test_a_token_is_shown_once_and_kept_as_a_hash(
    serve: Serve, visit: Visit, create: Create, store_url: str
) -> None:
    server = serve(LOG_LEVEL="debug")
    pablo = await visit(server).log_in("Pablo")
    bot = await create(pablo)
    rotated = (await pablo(ROTATE, input={"botId": bot.id, "scopes": READ}))["rotateBotToken"]
    tokens = [str(bot.token), rotated["token"]]
    bot.token = rotated["token"]
    await bot("{ me { id } }")
    async with bot.socket() as socket:
        await socket.execute(subscription("{ me { id } }"))
    await codes(bot, EVENTS)
    (listed,) = (await pablo(BOTS))["bots"]
    assert listed["scopes"] == READ
    assert listed["createdAt"] < listed["tokenIssuedAt"] <= listed["lastUsedAt"]
    with redis.Redis.from_url(store_url) as client:
        kept = b"".join((client.dump(key) or b"") + key for key in client.scan_iter("*"))
    server.stop()
    for token in tokens:
        secret = token.partition(".")[2]
        assert secret.startswith("bot-")
        for place in (str(listed), server.output, kept.decode(errors="replace")):
            assert secret.removeprefix("bot-") not in place


async def ending(bot: User, started: asyncio.Event) -> str:
    """Why its subscription ends, which it has to."""
    try:
        async with asyncio.timeout(20), bot.socket() as socket:
            async for _ in socket.subscribe(subscription(EVENTS)):
                started.set()
    except TransportError as error:
        return f"{error!r} {error.__cause__!r}"
    return "completed"


@pytest.mark.on_cluster
@pytest.mark.parametrize("change", [ROTATE, REVOKE, DELETE], ids=["rotated", "revoked", "deleted"])
async def test_what_a_token_was_good_for_ends_with_it(
    serve: Serve, visit: Visit, create: Create, call: Call, change: str
) -> None:
    here, there = serve(), serve()
    pablo = await visit(here).log_in("Pablo")
    bot = await create(pablo)
    bot_there = call(there.url, str(bot.token))
    await add(pablo, bot)
    started = asyncio.Event()
    following = asyncio.create_task(ending(bot_there, started))
    await started.wait()
    more = {"scopes": BOTH} if change == ROTATE else {}
    data = await pablo(change, input={"botId": bot.id, **more})
    assert "4401" in await following
    for old in (bot, bot_there):
        # As for a token that there never was.
        forged = call(old.url, f"{bot.id.removeprefix('user:')}.bot-{'x' * 43}")
        for document in ("{ me { id } }", "{ eventCursor }", EVENTS):
            refused = await answer(old, document)
            assert refused == await answer(forged, document)
        with pytest.raises(TransportError) as closed:
            async with old.socket():
                pass
        assert "4403" in str(closed.value.__cause__)
    if change == ROTATE:
        bot.token = data["rotateBotToken"]["token"]
        await bot.send(GENERAL, "still here")
    elif change == REVOKE:
        assert data["revokeBotToken"]["bot"] == {"scopes": [], "tokenIssuedAt": None}
        again = await pablo(ROTATE, input={"botId": bot.id, "scopes": SEND})
        bot.token = again["rotateBotToken"]["token"]
        await bot.send(GENERAL, "back again")
    else:
        assert (await pablo(BOTS))["bots"] == []


@pytest.mark.on_cluster
async def test_it_has_rates_of_its_own(serve: Serve, visit: Visit, create: Create) -> None:
    server = serve(MESSAGES_PER_BOT="2/hour", OPERATIONS_PER_BOT="7/hour")
    pablo = await visit(server).log_in("Pablo")
    bot = await create(pablo)
    await add(pablo, bot)
    for _ in range(2):
        await bot.send(GENERAL, "hello")
    with pytest.raises(Failed) as caught:
        await bot.send(GENERAL, "hello")
    assert caught.value.codes == ["RATE_LIMITED"]
    assert "2 an hour" in str(caught.value)
    for _ in range(3):
        await pablo.send(GENERAL, "not his")
    rotated = await pablo(ROTATE, input={"botId": bot.id, "scopes": BOTH})
    bot.token = rotated["rotateBotToken"]["token"]
    with pytest.raises(Failed) as caught:
        await bot.send(GENERAL, "nor with a new token")
    assert caught.value.codes == ["RATE_LIMITED"]
    for _ in range(5):
        await bot("{ me { id } }")
    assert "7 an hour" in (await refusal(bot, "{ me { id } }"))["message"]


@pytest.mark.on_cluster
async def test_a_user_has_so_many(serve: Serve, visit: Visit, create: Create) -> None:
    server = serve(BOTS_PER_USER="2")
    pablo = await visit(server).log_in("Pablo")
    bots = [await create(pablo, f"Bot {number}") for number in range(2)]
    assert await code_of(pablo, CREATE, input={"username": "Bot 3", "scopes": BOTH}) == "FORBIDDEN"
    await pablo(DELETE, input={"botId": bots[0].id})
    await create(pablo, "Bot 3")


async def test_creating_bots_counts_as_registering(
    serve: Serve, visit: Visit, create: Create
) -> None:
    pablo = await visit(serve(REGISTRATIONS_PER_ADDRESS="2/day")).log_in("Pablo")
    for number in range(2):
        bot = await create(pablo, f"Bot {number}")
        await pablo(DELETE, input={"botId": bot.id})
    error = await refusal(pablo, CREATE, input={"username": "Bot 3", "scopes": BOTH})
    assert error["extensions"]["code"] == "RATE_LIMITED"


async def test_its_messages_outlive_it(
    server_without_limits: Server, visit: Visit, create: Create
) -> None:
    pablo = await visit(server_without_limits).log_in("Pablo")
    bot = await create(pablo, "Mortal")
    await add(pablo, bot)
    sent = (await bot.send(GENERAL, "remember me"))["message"]["id"]
    await pablo(DELETE, input={"botId": bot.id})
    data = await pablo(
        "query($id: ID!) { node(id: $id) { ... on Message { text sender { username isBot } } }"
        " users { nodes { username } } }",
        id=sent,
    )
    assert data["node"] == {"text": "remember me", "sender": {"username": "Mortal", "isBot": True}}
    assert {"username": "Mortal"} not in data["users"]["nodes"]
