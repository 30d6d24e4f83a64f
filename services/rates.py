"""Rates: how often something may be done. Token buckets in the store, common to all processes.

A bucket holds as many tokens as its rate allows in a period, and gains them evenly over it: so
much may be done at once, and no more than that in the long run. The store's clock counts.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from services import keys
from services.addresses import holder
from services.errors import RateLimited
from services.models import SessionKey
from services.redis.store import Store

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(rf"([1-9][0-9]{{0,8}}) */ *({'|'.join(_SECONDS)})")


@dataclass(frozen=True, slots=True)
class Rate:
    """So often in a period, which is one of second, minute, hour and day."""

    count: int
    period: str

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """`10/minute`; ValueError for anything else."""
        match = _RATE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"should be a rate like 10/minute, by {', '.join(_SECONDS)}")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.count} a{'n' if self.period == 'hour' else ''} {self.period}"

    @property
    def gain(self) -> int:
        """Microseconds in which a bucket gains a token."""
        return max(1, _SECONDS[self.period] * 1_000_000 // self.count)


@dataclass(frozen=True, slots=True)
class Rates:
    """What is limited; None for no limit."""

    logins_per_address: Rate | None = None
    logins_per_name: Rate | None = None
    registrations_per_address: Rate | None = None
    registrations_per_name: Rate | None = None
    messages_per_user: Rate | None = None
    operations_per_token: Rate | None = None
    messages_per_bot: Rate | None = None
    operations_per_bot: Rate | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    key: str
    rate: Rate
    what: str
    """What takes its tokens, in the plural, as in "Too many <what>"."""


def login_buckets(rates: Rates, address: str | None, name: str) -> list[Bucket]:
    """`name` is any text, and the same for all spellings of a name."""
    return _buckets("log-ins", rates.logins_per_address, address, rates.logins_per_name, name)


def registration_buckets(rates: Rates, address: str | None, name: str) -> list[Bucket]:
    return _buckets(
        "registrations",
        rates.registrations_per_address,
        address,
        rates.registrations_per_name,
        name,
    )


def message_buckets(rates: Rates, session: SessionKey) -> list[Bucket]:
    rate = rates.messages_per_bot if session.is_bot else rates.messages_per_user
    return [Bucket(keys.messages_bucket(session.user_id), rate, "messages")] if rate else []


def operation_buckets(rates: Rates, session: SessionKey) -> list[Bucket]:
    if session.is_bot:
        rate, what = rates.operations_per_bot, "operations of this bot"
        key = keys.bot_operations_bucket(session.user_id)
    else:
        rate, what = rates.operations_per_token, "operations with this session"
        key = keys.operations_bucket(session.user_id, session.token_hash)
    return [Bucket(key, rate, what)] if rate else []


async def take(store: Store, buckets: Sequence[Bucket], session: str | None = None) -> bytes | None:
    """Take a token from each of the buckets; RateLimited, and none is taken, when one is empty.

    With the key of a session they are taken on its behalf, and not at all if it is not there: it
    is returned. All have to share a slot of a Redis Cluster. One round trip.
    """
    names = [bucket.key for bucket in buckets]
    if session is not None:
        names.append(session)
    if not names:
        return None
    sizes = (number for bucket in buckets for number in (bucket.rate.gain, bucket.rate.count))
    wait, number, found = await store.run("take", names, *sizes)
    if wait:
        bucket = buckets[number - 1]
        seconds = math.ceil(wait / 1_000_000)
        raise RateLimited(
            f"Too many {bucket.what}: at most {bucket.rate}. Try again in {seconds} s.", seconds
        )
    return found  # type: ignore[no-any-return]


def _buckets(
    what: str, per_address: Rate | None, address: str | None, per_name: Rate | None, name: str
) -> list[Bucket]:
    buckets = []
    if per_address is not None and address is not None:
        key = keys.guesses_bucket(what, "address", _digest(holder(address)))
        buckets.append(Bucket(key, per_address, f"{what} from your address"))
    if per_name is not None:
        key = keys.guesses_bucket(what, "name", _digest(name))
        buckets.append(Bucket(key, per_name, f"{what} with this name"))
    return buckets


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
