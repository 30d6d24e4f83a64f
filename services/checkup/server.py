"""The server of the store: what it is, whether it keeps what it is given."""

from collections.abc import Iterator, Mapping

from redis.exceptions import NoPermissionError

from services.checkup.finding import Finding, at, ok, warning, wrong
from services.redis.durability import Durability
from services.redis.sentinels import Place
from services.redis.store import Store

_OLDEST = (6, 2)
_FULL = 0.9
_STORE, _DISK, _MEMORY, _REPLICAS = "store", "disk", "memory", "replicas"

Info = Mapping[str, str]


async def check_server(
    store: Store, durability: Durability, place: Place | None = None
) -> list[Finding]:
    """`place`: of the server, on a cluster. Raises Unavailable."""
    info = await _info(store, place, "server")
    findings = list(_version(info))
    checks = _CHECKS if place is None else _CHECKS_IN_CLUSTER
    try:
        for section, check in checks.items():
            findings += check(await _info(store, place, section), durability)
    except NoPermissionError:
        findings.append(
            warning(
                _STORE,
                "INFO is not allowed to this user: disk, memory and replicas are not checked."
                " Give doctor a REDIS_ENDPOINT_URL with a user who may.",
            )
        )
    return at(place, findings)


async def _info(store: Store, place: Place | None, section: str) -> Info:
    text = (await store.call_at(place, "INFO", section)).decode(errors="replace")
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, colon, value in pairs if colon}


def _version(info: Info) -> Iterator[Finding]:
    is_valkey = "valkey_version" in info
    version = info["valkey_version" if is_valkey else "redis_version"]
    mode = info.get("redis_mode") or info.get("server_mode", "standalone")
    name = f"{'Valkey' if is_valkey else 'Redis'} {version}, {mode}"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if not is_valkey and numbers < _OLDEST:
        yield wrong(_STORE, f"{name} is too old: Parley needs Redis 6.2 or newer, or Valkey.")
    else:
        yield ok(_STORE, f"{name}.")


def _replication(info: Info, durability: Durability) -> Iterator[Finding]:
    if info["role"] != "master":
        yield wrong(
            _REPLICAS,
            "The store is a replica, which takes no writes: name its primary, or the sentinels.",
        )
        return
    count = int(info["connected_slaves"])
    if count < durability.replicas:
        yield wrong(
            _REPLICAS,
            f"{count} replicas are connected and WAIT_REPLICAS is {durability.replicas}:"
            " no message is confirmed. Start replicas, or lower it.",
        )
    elif count:
        yield ok(_REPLICAS, f"{count} connected.")
    else:
        yield ok(_REPLICAS, "None: the store is the only copy.")


def _replication_in_cluster(info: Info, durability: Durability) -> Iterator[Finding]:
    if info["role"] == "master" and info["connected_slaves"] == "0" and not durability.replicas:
        yield warning(
            _REPLICAS, "None: when it is away, so are its rooms and users. Give it a replica."
        )
    else:
        yield from _replication(info, durability)


def _persistence(info: Info, durability: Durability) -> Iterator[Finding]:
    if info["aof_enabled"] == "1":
        if info.get("aof_last_write_status", "ok") != "ok":
            yield wrong(_DISK, "The last write to the append-only file failed: see to the disk.")
        else:
            yield ok(_DISK, "appendonly yes.")
        return
    advice = "Set appendonly yes (docs/durability.md)."
    if durability.disk:
        yield wrong(_DISK, f"WAIT_DISK needs an append-only file. {advice}")
    elif info.get("rdb_last_bgsave_status", "ok") != "ok":
        yield wrong(_DISK, f"The last snapshot failed: see to the disk. {advice}")
    else:
        yield warning(
            _DISK,
            "appendonly no: a crash of the store loses all messages since its last snapshot."
            f" {advice}",
        )


def _memory(info: Info, durability: Durability) -> Iterator[Finding]:
    most, used = int(info["maxmemory"]), int(info["used_memory"])
    policy = info["maxmemory_policy"]
    if policy != "noeviction":
        find = wrong if most else warning
        yield find(
            _MEMORY,
            f"maxmemory-policy {policy}: a full store throws messages and sessions away."
            " Set maxmemory-policy noeviction.",
        )
    elif most and used > _FULL * most:
        yield warning(
            _MEMORY,
            f"{used / most:.0%} of maxmemory are used: full, it takes no messages. Raise it.",
        )
    else:
        limit = f"of {most / 1e6:,.0f} MB" if most else "with no limit"
        yield ok(_MEMORY, f"{used / 1e6:,.0f} MB {limit}, noeviction.")


_CHECKS = {"replication": _replication, "persistence": _persistence, "memory": _memory}
_CHECKS_IN_CLUSTER = {**_CHECKS, "replication": _replication_in_cluster}
