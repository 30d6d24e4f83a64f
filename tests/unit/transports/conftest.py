from collections.abc import AsyncIterator

import pytest

from tests.unit.transports.toy import DIARY, Toy, serving


@pytest.fixture(autouse=True)
def empty_diary() -> None:
    DIARY.clear()


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    async with serving() as toy:
        yield toy
