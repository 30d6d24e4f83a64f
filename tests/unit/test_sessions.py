"""Sessions, on a real store."""

import asyncio
import hashlib
import re
import time

import orjson
import pytest

from services import keys
from services.accounts.sessions import Sessions
from services.models import Session, SessionKey
from services.redis.store import Store

pytestmark = pytest.mark.on_cluster


def key_of(session: Session) -> SessionKey:
    return SessionKey(session.user_id, session.token_hash)


@pytest.fixture
def sessions(store: Store) -> Sessions:
    return Sessions(store, ttl_seconds=3600)


async def test_a_token_resolves_to_its_session(sessions: Sessions) -> None:
    token, session = await sessions.create("4")
    assert re.fullmatch(r"4\.[A-Za-z0-9_-]{43}", token)
    assert session.user_id == "4"
    assert session.expires_at == pytest.approx(time.time() + 3600, abs=5)
    assert await sessions.resolve(token) == session


async def test_tokens_differ(sessions: Sessions) -> None:
    tokens = {(await sessions.create("4"))[0] for _ in range(20)}
    assert len(tokens) == 20


async def test_the_store_never_has_the_token(store: Store, sessions: Sessions) -> None:
    token, session = await sessions.create("4")
    secret = token.partition(".")[2].encode()
    keys = [key async for key in store.redis.scan_iter()]
    key = f"parley:{{user:4}}:session:{hashlib.sha256(token.encode()).hexdigest()}"
    assert key.encode() in keys
    assert session.token_hash in key
    for name in keys:
        assert secret not in name
        assert secret not in (await store.redis.dump(name) or b"")


async def test_the_store_forgets_it_in_time(store: Store) -> None:
    sessions = Sessions(store, ttl_seconds=1)
    token, session = await sessions.create("4")
    assert await sessions.resolve(token) == session
    await asyncio.sleep(1.1)
    assert await sessions.resolve(token) is None
    assert await sessions.are_alive([key_of(session)]) == [False]


async def test_foreign_tokens_reach_no_key(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = await sessions.create("4")
    secret = token.partition(".")[2]

    async def no_call(*command: object) -> None:
        raise AssertionError(command)

    monkeypatch.setattr(sessions._store, "call", no_call)
    for text in (
        "",
        ".",
        secret,
        f"0.{secret}",
        f"04.{secret}",
        f"-4.{secret}",
        f"٤.{secret}",
        f"4.{secret[:-1]}",
        f"4.{secret}x",
        f"4.{secret}\n",
        f" 4.{secret}",
        f"4.{secret[:-1]}*",
        f"4.{secret[:-1]}é",
        f"4}}.{secret}",
        f"{'1' * 19}.{secret}",
        "\ud800",
        token * 1000,
    ):
        assert await sessions.resolve(text) is None


async def test_a_token_is_bound_to_its_user(sessions: Sessions) -> None:
    token, _ = await sessions.create("4")
    assert await sessions.resolve("3" + token[1:]) is None
    assert await sessions.resolve("4." + "A" * 43) is None


async def test_resolving_is_one_round_trip(
    store: Store, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, session = await sessions.create("4")
    trips = 0
    execute = store.execute

    async def counted(*args: object) -> object:
        nonlocal trips
        trips += 1
        return await execute(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "execute", counted)
    await sessions.resolve(token)
    assert trips == 1
    await sessions.are_alive([key_of(session)] * 5)
    assert trips == 2


@pytest.mark.one_server
async def test_an_end_is_announced(store: Store, sessions: Sessions) -> None:
    token, session = await sessions.create("4")
    other, other_session = await sessions.create("4")
    async with store.redis.pubsub() as pubsub:
        await pubsub.subscribe("parley:sessions")
        await pubsub.get_message(timeout=1)
        await sessions.end(session)
        message = await pubsub.get_message(timeout=1)
        assert message is not None
        assert message["data"] == session.token_hash.encode()
        assert await sessions.resolve(token) is None
        assert await sessions.resolve(other) == other_session

        await sessions.end(session)
        assert await pubsub.get_message(timeout=1) is not None


async def test_many_are_asked_for_in_their_order(sessions: Sessions) -> None:
    created = [(await sessions.create(user_id))[1] for user_id in ("1", "2", "3")]
    await sessions.end(created[1])
    asked = [SessionKey("4", "0" * 64), *map(key_of, created)]
    assert await sessions.are_alive(asked) == [False, True, False, True]
    assert await sessions.are_alive([]) == []


async def test_less_time_at_most_is_for_those_that_are_there_too(store: Store) -> None:
    generous = Sessions(store, ttl_seconds=3600, most_seconds=100_000)
    strict = Sessions(store, ttl_seconds=3600, most_seconds=600)
    token, session = await generous.create("4")
    await strict.create("4")
    # The list of the user's sessions lasts as long as any of them.
    assert await store.call("TTL", keys.sessions("4")) > 50_000
    record = orjson.loads(await store.call("GET", keys.session("4", session.token_hash)))
    record["used"] -= 1000
    await store.call("SET", keys.session("4", session.token_hash), orjson.dumps(record), "EX", 3600)
    renewed = await strict.resolve(token)
    assert renewed is not None
    assert renewed.expires_at == pytest.approx(time.time() + 600, abs=5)


async def test_one_that_an_earlier_version_wrote(store: Store, sessions: Sessions) -> None:
    token = f"4.{'x' * 43}"
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    now = time.time()
    for created in (now, now - 10_000):  # The second one is due to be renewed.
        record = f'{{"created":{created},"expires":{now + 3000}}}'
        await store.call("SET", keys.session("4", token_hash), record, "EX", 3000)
        session = await sessions.resolve(token)
        assert session is not None
        assert session.expires_at == pytest.approx(now + 3000, abs=1)
