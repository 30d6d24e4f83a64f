"""Accounts, on a real store."""

import asyncio
from collections.abc import Iterator

import pytest

from services.accounts.passwords import Passwords
from services.accounts.users import Users
from services.errors import BadUserInput, Conflict, Unauthenticated
from services.models import User
from services.redis.store import Store


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(cost=4)
    yield passwords
    passwords.close()


@pytest.fixture
def users(store: Store, passwords: Passwords) -> Users:
    return Users(store, passwords)


async def register(users: Users, *names: str) -> list[User]:
    return [await users.register(name, "password123") for name in names]


class TestRegister:
    async def test_writes_what_every_server_reads(self, store: Store, users: Users) -> None:
        user = await users.register("Zoé", "password123")

        assert user == User("1", "Zoé")
        redis = store.redis
        assert await redis.get("total_users") == b"1"
        assert await redis.get("username:Zoé") == b"user:1"
        account = await store.call("HGETALL", "user:1")
        assert account[b"username"] == "Zoé".encode()
        assert account[b"password"].startswith(b"$2b$04$")
        assert set(account) == {b"username", b"password"}
        assert await redis.smembers("user:1:rooms") == {b"0"}
        assert await redis.get("room:0:name") == b"General"

    async def test_continues_the_ids(self, store: Store, users: Users) -> None:
        await store.redis.set("total_users", 41)
        await store.redis.set("room:0:name", "Lobby")
        assert (await users.register("Zoé", "password123")).id == "42"
        assert await store.redis.get("room:0:name") == b"Lobby"

    async def test_never_takes_over_an_account(self, store: Store, users: Users) -> None:
        await register(users, "Pablo", "Joe")
        await store.redis.set("total_users", 0)
        assert (await users.register("Mary", "password123")).id == "3"
        assert await store.redis.hget("user:1", "username") == b"Pablo"

    async def test_one_of_fifty_at_once_gets_the_name(self, store: Store, users: Users) -> None:
        await register(users, "Pablo")
        results = await asyncio.gather(
            *(users.register("Zoé", "password123") for _ in range(50)), return_exceptions=True
        )
        assert [result for result in results if isinstance(result, User)] == [User("2", "Zoé")]
        assert sum(isinstance(result, Conflict) for result in results) == 49
        assert await store.redis.get("total_users") == b"2"
        assert await store.redis.exists("user:3", "user:3:rooms") == 0

    async def test_a_taken_name_is_a_conflict(self, store: Store, users: Users) -> None:
        await register(users, "Pablo")
        for name in ("Pablo", " Pablo\n"):
            with pytest.raises(Conflict):
                await users.register(name, "password123")

    @pytest.mark.parametrize("owner", ["user:7", "7", "", "nonsense"])
    async def test_a_name_of_another_server_is_taken(
        self, store: Store, users: Users, owner: str
    ) -> None:
        await store.redis.set("username:Zoé", owner)
        with pytest.raises(Conflict):
            await users.register("Zoé", "password123")
        assert not await store.redis.exists("total_users")

    async def test_a_resent_script_returns_the_same_user(
        self, store: Store, users: Users, passwords: Passwords
    ) -> None:
        keys = [
            "username:Zoé", "total_users", "room:0:name",
            "parley:spellings", "parley:spellings:upto",
        ]  # fmt: skip
        hashed, other = await passwords.hash("x"), await passwords.hash("x")
        assert await store.run("register", keys, "Zoé", hashed, "0", "", 0, "zoé") == b"1"
        assert await store.run("register", keys, "Zoé", hashed, "0", "", 0, "zoé") == b"1"
        assert await store.run("register", keys, "Zoé", other, "0", "", 0, "zoé") == b""
        assert await store.redis.get("total_users") == b"1"

    @pytest.mark.parametrize(
        "name",
        ["", "  ", "a" * 33, "a\0b", "a\nb", "\x1b[31m", "a\u2028b", "\ud800", "a\x7f"],
        ids=ascii,
    )
    async def test_refuses_names_that_cannot_be_shown(
        self, store: Store, users: Users, name: str
    ) -> None:
        with pytest.raises(BadUserInput) as caught:
            await users.register(name, "password123")
        assert caught.value.field == "input.username"
        assert not await store.redis.exists("total_users")

    @pytest.mark.parametrize("name", ["a", "😀" * 32, 'say "hi" \\', "x:y", "李雷", "a b"])
    async def test_trims_and_takes_any_other_name(self, users: Users, name: str) -> None:
        user = await users.register(f"  {name}\t", "password123")
        assert user.username == name
        assert await users.by_username(name) == user

    @pytest.mark.parametrize(
        "password", ["", "1234567", "a" * 73, "password\0", "password\ud800"], ids=ascii
    )
    async def test_refuses_passwords_that_cannot_be_kept(
        self, store: Store, users: Users, password: str
    ) -> None:
        with pytest.raises(BadUserInput) as caught:
            await users.register("Zoé", password)
        assert caught.value.field == "input.password"
        assert not await store.redis.exists("username:Zoé")


