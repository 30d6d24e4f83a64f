"""How often something may be done: counted in the store, for all server processes."""

import re
from typing import Any

import pytest
import redis
from gql.transport.exceptions import TransportError

from tests.api.client import Failed, subscription
from tests.security.accounts import REGISTER, answer, guess, refusal, register
from tests.security.conftest import Serve, Visit


def assert_limited(error: dict[str, Any], limit: str) -> None:
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfter"] >= 1
    assert limit in error["message"]


async def test_logins_with_a_name(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(LOGINS_PER_NAME="3/hour"))
    for _ in range(3):
        assert (await guess(caller, "Mary"))["extensions"]["code"] == "UNAUTHENTICATED"
    # Not even with the right password, and not in another spelling.
    for name in ("Mary", "mary", " ＭARY ", "Mary" + " " * 300, "\u2003" * 300 + "Mary"):
        assert_limited(await guess(caller, name, "password123"), "3 an hour")
    await caller.log_in("Joe")


async def test_logins_from_an_address(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(LOGINS_PER_ADDRESS="3/hour"))
    for name in ("Mary", "Joe", "Nobody"):
        assert (await guess(caller, name))["extensions"]["code"] == "UNAUTHENTICATED"
    assert_limited(await guess(caller, "Pablo", "password123"), "3 an hour")


