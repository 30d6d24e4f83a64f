"""Who uses the store, and whether it may be used."""

from collections.abc import Sequence

from redis.exceptions import NoPermissionError

from services import keys
from services.checkup.finding import Finding, at, name, ok, warning, wrong
from services.errors import Unavailable
from services.fleet import Fleet
from services.hub.bells import Channels
from services.redis.rights import missing_rights
from services.redis.sentinels import Place
from services.redis.store import Store, StoreError
from services.redis.writes import refusals


async def check_use(
    store: Store, fleet: Fleet, channels: Channels, places: Sequence[Place | None] = (None,)
) -> list[Finding]:
    """`places`: of the servers of a cluster that answer. Raises Unavailable."""
    servers = await fleet.servers()
    return [
        *(await _writes_of_each(store) if store.is_cluster else [await _writes(store)]),
        *await _rights(store, channels, places),
        *await _import(store),
        await _servers(fleet, servers),
        *await _others(store, servers if channels.envelopes else 0),
    ]


async def _writes(store: Store) -> Finding:
    try:
        await store.check_writable()
    except Unavailable as error:
        return wrong("writes", error.message)
    return ok("writes", "The store takes writes.")


async def _writes_of_each(store: Store) -> list[Finding]:
    found = await refusals(store)
    refused = [
        wrong("writes", f"{name(place)}: {reason}") for place, reason in found.items() if reason
    ]
    return refused or [ok("writes", f"All {len(found)} primaries take writes.")]


async def _rights(
    store: Store, channels: Channels, places: Sequence[Place | None]
) -> list[Finding]:
    """Each server has users of its own, a replica too, which may become the primary."""
    lacking: list[Finding] = []
    for place in places:
        async with store.guard():
            missing = await missing_rights(
                store.pool_at(place), is_sharded=channels.is_sharded, is_cluster=store.is_cluster
            )
        if missing:
            text = f"The store's user needs {' '.join(missing)} (docs/stores.md)."
            lacking += at(place, [wrong("rights", text)])
    return lacking or [ok("rights", "The store's user may do what is needed.")]


async def _import(store: Store) -> list[Finding]:
    archive = await store.call("GET", keys.IMPORT)
    if archive is None or archive.endswith(keys.IMPORT_DONE.encode()):
        return []
    return [wrong("import", "An import was not completed: repeat it before servers are started.")]


async def _servers(fleet: Fleet, servers: int) -> Finding:
    try:
        await fleet.check()
    except StoreError as error:
        return wrong("servers", str(error))
    return ok("servers", f"{_counted(servers, 'server')} of Parley on this store.")


async def _others(store: Store, servers: int) -> list[Finding]:
    """Each process of any kind listens on MESSAGES, those of Parley mostly on a second channel."""
    try:
        _, all_, _, ours = await store.call(
            "PUBSUB", "NUMSUB", keys.MESSAGES_CHANNEL, keys.LOG_CHANNEL
        )
    except NoPermissionError:
        return []
    count = int(all_) - max(int(ours), servers)
    if count <= 0:
        return []
    return [
        warning(
            "others",
            f"{_counted(count, 'program')} of others listen on {keys.MESSAGES_CHANNEL}, such as a"
            " server in Node: these show every private message to all their users"
            " (docs/data-model.md).",
        )
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
