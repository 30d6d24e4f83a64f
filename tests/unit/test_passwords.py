"""Hashing and checking passwords."""

import asyncio
import os
import sys
from collections.abc import Iterator

import bcrypt
import pytest

from services.accounts.passwords import Passwords, check_new
from services.errors import BadUserInput, RateLimited


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(cost=4)
    yield passwords
    passwords.close()


async def test_a_hash_is_checked(passwords: Passwords) -> None:
    hashed = await passwords.hash("pässword")
    assert hashed.startswith("$2b$04$")
    assert await passwords.check("pässword", hashed)
    assert not await passwords.check("password", hashed)


async def test_the_default_cost_is_that_of_the_other_servers() -> None:
    passwords = Passwords()
    assert (await passwords.hash("password123")).startswith("$2b$10$")
    passwords.close()


async def test_the_same_password_never_has_the_same_hash(passwords: Passwords) -> None:
    assert await passwords.hash("x") != await passwords.hash("x")


@pytest.mark.parametrize("text", ["a" * 73, "ä" * 37, "nul\0", "\ud800", "pass\udfff"], ids=ascii)
async def test_what_bcrypt_cannot_keep_is_refused(passwords: Passwords, text: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        await passwords.hash(text)
    assert caught.value.field == "input.password"


@pytest.mark.parametrize("text", ["a" * 72, "ä" * 36, " ", "😀" * 18])
async def test_what_just_fits_is_taken(passwords: Passwords, text: str) -> None:
    assert await passwords.check(text, await passwords.hash(text))


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
async def test_hashes_of_the_other_servers_are_read(passwords: Passwords, prefix: str) -> None:
    hashed = (await passwords.hash("password123")).replace("$2b$", prefix)
    assert await passwords.check("password123", hashed)
    assert not await passwords.check("password124", hashed)


async def test_an_overlong_password_is_cut_as_the_other_servers_cut_it(
    passwords: Passwords,
) -> None:
    hashed = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode()
    assert await passwords.check("a" * 100, hashed)
    # The cut may go through a character.
    hashed = bcrypt.hashpw(("a" + "ä" * 40).encode()[:72], bcrypt.gensalt(4)).decode()
    assert await passwords.check("a" + "ä" * 40, hashed)


@pytest.mark.parametrize(
    "hashed",
    [
        None,
        "",
        "password123",
        "$2b$04$short",
        "$2x$04$" + "." * 53,
        "$2b$31$" + "." * 53,
        "$2b$99$" + "." * 53,
        "$2b$04$" + "!" * 53,
        "$2b$04$" + "/" * 53,
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
        "\ufffd" * 60,
    ],
    ids=ascii,
)
async def test_no_usable_hash_is_no_match(passwords: Passwords, hashed: str | None) -> None:
    assert not await passwords.check("password123", hashed)


@pytest.mark.parametrize("text", ["", "a" * 1025, "ä" * 600, "\ud800", "nul\0"], ids=ascii)
async def test_no_text_makes_a_check_fail(passwords: Passwords, text: str) -> None:
    assert not await passwords.check(text, await passwords.hash("password123"))


async def test_an_unknown_user_costs_a_check_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked: list[bytes] = []
    checkpw = bcrypt.checkpw

    def spy(password: bytes, hashed: bytes) -> bool:
        checked.append(hashed)
        return checkpw(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", spy)
    passwords = Passwords(cost=5)
    hashed = await passwords.hash("password123")
    for against in (hashed, None, "bad hash"):
        assert not await passwords.check("wrong", against)
    # The cost decides how long a check takes.
    assert [bytes(each)[:7] for each in checked] == [b"$2b$05$"] * 3
    passwords.close()


async def test_the_event_loop_stays_free() -> None:
    passwords = Passwords(cost=12)
    hashing = asyncio.create_task(passwords.hash("x"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 5
    passwords.close()


async def test_the_queue_is_bounded() -> None:
    passwords = Passwords(cost=4, queue=3)
    results = await asyncio.gather(*(passwords.hash("x") for _ in range(5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, RateLimited)]
    assert [isinstance(result, RateLimited) for result in results] == [False] * 3 + [True] * 2
    assert [each.retry_after for each in refused] == [1, 1]
    assert await passwords.hash("x")
    passwords.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities on Linux alone")
async def test_whatever_else_is_to_be_done_goes_first(passwords: Passwords) -> None:
    await passwords.hash("x")
    (thread,) = passwords._thread._threads
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == 10
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


@pytest.mark.parametrize("text", ["", "1234567", "ääääääa"])
def test_a_new_password_has_8_characters(text: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        check_new(text)
    assert caught.value.field == "input.password"
    assert "8 characters" in caught.value.message
    check_new(f"{text:8}")
