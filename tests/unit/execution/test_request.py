from typing import Any

import pytest

from execution.errors import RequestError
from execution.request import GraphQLRequest, parse_request


def test_all_parameters() -> None:
    body = {
        "query": "{ a }",
        "variables": {"b": 1},
        "operationName": "c",
        "extensions": {"d": 2},
        "other": 3,
    }
    assert parse_request(body) == GraphQLRequest("{ a }", {"b": 1}, "c", {"d": 2})


def test_absent_and_null_are_the_same() -> None:
    body = {"query": "{ a }", "variables": None, "operationName": None, "extensions": None}
    assert parse_request(body) == parse_request({"query": "{ a }"}) == GraphQLRequest("{ a }")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (7, "The request must be a JSON object."),
        (None, "The request must be a JSON object."),
        ([{"query": "{ a }"}], "The request must be a JSON object."),
        ({}, "The parameter 'query' must be a string."),
        ({"query": None}, "The parameter 'query' must be a string."),
        ({"extensions": {}}, "The parameter 'query' must be a string."),
        ({"extensions": {"persistedQuery": None}}, "The parameter 'query' must be a string."),
        (
            {"query": 7, "extensions": {"persistedQuery": {}}},
            "The parameter 'query' must be a string.",
        ),
        ({"query": "", "variables": []}, "The parameter 'variables' must be an object or null."),
        ({"query": "", "extensions": 0}, "The parameter 'extensions' must be an object or null."),
        (
            {"query": "", "operationName": False},
            "The parameter 'operationName' must be a string or null.",
        ),
    ],
)
def test_malformed(body: Any, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(body)
    assert refused.value.formatted == [
        {"message": message, "extensions": {"code": "BAD_USER_INPUT"}}
    ]
