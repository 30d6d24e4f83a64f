"""Passwords: their rules, and what can be learned from a refusal."""

import asyncio

import bcrypt
import httpx
import pytest

from services.accounts.passwords import Passwords
from services.accounts.users import Users
from services.errors import RateLimited, Unauthenticated
from services.rates import Rate, Rates
from services.redis.store import Store
from tests.security.accounts import LOG_IN, REGISTER, answer, guess, refusal, register
from tests.security.conftest import Serve, Visit
from tests.servers import Server


@pytest.mark.parametrize("password", ["", "1234567", "x" * 73, "ä" * 37, "password\0"], ids=ascii)
async def test_what_nobody_may_choose(
    server_without_limits: Server, visit: Visit, password: str
) -> None:
    error = await refusal(
        visit(server_without_limits), REGISTER, input={"username": "Zoé", "password": password}
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.password"}


async def test_from_8_characters_to_72_bytes(server_without_limits: Server, visit: Visit) -> None:
    caller = visit(server_without_limits)
    for name, password in (("shortest", "12345678"), ("longest", "ä" * 36), ("blank", " " * 8)):
        await register(caller, name, password)
        await caller.log_in(name, password)


async def test_accounts_may_be_the_operators_business(serve: Serve, visit: Visit) -> None:
    server = serve(REGISTRATION="off")
    stranger = {"username": "Zoé", "password": "password456"}
    error = await refusal(visit(server), REGISTER, input=stranger)
    assert error["extensions"] == {"code": "FORBIDDEN"}
    async with httpx.AsyncClient(base_url=server.url) as browser:
        assert '<meta name="parley-registration" content="false">' in (await browser.get("/")).text
    await visit(server).log_in("Mary")


async def test_the_same_answer_for_an_unknown_name_and_a_wrong_password(
    server_without_limits: Server, visit: Visit
) -> None:
    caller = visit(server_without_limits)
    wrong = await guess(caller, "Mary")
    assert wrong["message"] == "Wrong username or password."
    for name, password in (("Nobody", "password123"), ("mary", "password123"), ("", "")):
        assert await guess(caller, name, password) == wrong
    taken = {"username": "Mary", "password": "x" * 100}
    assert await answer(caller, LOG_IN, input=taken) == {"data": None, "errors": [wrong]}


async def test_the_same_work_for_an_unknown_name_and_a_wrong_password(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the time is counted, not the time: hashing, by its cost, and round trips."""
    costs: list[bytes] = []
    trips: list[int] = []
    check, execute = bcrypt.checkpw, store.execute

    def counted_check(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed[:7])
        return check(password, hashed)

    async def counted_execute(*args: object, **more: object) -> object:
        trips.append(1)
        return await execute(*args, **more)  # type: ignore[arg-type]

    passwords = Passwords(cost=5)
    users = Users(store, passwords)
    await users.register("Mary", "password123")
    monkeypatch.setattr(bcrypt, "checkpw", counted_check)
    monkeypatch.setattr(store, "execute", counted_execute)
    work = []
    for name in ("Mary", "Nobody"):
        costs.clear()
        trips.clear()
        with pytest.raises(Unauthenticated):
            await users.authenticate(name, "wrong password")
        work.append((list(costs), len(trips)))
    assert work == [([b"$2b$05$"], 2)] * 2
    passwords.close()


async def test_hashing_is_bounded_and_queued(serve: Serve, visit: Visit) -> None:
    server = serve(LOGIN_QUEUE="3", RATE_LIMITS="off")
    callers = [visit(server) for _ in range(20)]
    errors = await asyncio.gather(*(guess(caller, "Mary") for caller in callers))
    codes = [error["extensions"]["code"] for error in errors]
    assert codes.count("UNAUTHENTICATED") >= 3
    refused = [error for error in errors if error["extensions"]["code"] == "RATE_LIMITED"]
    assert len(refused) == len(codes) - codes.count("UNAUTHENTICATED") > 0
    assert all(error["extensions"]["retryAfter"] >= 1 for error in refused)
    assert all("at most 3 wait" in error["message"] for error in refused)
    await callers[0].log_in("Mary")


async def test_messages_go_on_while_log_ins_wait(serve: Serve, visit: Visit) -> None:
    server = serve(RATE_LIMITS="off")
    mary = await visit(server).log_in("Mary")
    callers = [visit(server) for _ in range(40)]
    guesses = [asyncio.create_task(guess(caller, "Joe")) for caller in callers]
    await asyncio.wait(guesses, return_when=asyncio.FIRST_COMPLETED)
    for number in range(10):
        await mary.send("room:0", f"{number}")
    # They did not wait for the hashing: it is not even done.
    assert not all(task.done() for task in guesses)
    await asyncio.gather(*guesses)


async def test_what_is_refused_costs_no_hashing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = Passwords(cost=4)
    users = Users(store, passwords, rates=Rates(logins_per_name=Rate(1, "day")))
    with pytest.raises(Unauthenticated):
        await users.authenticate("Mary", "wrong")

    async def no_work(*args: object) -> bool:
        raise AssertionError("hashed")

    monkeypatch.setattr(passwords, "check", no_work)
    with pytest.raises(RateLimited):
        await users.authenticate("Mary", "wrong")
    passwords.close()
