"""Records by their ids, and the records that others lead to."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from tests.unit.schema.fakes import SCHEMA, FakeChat, context_of, execute

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


async def data_of(document: str, **variables: Any) -> Any:
    answer = await execute(context_of(FakeChat()), document, variables)
    assert answer.errors == []
    return answer.data


async def test_nodes_come_in_the_order_asked_for() -> None:
    ids = ["room:1:2", "user:1", "message:0:3", "room:0", "user:1"]
    data = await data_of(NODES, ids=ids)
    assert [node["id"] for node in data["nodes"]] == ids
    types = [node["__typename"] for node in data["nodes"]]
    assert types == ["Room", "User", "Message", "Room", "User"]


@pytest.mark.parametrize(
    "node_id",
    [
        "",
        "x",
        "user:",
        "user:0",
        "user:99",
        "room:2:3",
        "room:3:2",
        "message:0:99",
        "message:2:3:1",
    ],
)
async def test_what_is_not_there_for_the_viewer_is_null(node_id: str) -> None:
    document = "query($id: ID!) { node(id: $id) { id } room(id: $id) { id } user(id: $id) { id } }"
    assert await data_of(document, id=node_id) == {"node": None, "room": None, "user": None}


async def test_an_id_of_another_kind_is_null() -> None:
    data = await data_of('{ room(id: "user:1") { id } user(id: "room:0") { id } }')
    assert data == {"room": None, "user": None}


async def test_rooms_are_asked_for_together() -> None:
    chat = FakeChat()
    await execute(context_of(chat), NODES, {"ids": ["room:0", "room:1:2", "room:2:3", "room:0"]})
    assert chat.asked == [("visible", ["0", "1:2", "2:3"])]


async def test_there_is_a_limit_to_nodes() -> None:
    answer = await execute(context_of(FakeChat()), NODES, {"ids": ["user:1"] * 101})
    assert (answer.codes, answer.fields) == (["BAD_USER_INPUT"], ["ids"])


@pytest.mark.parametrize("arguments", ["", '(id: "user:1", username: "u1")', "(id: null)"])
async def test_a_user_is_asked_for_in_one_way(arguments: str) -> None:
    answer = await execute(context_of(FakeChat()), f"{{ user{arguments} {{ id }} }}")
    assert (answer.codes, answer.fields) == (["BAD_USER_INPUT"], ["id"])


async def test_a_sender_without_a_record_has_a_name_too() -> None:
    data = await data_of('{ room(id: "room:0") { lastMessage { sender { id username online } } } }')
    sender = data["room"]["lastMessage"]["sender"]
    assert sender == {"id": "user:99", "username": "user 99", "online": False}


@pytest.mark.parametrize(
    ("room_id", "kind", "name"), [("room:0", "PUBLIC", "General"), ("room:1:2", "PRIVATE", None)]
)
async def test_a_room_without_a_name_is_private(room_id: str, kind: str, name: str | None) -> None:
    data = await data_of("query($id: ID!) { room(id: $id) { kind name } }", id=room_id)
    assert data["room"] == {"kind": kind, "name": name}


@pytest.mark.parametrize("room_id", ["x", "user:1", "room:2:3"])
async def test_messages_of_no_room_are_not_found(room_id: str) -> None:
    document = "query($id: ID!) { messages(roomId: $id) { nodes { id } } }"
    answer = await execute(context_of(FakeChat()), document, {"id": room_id})
    assert answer.codes == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("key", "given"),
    [("", None), (", clientMessageId: null", None), (', clientMessageId: "k"', "k")],
)
async def test_what_was_sent_and_its_edge(key: str, given: str | None) -> None:
    data = await data_of(
        f'mutation {{ sendMessage(input: {{ roomId: "room:0", text: "hello"{key} }}) {{'
        " message { id clientMessageId } edge { cursor node { id } } } }"
    )
    sent = data["sendMessage"]
    assert sent["message"] == {"id": "message:0:11", "clientMessageId": given}
    assert sent["edge"]["node"]["id"] == "message:0:11"
    assert len(sent["edge"]["cursor"]) == 40


def test_what_may_be_left_out_has_no_default() -> None:
    for name, type_ in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                for argument_name, argument in field.args.items():
                    assert argument.default_value is not None, f"{name}({argument_name})"
        if isinstance(type_, GraphQLInputObjectType):
            for field_name, input_field in type_.fields.items():
                assert input_field.default_value is not None, f"{name}.{field_name}"
