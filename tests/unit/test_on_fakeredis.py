"""Units of the services on fakeredis.

Messages are not among them: its Lua has no `redis.sha1hex`.
"""

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis

from services.accounts.passwords import Passwords
from services.accounts.sessions import Sessions
from services.accounts.users import Users
from services.demo import seed
from services.errors import Conflict, NotFound
from services.redis.store import Store
from services.rooms import Rooms


@pytest.fixture
async def fake() -> AsyncIterator[Store]:
    store = Store(FakeAsyncRedis())
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def users(fake: Store) -> AsyncIterator[Users]:
    passwords = Passwords(cost=4)
    assert await seed(fake, passwords)
    yield Users(fake, passwords)
    passwords.close()


@pytest.fixture
def rooms(fake: Store, users: Users) -> Rooms:
    return Rooms(fake, users, "gql-test")


async def test_accounts(users: Users) -> None:
    zoe = await users.register("Zoé", "password123")
    assert zoe.id == "5"
    assert await users.authenticate("Zoé", "password123") == zoe
    assert await users.by_username("Zoé") == zoe
    with pytest.raises(Conflict):
        await users.register("Zoé", "password123")


async def test_sessions(fake: Store) -> None:
    sessions = Sessions(fake, 60)
    token, session = await sessions.create("3")
    assert await sessions.resolve(token) == session
    assert await sessions.resolve(token + "x") is None
    await sessions.end(session)
    assert await sessions.resolve(token) is None


async def test_rooms(rooms: Rooms) -> None:
    listed, more = await rooms.page_of_user("1", None, 2)
    assert ([room.id for room in listed], more) == (["0", "1:2"], True)
    with pytest.raises(NotFound):
        await rooms.visible("3", "1:2")
    assert await rooms.open_private("2", "1") == await rooms.visible("1", "1:2")
