"""Documents by their hash."""

from hashlib import sha256
from sys import getsizeof
from typing import Any

import pytest

from execution.errors import RequestError
from execution.persisted import AutomaticTexts, Texts, TrustedTexts
from execution.request import GraphQLRequest

A, B, C = "{ a }", "{ b }", "{ c }"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def request(query: str | None = None, name: str | None = None, version: Any = 1) -> GraphQLRequest:
    if name is None:
        return GraphQLRequest(query)
    return GraphQLRequest(
        query, extensions={"persistedQuery": {"version": version, "sha256Hash": name}}
    )


def refusal(texts: Texts, asked: GraphQLRequest) -> tuple[str, str]:
    with pytest.raises(RequestError) as refused:
        texts.of(asked)
    [error] = refused.value.formatted
    return error["extensions"]["code"], error["message"]


def test_a_text_is_known_once_it_came_with_its_hash() -> None:
    texts = AutomaticTexts()
    assert texts.of(request(A)) == A
    not_found = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
    assert refusal(texts, request(None, hash_of(A))) == not_found
    assert texts.of(request(A, hash_of(A))) == A
    assert texts.of(request(None, hash_of(A))) == A
    assert refusal(texts, request(None, hash_of(B))) == not_found


def test_a_hash_of_something_else() -> None:
    texts = AutomaticTexts()
    assert refusal(texts, request(A, hash_of(B)))[0] == "BAD_USER_INPUT"
    assert refusal(texts, request(None, hash_of(B)))[0] == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (7, "BAD_USER_INPUT"),
        ({}, "BAD_USER_INPUT"),
        ({"version": 1, "sha256Hash": 7}, "BAD_USER_INPUT"),
        ({"version": 2, "sha256Hash": "x"}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"sha256Hash": "x"}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"version": 1, "sha256Hash": ""}, "PERSISTED_QUERY_NOT_FOUND"),
    ],
)
def test_malformed_extensions(extension: Any, code: str) -> None:
    asked = GraphQLRequest(extensions={"persistedQuery": extension})
    assert refusal(AutomaticTexts(), asked)[0] == code


def test_the_latest_used_texts_are_kept() -> None:
    texts = AutomaticTexts(max_bytes=2 * getsizeof(A))
    for text in (A, B):
        texts.of(request(text, hash_of(text)))
    texts.of(request(None, hash_of(A)))
    texts.of(request(A, hash_of(A)))
    texts.of(request(C, hash_of(C)))
    assert texts.of(request(None, hash_of(A))) == A
    assert refusal(texts, request(None, hash_of(B)))[0] == "PERSISTED_QUERY_NOT_FOUND"


def test_a_text_that_is_larger_than_all_that_is_kept() -> None:
    texts = AutomaticTexts(max_bytes=1_000)
    long = f"{{ a }} # {'x' * 1_000}"
    for _ in range(2):
        assert texts.of(request(long, hash_of(long))) == long
        assert refusal(texts, request(None, hash_of(long)))[0] == "PERSISTED_QUERY_NOT_FOUND"
    assert texts.of(request(A, hash_of(A))) == texts.of(request(None, hash_of(A))) == A


def test_trusted_texts() -> None:
    texts = TrustedTexts({"first": A, f"sha256:{hash_of(B)}": B})
    for asked in (request(A), request(None, "first"), request(A, "first"), request(A, "other")):
        assert texts.of(asked) == A
    for name in (hash_of(B), f"sha256:{hash_of(B)}"):
        assert texts.of(request(None, name)) == B
    for asked in (request(C), request(C, hash_of(C)), request(C, "first"), request(None, "x")):
        assert refusal(texts, asked)[0] == "FORBIDDEN"