async def test_wrong_guesses_in_one_request_end_at_the_first(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(LOGINS_PER_NAME="3/hour"))
    guesses = " ".join(
        f'g{number}: login(input: {{username: "Mary", password: "guess {number}"}}) {{ token }}'
        for number in range(6)
    )
    # The first error ends a mutation whose fields cannot be null: one guess for a request.
    for _ in range(3):
        (error,) = (await answer(caller, f"mutation {{ {guesses} }}"))["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
    (error,) = (await answer(caller, f"mutation {{ {guesses} }}"))["errors"]
    assert_limited(error, "3 an hour")


async def test_log_ins_by_aliases_count_one_by_one(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(LOGINS_PER_NAME="3/hour"))
    field = 'login(input: {username: "Mary", password: "password123"}) { token }'
    document = f"mutation {{ a: {field} b: {field} c: {field} d: {field} }}"
    (error,) = (await answer(caller, document))["errors"]
    assert error["path"] == ["d"]
    assert_limited(error, "3 an hour")


async def test_registrations(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(REGISTRATIONS_PER_ADDRESS="3/day", REGISTRATIONS_PER_NAME="2/day"))
    taken = {"username": "Mary", "password": "password123"}
    for _ in range(2):
        assert (await refusal(caller, REGISTER, input=taken))["extensions"]["code"] == "CONFLICT"
    assert_limited(await refusal(caller, REGISTER, input=taken), "2 a day")
    await register(caller, "Zoé")
    other = {"username": "Anna", "password": "password123"}
    assert_limited(await refusal(caller, REGISTER, input=other), "3 a day")


async def test_messages_of_a_user_on_all_servers(serve: Serve, visit: Visit) -> None:
    limit = {"MESSAGES_PER_USER": "4/hour"}
    first, second = serve(**limit), serve(**limit)
    there = await visit(first).log_in("Mary")
    here = await visit(second).log_in("Mary")
    for number in range(2):
        await there.send("room:0", f"there {number}")
        await here.send("room:0", f"here {number}")
    for user in (here, there):
        with pytest.raises(Failed) as caught:
            await user.send("room:0", "one more")
        assert_limited(caught.value.errors[0], "4 an hour")
    # Neither other users nor what else she does.
    await (await visit(first).log_in("Joe")).send("room:0", "hello")
    assert (await here("{ me { username } }"))["me"] == {"username": "Mary"}


async def test_messages_by_aliases_count_one_by_one(serve: Serve, visit: Visit) -> None:
    mary = await visit(serve(MESSAGES_PER_USER="3/hour")).log_in("Mary")
    field = 'sendMessage(input: {roomId: "room:0", text: "again"}) { message { id } }'
    document = "mutation { a: " + " b: ".join([field, field]) + f" c: {field} d: {field} }}"
    (error,) = (await answer(mary, document))["errors"]
    assert error["path"] == ["d"]
    assert_limited(error, "3 an hour")


async def test_operations_with_a_session(serve: Serve, visit: Visit) -> None:
    server = serve(OPERATIONS_PER_TOKEN="6/hour")
    mary = await visit(server).log_in("Mary")
    for _ in range(3):
        await mary("{ a: me { id } b: me { id } rooms { nodes { id } } }")
    await mary.send("room:0", "counts as one")
    async with mary.socket() as socket:  # To come counts as well.
        await socket.execute(subscription("{ me { id } }"))
        with pytest.raises(Exception, match="RATE_LIMITED"):
            await socket.execute(subscription("{ me { id } }"))
    assert_limited(await refusal(mary, "{ eventCursor }"), "6 an hour")
    with pytest.raises(Failed) as caught:
        await mary.send("room:0", "hello")
    assert_limited(caught.value.errors[0], "6 an hour")
    # Not a part of it either.
    body = await answer(mary, '{ me { id } a: me { id } user(id: "user:1") { id } b: me { id } }')
    assert set(body["data"].values()) == {None}
    assert {error["extensions"]["code"] for error in body["errors"]} == {"RATE_LIMITED"}
    with pytest.raises(TransportError) as closed:
        async with mary.socket():
            pass
    assert "4429" in str(closed.value.__cause__)
    # Another session of hers has tokens of its own.
    await (await visit(server).log_in("Mary"))("{ eventCursor }")


async def test_a_session_can_be_ended_at_any_rate(serve: Serve, visit: Visit) -> None:
    server = serve(OPERATIONS_PER_TOKEN="1/hour")
    mary, thief = [await visit(server).log_in("Mary") for _ in range(2)]
    await thief("{ eventCursor }")
    assert_limited(await refusal(thief, "{ eventCursor }"), "1 an hour")
    await mary("{ eventCursor }")
    await mary("mutation { endOtherSessions { sessions { id } } }")
    assert (await refusal(thief, "{ eventCursor }"))["extensions"]["code"] == "UNAUTHENTICATED"
    await mary("mutation { logout { user { id } } }")


async def test_nobody_spends_what_is_others(serve: Serve, visit: Visit) -> None:
    server = serve(MESSAGES_PER_USER="2/hour", OPERATIONS_PER_TOKEN="4/hour")
    mary = await visit(server).log_in("Mary")
    forger = visit(server)
    forger.token = f"{mary.id.removeprefix('user:')}.{'x' * 43}"
    for _ in range(5):
        with pytest.raises(Failed) as caught:
            await forger.send("room:0", "in her name")
        assert caught.value.codes == ["UNAUTHENTICATED"]
    await mary.send("room:0", "still hers")


async def test_no_text_from_outside_is_in_a_key(serve: Serve, visit: Visit, store_url: str) -> None:
    caller = visit(serve())
    for name in ("*", "Mary*", "{user:1}", "a:b", "\n", "x" * 5000, "[a-z]?"):
        await guess(caller, name)
        await refusal(caller, REGISTER, input={"username": name, "password": "short"})
    with redis.Redis.from_url(store_url) as client:
        buckets = [key.decode() for key in client.scan_iter("parley:{log-ins}:*")]
        assert len(buckets) > 5
        assert all(
            re.fullmatch(r"parley:\{log-ins\}:(address|name):[0-9a-f]{32}", key) for key in buckets
        )
        assert all(0 < client.pttl(key) <= 3_600_000 for key in buckets)


async def test_load_tests_turn_them_off(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(RATE_LIMITS="off", LOGINS_PER_NAME="1/day", MESSAGES_PER_USER="1/day"))
    for _ in range(3):
        await caller.log_in("Mary")
        await caller.send("room:0", "hello")


async def test_they_are_on_unless_turned_off(serve: Serve, visit: Visit) -> None:
    caller = visit(serve())
    taken = {"username": "Mary", "password": "password123"}
    for _ in range(10):
        assert (await refusal(caller, REGISTER, input=taken))["extensions"]["code"] == "CONFLICT"
    assert_limited(await refusal(caller, REGISTER, input=taken), "10 an hour")
