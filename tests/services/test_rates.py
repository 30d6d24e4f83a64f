"""Token buckets, on a real store."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import fields

import pytest

from services import keys
from services.errors import RateLimited
from services.models import SessionKey
from services.rates import (
    Bucket,
    Rate,
    Rates,
    login_buckets,
    message_buckets,
    operation_buckets,
    registration_buckets,
    take,
)
from services.redis.store import Store

pytestmark = pytest.mark.on_cluster


async def wait_for(store: Store, bucket: Bucket) -> int:
    with pytest.raises(RateLimited) as caught:
        await take(store, [bucket])
    return caught.value.retry_after


def bucket(key: str, rate: str) -> Bucket:
    return Bucket(f"parley:{{test}}:{key}", Rate.parse(rate), "tries")


@pytest.mark.parametrize(
    ("text", "rate", "told"),
    [
        ("10/minute", Rate(10, "minute"), "10 a minute"),
        (" 1 / hour ", Rate(1, "hour"), "1 an hour"),
    ],
)
def test_rates_are_read_and_told(text: str, rate: Rate, told: str) -> None:
    assert Rate.parse(text) == rate
    assert str(rate) == told


@pytest.mark.parametrize(
    "text", ["", "10", "0/minute", "-1/minute", "1.5/hour", "10/week", "x/day"]
)
def test_other_texts_are_no_rates(text: str) -> None:
    with pytest.raises(ValueError, match="10/minute"):
        Rate.parse(text)


async def test_as_many_at_once_as_in_a_period(store: Store) -> None:
    tries = bucket("a", "5/day")
    results = await asyncio.gather(
        *(take(store, [tries]) for _ in range(9)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 5
    assert await wait_for(store, tries) in range(86400 // 5 - 60, 86400 // 5 + 1)


async def test_tokens_come_back_one_by_one(store: Store) -> None:
    tries = bucket("a", "60/hour")
    for _ in range(60):
        await take(store, [tries])
    assert 30 < await wait_for(store, tries) <= 60
    # As if two minutes had passed.
    full = int(await store.call("GET", tries.key))
    await store.call("SET", tries.key, full - 120_000_000)
    await take(store, [tries])
    await take(store, [tries])
    assert 30 < await wait_for(store, tries) <= 60


async def test_a_full_bucket_is_no_key(store: Store) -> None:
    tries = bucket("a", "2/hour")
    await take(store, [tries])
    assert 0 < await store.call("PTTL", tries.key) <= 1_800_000
    await take(store, [tries])
    assert 1_800_000 < await store.call("PTTL", tries.key) <= 3_600_000


async def test_all_or_none(store: Store) -> None:
    small, large = bucket("small", "1/day"), bucket("large", "2/day")
    await take(store, [small, large])
    for _ in range(3):
        with pytest.raises(RateLimited, match="1 a day"):
            await take(store, [small, large])
    await take(store, [large])


async def test_a_clock_that_stepped_back_locks_nobody_out(store: Store) -> None:
    tries = bucket("a", "10/minute")
    await store.call("SET", tries.key, round((time.time() + 1e6) * 1_000_000))
    assert await wait_for(store, tries) == 6


async def test_a_session_that_is_not_there_spends_nothing(store: Store) -> None:
    rates = Rates(operations_per_token=Rate(1, "day"))
    buckets = operation_buckets(rates, SessionKey("4", "hash"))
    assert await take(store, buckets, session="parley:{user:4}:session:hash") is None
    assert not await store.call("EXISTS", buckets[0].key)
    await store.call("SET", "parley:{user:4}:session:hash", "session")
    assert await take(store, buckets, session="parley:{user:4}:session:hash") == b"session"
    with pytest.raises(RateLimited):
        await take(store, buckets, session="parley:{user:4}:session:hash")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("2001:db8::1", "2001:0DB8:0::2"),
    ],
)
def test_addresses_of_one_customer_share_a_bucket(one: str, other: str) -> None:
    rates = Rates(logins_per_address=Rate(1, "day"))
    assert login_buckets(rates, one, "a") == login_buckets(rates, other, "b")
    stranger = login_buckets(rates, "2001:db8:0:1::1", "a")
    assert stranger != login_buckets(rates, one, "a")


def test_what_is_taken_together_shares_a_slot() -> None:
    rate = Rate(1, "day")
    rates = Rates(*[rate] * len(fields(Rates)))
    assert tags(each.key for each in login_buckets(rates, "192.0.2.1", "x")) == {"log-ins"}
    assert tags(each.key for each in registration_buckets(rates, "192.0.2.1", "x")) == {
        "registrations"
    }
    for session in (SessionKey("4", "hash"), SessionKey("4", "hash", is_bot=True)):
        taken = [*operation_buckets(rates, session), *message_buckets(rates, session)]
        names = [each.key for each in taken]
        assert len(names) == 2
        assert tags([*names, keys.session("4", "hash"), keys.sessions("4")]) == {"user:4"}


def tags(names: Iterable[str]) -> set[str]:
    """What a Redis Cluster hashes of the keys."""
    return {name.partition("{")[2].partition("}")[0] for name in names}
