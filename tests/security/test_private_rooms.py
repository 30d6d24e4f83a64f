"""A private room that one is not in answers exactly as one that does not exist."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLNamedType, GraphQLObjectType, get_named_type

from resolvers.root import build_schema
from tests.api.client import User
from tests.security.accounts import answer
from tests.security.conftest import Visit
from tests.servers import Server

CASES = {
    "Query.node": "query($room: ID!, $message: ID!)"
    " { node(id: $room) { id __typename } message: node(id: $message) { id } }",
    "Query.nodes": "query($room: ID!, $message: ID!) { nodes(ids: [$room, $message]) { id } }",
    "Query.room": "query($room: ID!, $message: ID!)"
    " { room(id: $room) { id name kind members { nodes { id } } }"
    " message: room(id: $message) { id } }",
    "Query.messages": "query($room: ID!) { messages(roomId: $room, last: 3) { nodes { id } } }",
    "Query.user": "query($room: ID!, $message: ID!)"
    " { user(id: $room) { id } message: user(id: $message) { id } }",
    "Mutation.sendMessage": "mutation($room: ID!)"
    ' { sendMessage(input: {roomId: $room, text: "x"}) { message { id } } }',
    "Mutation.openPrivateRoom": "mutation($room: ID!)"
    " { openPrivateRoom(input: {userId: $room}) { room { id } } }",
    "Mutation.endSession": "mutation($room: ID!)"
    " { endSession(input: {sessionId: $room}) { session { id } } }",
    "Mutation.rotateBotToken": "mutation($room: ID!)"
    " { rotateBotToken(input: {botId: $room, scopes: [READ]}) { token } }",
    "Mutation.revokeBotToken": "mutation($room: ID!)"
    " { revokeBotToken(input: {botId: $room}) { bot { id } } }",
    "Mutation.deleteBot": "mutation($room: ID!)"
    " { deleteBot(input: {botId: $room}) { bot { id } } }",
    "Mutation.addBotToRoom": "mutation($room: ID!)"
    ' { addBotToRoom(input: {botId: "user:99", roomId: $room}) { room { id } } }',
    "Mutation.removeBotFromRoom": "mutation($room: ID!)"
    ' { removeBotFromRoom(input: {botId: "user:99", roomId: $room}) { room { id } } }',
    "Subscription.messageAdded": "subscription($room: ID!)"
    " { messageAdded(roomId: $room) { cursor } }",
}
WITH_CURSOR = {
    "forwards": "query($room: ID!, $cursor: String!)"
    " { messages(roomId: $room, first: 3, after: $cursor) { nodes { id } } }",
    "backwards": "query($room: ID!, $cursor: String!)"
    " { messages(roomId: $room, last: 3, before: $cursor) { nodes { id } } }",
    "replaying": "subscription($room: ID!, $cursor: String!)"
    " { messageAdded(roomId: $room, after: $cursor) { cursor } }",
    "nonsense": "query($room: ID!)"
    ' { messages(roomId: $room, first: 3, after: "x") { nodes { id } } }',
    "too many": "query($room: ID!) { messages(roomId: $room, first: 101) { nodes { id } } }",
    "no text": "mutation($room: ID!)"
    ' { sendMessage(input: {roomId: $room, text: ""}) { message { id } } }',
}


def takes_an_id(type_: GraphQLNamedType) -> bool:
    if isinstance(type_, GraphQLInputObjectType):
        return any(takes_an_id(get_named_type(field.type)) for field in type_.fields.values())
    return type_.name == "ID"


def test_every_root_field_that_takes_an_id_is_tried() -> None:
    schema = build_schema()._schema
    roots: list[GraphQLObjectType | None] = [
        schema.query_type, schema.mutation_type, schema.subscription_type,
    ]  # fmt: skip
    taking = {
        f"{root.name}.{name}"
        for root in roots
        if root is not None
        for name, field in root.fields.items()
        if any(takes_an_id(get_named_type(argument.type)) for argument in field.args.values())
    }
    assert taking == set(CASES)


async def outcome(user: User, document: str, **variables: Any) -> Any:
    if not document.startswith("subscription"):
        return await answer(user, document, **variables)
    response = await user.http.post(
        "/graphql",
        json={"query": document, "variables": variables},
        headers={"accept": "text/event-stream", **user.headers},
    )
    return response.text


@pytest.mark.parametrize("name", [*CASES, *WITH_CURSOR])
async def test_it_answers_as_if_it_were_not_there(
    server_without_limits: Server, visit: Visit, name: str
) -> None:
    pablo = await visit(server_without_limits).log_in("Pablo")
    mary = await visit(server_without_limits).log_in("Mary")
    page = await pablo('{ messages(roomId: "room:1:2", last: 1) { edges { cursor node { id } } } }')
    (edge,) = page["messages"]["edges"]
    message_id: str = edge["node"]["id"]
    document = {**CASES, **WITH_CURSOR}[name]

    async def asked(user: User, room: str) -> Any:
        return await outcome(
            user,
            document,
            room=room,
            message=message_id.replace("message:1:2:", room.replace("room", "message") + ":"),
            cursor=edge["cursor"],
        )

    private = await asked(mary, "room:1:2")
    for absent in ("room:1:99", "room:98:99", "room:77", "room:nowhere"):
        assert private == await asked(mary, absent), absent
    # Its members know better.
    if name in {"Query.node", "Query.nodes", "Query.room", "Query.messages", "forwards"}:
        assert private != await asked(pablo, "room:1:2")
