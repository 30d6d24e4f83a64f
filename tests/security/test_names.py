"""User names: one spelling each, and nobody can pass for somebody else."""

import asyncio
from typing import Any

import pytest
import redis

from services.accounts.passwords import Passwords
from tests.security.accounts import LOG_IN, REGISTER, refusal, register
from tests.security.conftest import Serve, Visit

OFF = {"RATE_LIMITS": "off"}


def account(name: str) -> dict[str, Any]:
    return {"username": name, "password": "password123"}


IMITATIONS = [
    "pablo",
    "PABLO",
    "PabIo",  # A capital i.
    "Pab1o",
    "Pabl0",
    "Раblo",  # The first two are Cyrillic.
    "ΡΑΒLΟ",  # Greek capitals.
    "Ｐａｂｌｏ",
    "𝐏𝐚𝐛𝐥𝐨",
    "Pablo\ufe0f",
    " Pablo ",
    "rnary",  # Mary.
    "Аlех",
    "Jое",
]


async def test_nobody_imitates_a_demo_user(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(**OFF))
    for name in IMITATIONS:
        error = await refusal(caller, REGISTER, input=account(name))
        assert error["extensions"]["code"] == "CONFLICT", ascii(name)


async def test_what_others_registered_is_protected_and_stays_usable(
    serve: Serve, visit: Visit, store_url: str
) -> None:
    caller = visit(serve(**OFF))
    await register(caller, "Somebody")  # The names of all before are known by now.
    passwords = Passwords(cost=4)
    hashed = await passwords.hash("password123")
    passwords.close()
    odd = " Zoë \u200b"
    with redis.Redis.from_url(store_url) as client:
        for name in (odd, "mary", "Ümit"):
            user_id = client.incr("total_users")
            client.hset(f"user:{user_id}", mapping={"username": name, "password": hashed})
            client.set(f"username:{name}", f"user:{user_id}")
    for name in (odd, "mary", "Ümit", "Mary"):
        data = await caller(LOG_IN, input=account(name))
        user = await caller.log_in(name)
        assert data["login"]["user"]["id"] == user.id
    for name in ("ümit", "ÜMIT", "U\u0308mit", "MARY"):
        error = await refusal(caller, REGISTER, input=account(name))
        assert error["extensions"]["code"] == "CONFLICT", name


async def test_of_many_spellings_at_once_one_wins_through_any_server(
    serve: Serve, visit: Visit
) -> None:
    servers = [serve(**OFF), serve(**OFF)]
    spellings = ["Anna", "anna", "ANNA", "Аnna", "Ａnna", "anNa"]
    callers = [visit(servers[number % 2]) for number in range(12)]

    async def attempt(number: int) -> str:
        try:
            await register(callers[number], spellings[number % len(spellings)])
        except Exception as error:
            (code,) = error.codes  # type: ignore[attr-defined]
            return str(code)
        return "registered"

    results = await asyncio.gather(*map(attempt, range(12)))
    assert sorted(results) == ["CONFLICT"] * 11 + ["registered"]


async def test_names_that_differ_are_different(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(**OFF))
    for name in ("Zoe", "Zoé", "Nell", "Neil", "李雷", "韩梅梅", "Ольга", "😀", "x", "A" * 32):
        assert (await register(caller, name))["user"]["username"] == name


async def test_a_name_is_kept_in_its_one_spelling(serve: Serve, visit: Visit) -> None:
    caller = visit(serve(**OFF))
    registered = await register(caller, "  Zoe\u0301 \u2003 Ｍ\t")
    assert registered["user"]["username"] == "Zoé M"
    for name in ("Zoé M", "Zoe\u0301  M", " Zoé Ｍ "):
        await caller.log_in(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " \u3000 ",
        "a" * 33,
        "ﷺﷺ",  # 36 characters in NFKC.
        "a" * 5000,
        "a\nb",
        "a\tb",
        "a\0b",
        "a\x1bb",
        "a\x85b",
        "a\u200bb",
        "a\u200db",
        "a\u202eb",
        "a\u2066b",
        "a\u2028b",
        "a\u00adb",
        "a\u3164b",
        "a\u115fb",
        "a\u2800b",
        "\u3164",
        "\ufe0f",
        "a\U000e0041b",
        "a\ue000b",
        "a\ufeffb",
        "a\uffffb",
    ],
    ids=ascii,
)
async def test_names_that_cannot_be_seen_or_kept(
    server_without_limits: Any, visit: Visit, name: str
) -> None:
    error = await refusal(visit(server_without_limits), REGISTER, input=account(name))
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "input.username"}
