"""What a request costs at the store, counted by the store: reads from its clients' sockets."""

from collections.abc import Iterator

import pytest
import redis

from tests.api.conftest import Visitor
from tests.servers import Server, start_server

PAGE = """
{ messages(roomId: "room:0", last: 50) {
    edges { cursor node {
      id text sentAt sender { id username online lastSeenAt } room { id name } } }
    pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } }
"""


@pytest.fixture
def server(store_url: str) -> Iterator[Server]:
    """One that counts what is limited: on the way, in the trips that are made anyway."""
    server = start_server(
        {
            "REDIS_ENDPOINT_URL": store_url,
            "RATE_LIMITS": "on",
            "MESSAGES_PER_USER": "1000/second",
        }
    )
    yield server
    server.stop()


class Reads:
    """Counts the round trips between two looks at the store's own statistics."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url)
        self._look()

    def _look(self) -> int:
        self._reads = int(self._redis.info("stats")["total_reads_processed"])
        return self._reads

    def since_last(self) -> int:
        before = self._reads
        return self._look() - before - 1  # The look itself is a read.


@pytest.fixture
def reads(store_url: str) -> Reads:
    return Reads(store_url)


async def test_a_page_of_50_messages_takes_at_most_3(visitor: Visitor, reads: Reads) -> None:
    users = [await visitor().log_in(name) for name in ("Pablo", "Joe", "Mary", "Alex")]
    for number in range(60):
        await users[number % 4].send("room:0", f"{number}")
    await users[0](PAGE)
    trips = []
    for _ in range(5):
        reads.since_last()
        data = await users[0](PAGE)
        trips.append(reads.since_last())
        assert len(data["messages"]["edges"]) == 50
    # A heartbeat may fall into one of the five.
    assert sorted(trips)[2] <= 3


async def test_sending_takes_at_most_2(visitor: Visitor, reads: Reads) -> None:
    pablo = await visitor().log_in("Pablo")
    room = await pablo.open_room("user:3")
    trips = []
    for number in range(10):
        await pablo.send("room:0", "warm-up")
        reads.since_last()
        await pablo.send(room if number % 2 else "room:0", f"{number}")
        trips.append(reads.since_last())
    assert sorted(trips)[5] <= 2


@pytest.mark.parametrize(("of_user", "most"), [("username", 3), ("username online", 4)])
async def test_fifty_rooms_with_members_and_last_message_take_few(
    visitor: Visitor, reads: Reads, of_user: str, most: int
) -> None:
    pablo = await visitor().log_in("Pablo")
    document = (
        f"{{ rooms(first: 50) {{ nodes {{ id name members(first: 2) {{ nodes {{ {of_user} }} }}"
        " lastMessage { text sender { username } } } } }"
    )
    await pablo(document)
    trips = []
    for _ in range(5):
        reads.since_last()
        await pablo(document)
        trips.append(reads.since_last())
    assert sorted(trips)[2] <= most
