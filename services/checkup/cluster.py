"""The servers of a Redis Cluster: whether all answer, and have all slots between them."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from redis.exceptions import RedisError, ResponseError

from services.checkup.finding import Finding, at, name, ok, warning, wrong
from services.errors import Unavailable
from services.redis.layout import Member, own, read_members
from services.redis.pipeline import pairs
from services.redis.sentinels import Place
from services.redis.store import Store

_CLUSTER = "cluster"
_ENOUGH = 3
_COVERAGE = "cluster-require-full-coverage"


class View(NamedTuple):
    """The cluster as one of its servers sees it."""

    is_well: bool
    """Whether it serves what it has."""
    members: list[Member]
    wants_all: bool
    """Whether it will serve nothing while another is away; False where it does not say."""


class Servers(NamedTuple):
    primaries: dict[Place, View]
    """Those that answer."""
    replicas: dict[Place, View]
    """As well."""
    silent: dict[Place, str]
    """Why the others do not."""

    @property
    def all(self) -> list[Place]:
        return [*self.primaries, *self.replicas]


async def find_servers(store: Store) -> Servers:
    """Raises Unavailable when none answers."""
    await store.look_around()
    servers = Servers({}, {}, {})
    for places, answering in (
        (sorted(store.primaries), servers.primaries),
        (sorted(store.replicas), servers.replicas),
    ):
        views = await asyncio.gather(*(_view(store, place) for place in places))
        for place, view in zip(places, views, strict=True):
            if isinstance(view, View):
                answering[place] = view
            else:
                servers.silent[place] = view
    return servers


async def _view(store: Store, place: Place) -> View | str:
    try:
        state = await store.call_at(place, "CLUSTER", "INFO")
        members = await read_members(store, place)
        wants_all = await _wants_all(store, place)
    except (Unavailable, RedisError) as error:
        return str(error.__cause__ or error)
    return View(b"cluster_state:ok" in state, members, wants_all)


async def _wants_all(store: Store, place: Place) -> bool:
    try:
        reply = await store.call_at(place, "CONFIG", "GET", _COVERAGE)
    except ResponseError:
        return False  # Not for this user.
    return (_COVERAGE.encode(), b"yes") in pairs(reply)


def check_cluster(store: Store, servers: Servers) -> list[Finding]:
    findings = [
        *_absences(store, servers),
        *_slots(store),
        *_states(servers),
        *_settings(store, servers),
    ]
    if any(each.level != "ok" for each in findings):
        return findings
    counted = f"{len(servers.primaries)} primaries and {len(servers.replicas)} replicas"
    return [ok(_CLUSTER, f"{counted} answer, and all slots have a server.")]


def _absences(store: Store, servers: Servers) -> Iterator[Finding]:
    for place, reason in servers.silent.items():
        is_primary = place in store.primaries
        find = wrong if is_primary else warning
        effect = "some rooms and users are UNAVAILABLE" if is_primary else "it stands in for nobody"
        yield find(
            _CLUSTER,
            f"{name(place)} does not answer, so {effect}: {reason.rstrip('.')}. See to it.",
        )
    silent = {name(place) for place in servers.silent}
    down: dict[str, list[str]] = {}
    for place, view in (servers.primaries | servers.replicas).items():
        for member in view.members:
            if member.flags & {"fail", "fail?"} and member.place not in silent:
                down.setdefault(member.place, []).append(name(place))
    for absent, tellers in down.items():
        yield warning(
            _CLUSTER,
            f"{absent} is taken for down by {', '.join(tellers)}: start it, or have them forget it"
            " (CLUSTER FORGET).",
        )


def _slots(store: Store) -> Iterator[Finding]:
    missing = sum(owner is None for owner in store.owners)
    if missing:
        yield wrong(
            _CLUSTER,
            f"{missing:,} of {len(store.owners):,} slots have no server: what belongs there is"
            " UNAVAILABLE. See to it (redis-cli --cluster fix).",
        )


def _states(servers: Servers) -> Iterator[Finding]:
    for place, view in servers.primaries.items():
        found = []
        if not view.is_well:
            text = "It serves nothing, as too much of the cluster is away for it."
            found.append(wrong(_CLUSTER, text))
        if moving := own(view.members).moving:
            text = (
                f"{len(moving)} of its slots are being moved, and rooms in them may have to wait."
                " If nobody moves them any more: redis-cli --cluster fix."
            )
            found.append(warning(_CLUSTER, text))
        yield from at(place, found)


def _settings(store: Store, servers: Servers) -> Iterator[Finding]:
    if len(store.primaries) < _ENOUGH:
        yield warning(
            _CLUSTER,
            f"{len(store.primaries)} primaries: with fewer than three no replica takes over when"
            " one is away. Add some.",
        )
    wanting = [name(place) for place, view in servers.primaries.items() if view.wants_all]
    if wanting:
        yield warning(
            _CLUSTER,
            f"{_COVERAGE} yes at {', '.join(wanting)}: while one primary is away, nothing at all is"
            f" served. Set {_COVERAGE} no.",
        )
