"""The sentinels: whether enough of them answer, and name the same primary."""

from collections.abc import Iterator

from services.checkup.finding import Finding, ok, warning, wrong
from services.redis.sentinels import Primary, Sentinels

_ENOUGH = 3


async def check_sentinels(sentinels: Sentinels) -> list[Finding]:
    return list(_findings(await sentinels.opinions()))


def _findings(opinions: dict[str, Primary | str | None]) -> Iterator[Finding]:
    total = len(opinions)
    silent = {place: reason for place, reason in opinions.items() if isinstance(reason, str)}
    for place, reason in silent.items():
        yield warning("sentinels", f"{place} names nobody: {reason.rstrip('.')}. See to it.")
    if total < _ENOUGH:
        yield warning(
            "sentinels",
            f"REDIS_ENDPOINT_URL names {total}: name all of them, three or more, as fewer do not"
            " agree on a failover when one is away.",
        )
    named = {f"{each.host}:{each.port}" for each in opinions.values() if isinstance(each, Primary)}
    heard = f"{total - len(silent)} of {total}"
    if len(silent) >= total / 2:
        yield wrong(
            "sentinels",
            f"Only {heard} answer as they should: there is no failover. See to the others.",
        )
    elif not named:
        yield wrong("sentinels", f"{heard} answer, and take the primary for down. Start it.")
    elif len(named) > 1:
        yield warning(
            "sentinels",
            f"{heard} answer and name {' and '.join(sorted(named))}: a failover is under way, or"
            " some of them are cut off.",
        )
    else:
        yield ok("sentinels", f"{heard} answer and name {named.pop()}.")
