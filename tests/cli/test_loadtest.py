"""`loadtest`, on real servers: well ones, those that refuse, and those that go away."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from application.loadtest.connection import Connection, connected
from services import keys
from services.errors import OperatorError
from services.redis.store import Store
from tests.cli.command import Outcome, parley
from tests.servers import Server, start_server


@pytest.fixture
def env(store_url: str) -> dict[str, str]:
    return {"REDIS_ENDPOINT_URL": store_url}


@pytest.fixture
def server(env: dict[str, str]) -> Iterator[Server]:
    server = start_server(env)
    yield server
    if server.process.poll() is None:
        server.stop()


def numbers(outcome: Outcome) -> dict[str, int]:
    rows = [line.split() for line in outcome.stdout.splitlines()]
    return {row[0]: int(row[1].replace(",", "")) for row in rows if row[1][0].isdigit()}


def test_all_is_delivered_and_counted(server: Server, env: dict[str, str]) -> None:
    words = ["--url", server.url, "--subscribers", "30", "--rate", "50", "--seconds", "1"]
    rooms = ["--room", "room:0", "--room", "room:1:2"]
    outcome = parley("loadtest", *words, *rooms, env=env)
    assert outcome.status == 0, outcome
    found = numbers(outcome)
    assert (found["acknowledged"], found["delivered"]) == (50, 25 * 30)
    assert {found[name] for name in ("lost", "duplicated", "reordered", "unfounded")} == {0}
    assert "delivery took 50 %: " in outcome.stdout


async def test_what_cannot_be_taken_is_told_to_who_waits(server: Server) -> None:
    class _CannotTake(Exception):
        pass

    def take(data: dict[str, object]) -> None:
        raise _CannotTake

    async def ask_on(connection: Connection) -> None:
        while True:
            await connection.ask("{ eventCursor }")

    login = {"username": "Pablo", "password": "password123"}
    document = "mutation($input: LoginInput!) { login(input: $input) { token } }"
    async with asyncio.timeout(10), connected(server.url) as nobody:
        token = (await nobody.ask(document, input=login))["login"]["token"]
        async with connected(server.url, token) as connection:
            cursor = (await connection.ask("{ eventCursor }"))["eventCursor"]
            follow = "subscription($after: String!) { events(after: $after) { __typename } }"
            await connection.follow(take, follow, after=cursor)
            with pytest.raises((_CannotTake, OperatorError)):
                await ask_on(connection)
            assert isinstance(connection.failure, _CannotTake)


def test_refusals_are_counted_and_say_what_to_do(env: dict[str, str]) -> None:
    server = start_server({**env, "RATE_LIMITS": "on", "MESSAGES_PER_USER": "5/hour"})
    try:
        words = ["--url", server.url, "--subscribers", "2", "--rate", "20", "--seconds", "0.5"]
        outcome = parley("loadtest", *words, env=env)
    finally:
        server.stop()
    assert outcome.status == 1
    found = numbers(outcome)
    assert (found["acknowledged"], found["refused"], found["delivered"]) == (5, 5, 10)
    assert "RATE_LIMITED (raise MESSAGES_PER_USER" in outcome.stdout


def test_without_the_demo_it_needs_a_user(env: dict[str, str]) -> None:
    server = start_server({**env, "DEMO_DATA": "false"})
    try:
        outcome = parley("loadtest", "--url", server.url, env=env)
    finally:
        server.stop()
    assert outcome.status == 1
    assert outcome.reason == "Pablo of the demo cannot log in there: give --user."


@pytest.mark.parametrize(
    ("words", "stdin", "reason"),
    [
        (["--room", "room:77"], "", "The server refuses: NOT_FOUND"),
        (["--user", "Mary"], "wrong", "The server refuses: UNAUTHENTICATED"),
        (["--url", "http://127.0.0.1:1"], "", "There is no server of Parley at"),
        (["--url", "nonsense"], "", "There is no server of Parley at"),
    ],
)
def test_what_cannot_be_tested_is_one_line(
    server: Server, env: dict[str, str], words: list[str], stdin: str, reason: str
) -> None:
    where = [] if "--url" in words else ["--url", server.url]
    outcome = parley("loadtest", "--seconds", "1", *where, *words, env=env, stdin=stdin)
    assert outcome.status == 1
    assert outcome.reason.startswith(reason)


def test_a_server_that_goes_away_ends_it(server: Server, env: dict[str, str]) -> None:
    stopping = threading.Thread(target=_stop_when_in_use, args=[server, env])
    stopping.start()
    outcome = parley("loadtest", "--url", server.url, "--seconds", "50", env=env)
    stopping.join()
    assert outcome.status == 1
    assert outcome.reason.startswith("The server has ")


def _stop_when_in_use(server: Server, env: dict[str, str]) -> None:
    """When the first messages of the load are in the room."""

    async def wait() -> None:
        store = Store.from_url(env["REDIS_ENDPOINT_URL"])
        while int(await store.call("ZCARD", keys.room("0"))) < 10:
            await asyncio.sleep(0.05)
        await store.close()

    asyncio.run(wait())
    server.stop()
