"""Users of the API, whose connections are closed when the test ends."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from tests.api.client import User, visitors

Visitor = Callable[[], User]


@pytest.fixture
async def visitor(server_url: str) -> AsyncIterator[Visitor]:
    """Makes somebody who is not logged in."""
    async with visitors() as visit:
        yield partial(visit, server_url)