class TestAuthenticate:
    async def test_returns_the_user(self, users: Users) -> None:
        (user,) = await register(users, "Zoé")
        assert await users.authenticate("Zoé", "password123") == user
        assert await users.authenticate(" Zoé ", "password123") == user

    async def test_a_name_with_blanks_goes_first(
        self, store: Store, users: Users, passwords: Passwords
    ) -> None:
        await register(users, "Pablo")
        await store.redis.set("username:Pablo ", "user:2")
        await store.redis.hset(
            "user:2", mapping={"username": "Pablo ", "password": await passwords.hash("other")}
        )
        assert (await users.authenticate("Pablo ", "other")).id == "2"
        assert (await users.authenticate("Pablo", "password123")).id == "1"

    async def test_says_the_same_whatever_is_wrong(self, store: Store, users: Users) -> None:
        await register(users, "Zoé", "NoHash", "NoPassword", "BadPassword")
        await store.redis.delete("user:2")
        await store.redis.hdel("user:3", "password")
        await store.redis.hset("user:4", "password", b"\xff\xfe")
        await store.redis.set("username:Odd", "user:x")
        attempts = [
            ("Zoé", "wrong"),
            ("Zoé", ""),
            ("Zoé", "a" * 5000),
            ("Zoé", "\ud800"),
            ("zoé", "password123"),
            ("Nobody", "password123"),
            ("NoHash", "password123"),
            ("NoPassword", "password123"),
            ("BadPassword", "password123"),
            ("Odd", "password123"),
            ("", ""),
            ("\ud800", "password123"),
        ]
        for name, password in attempts:
            with pytest.raises(Unauthenticated) as caught:
                await users.authenticate(name, password)
            assert caught.value.message == "Wrong username or password."

    async def test_accounts_of_the_other_servers_log_in(
        self, store: Store, users: Users, passwords: Passwords
    ) -> None:
        hashed = (await passwords.hash("password123")).replace("$2b$", "$2a$")
        await store.redis.set("username:Java", "9")
        await store.redis.hset("user:9", mapping={"username": "Java", "password": hashed})
        assert await users.authenticate("Java", "password123") == User("9", "Java")


class TestReading:
    async def test_many_users_with_holes(self, store: Store, users: Users) -> None:
        pablo, joe = await register(users, "Pablo", "Joe")
        await store.redis.hset("user:5", mapping={"password": "x"})
        await store.redis.hset("user:6", mapping={"username": b"\xff"})
        assert await users.get_many(["2", "3", "1", "2", "5", "6"]) == [
            joe, None, pablo, joe, None, User("6", "\ufffd"),
        ]  # fmt: skip
        assert await users.get_many([]) == []

    async def test_by_username(self, store: Store, users: Users) -> None:
        (pablo,) = await register(users, "Pablo")
        assert await users.by_username("Pablo") == pablo
        await store.redis.set("username:Pablo", "1")
        assert await users.by_username("Pablo") == pablo
        for name in ("pablo", "Pablo ", "", "\ud800", "?", "x" * 100_000):
            assert await users.by_username(name) is None

    @pytest.mark.parametrize("value", ["user:0", "user:-1", "user:", "user:1x", "user:99", b"\xff"])
    async def test_a_name_of_nobody(self, store: Store, users: Users, value: str | bytes) -> None:
        await store.redis.set("username:Odd", value)
        assert await users.by_username("Odd") is None


class TestPage:
    async def test_pages_through_everybody(self, store: Store, users: Users) -> None:
        everybody = await register(users, *(f"user{number}" for number in range(7)))
        await store.redis.delete("user:3", "user:7")
        there = [user for user in everybody if user.id not in ("3", "7")]
        assert await users.page(0, 3, None) == (there[:3], True)
        assert await users.page(4, 2, None) == (there[3:], False)
        assert await users.page(0, 5, None) == (there, False)
        assert await users.page(6, 5, None) == ([], False)
        assert await users.page(0, 0, None) == ([], True)

    async def test_an_empty_store_has_nobody(self, users: Users) -> None:
        for online in (None, True, False):
            assert await users.page(0, 10, online) == ([], False)

    async def test_by_presence(self, store: Store, users: Users) -> None:
        everybody = await register(users, *(f"user{number}" for number in range(12)))
        await store.redis.sadd("online_users", "2", "10", "9", "77", "nonsense", "-1", b"\xff")
        online = [everybody[1], everybody[8], everybody[9]]
        assert await users.page(0, 2, True) == (online[:2], True)
        assert await users.page(9, 2, True) == (online[2:], False)
        offline = [user for user in everybody if user not in online]
        assert await users.page(0, 9, False) == (offline, False)
        assert await users.page(1, 3, False) == (offline[1:4], True)

    async def test_large_holes_cost_few_round_trips(
        self, store: Store, users: Users, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.redis.set("total_users", 5000)
        await store.redis.hset("user:4999", "username", "Last")
        trips = 0
        execute = store.execute

        async def counted(*args: object) -> object:
            nonlocal trips
            trips += 1
            return await execute(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(store, "execute", counted)
        assert await users.page(0, 10, None) == ([User("4999", "Last")], False)
        assert trips < 12
