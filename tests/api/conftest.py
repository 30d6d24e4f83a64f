"""Users of the API, whose connections are closed when the test ends."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.api.client import User

Visitor = Callable[[], User]


@pytest.fixture
async def visitor(server_url: str) -> AsyncIterator[Visitor]:
    """Makes somebody who is not logged in."""
    users: list[User] = []

    def visit() -> User:
        users.append(User(server_url))
        return users[-1]

    yield visit
    for user in users:
        await user.http.aclose()
