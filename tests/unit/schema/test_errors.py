"""Errors as callers see them."""

import logging

import pytest
from graphql import GraphQLError, OperationDefinitionNode, located_error, parse

from schema.errors import format_error
from services.errors import BadUserInput, NotFound, Unavailable
from tests.unit.schema.fakes import FakeChat, context_of, execute


def located(error: Exception) -> GraphQLError:
    """The error as the executor hands it on from the field `a`."""
    (operation,) = parse("{ a }").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (field,) = operation.selection_set.selections
    return located_error(error, [field], ["a"])


PLACE = {"locations": [{"line": 1, "column": 3}], "path": ["a"]}


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (NotFound("There is no such room."), {"code": "NOT_FOUND"}),
        (Unavailable("Try again."), {"code": "UNAVAILABLE"}),
        (
            BadUserInput("Too long.", "input.text"),
            {"code": "BAD_USER_INPUT", "field": "input.text"},
        ),
    ],
)
def test_expected_failures_are_told(error: Exception, extensions: dict[str, str]) -> None:
    assert format_error(located(error)) == {
        "message": str(error),
        "extensions": extensions,
        **PLACE,
    }


def test_an_error_that_has_a_code_passes_with_its_place() -> None:
    error = GraphQLError("Slow down.", extensions={"code": "RATE_LIMITED"})
    assert format_error(located(error)) == {
        "message": "Slow down.",
        "extensions": {"code": "RATE_LIMITED"},
        **PLACE,
    }


@pytest.mark.parametrize("error", [RuntimeError("secret"), GraphQLError("secret")])
def test_everything_else_is_masked_and_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    formatted = format_error(located(error))
    assert formatted["message"] == "Internal server error."
    assert formatted["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert formatted["path"] == ["a"]
    assert "secret" not in str(formatted)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert formatted["extensions"]["id"] in record.getMessage()
    assert record.exc_info
    assert "secret" in str(record.exc_info[1])


async def test_a_bug_in_a_service_is_masked(caplog: pytest.LogCaptureFixture) -> None:
    chat = FakeChat()
    chat.user_records = None  # type: ignore[assignment]
    answer = await execute(context_of(chat), '{ user(id: "user:1") { id } me { id } }')
    assert answer.data == {"user": None, "me": None}
    assert answer.codes == ["INTERNAL_SERVER_ERROR"] * 2
    assert answer.errors[0]["extensions"]["id"] != answer.errors[1]["extensions"]["id"]
    assert "NoneType" not in str(answer.errors)
    assert len(caplog.records) == 2
