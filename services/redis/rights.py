"""The least rights that Parley's user needs in the store: an access control list (ACL).

docs/stores.md has them as a rule; a test runs the chat on a store with exactly that rule.
"""

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoPermissionError, ResponseError

from services import keys
from services.redis.pipeline import Word

_KEY = keys.PROBE
_COMMANDS: dict[str, tuple[Word, ...]] = {
    "client|id": (),
    "client|tracking": ("OFF",),
    "del": (_KEY,),
    "eval": ("return 0", 0),
    "evalsha": ("0" * 40, 0),
    "exec": (),
    "exists": (_KEY,),
    "expire": (_KEY, 60),
    "get": (_KEY,),
    "hdel": (_KEY, ""),
    "hexists": (_KEY, ""),
    "hget": (_KEY, ""),
    "hgetall": (_KEY,),
    "hmget": (_KEY, ""),
    "hset": (_KEY, "", ""),
    "hsetnx": (_KEY, "", ""),
    "incr": (_KEY,),
    # The one command of these that is of the category `dangerous`. It tells the run id of the
    # server, by which a restart or a failover is noticed.
    "info|server": (),
    "mget": (_KEY,),
    "multi": (),
    "pexpireat": (_KEY, 0),
    "ping": (),
    "pttl": (_KEY,),
    "publish": (keys.LOG_CHANNEL, ""),
    "sadd": (_KEY, ""),
    "scan": (0,),
    "scard": (_KEY,),
    "script|load": ("return 0",),
    "sdiff": (_KEY,),
    "select": (0,),
    "set": (_KEY, ""),
    "sismember": (_KEY, ""),
    "smembers": (_KEY,),
    "smismember": (_KEY, ""),
    "srem": (_KEY, ""),
    "subscribe": (keys.LOG_CHANNEL,),
    "time": (),
    "ttl": (_KEY,),
    "wait": (0, 1),
    "xadd": (_KEY, "*", "", ""),
    "xlen": (_KEY,),
    "xrange": (_KEY, "-", "+"),
    "xrevrange": (_KEY, "+", "-"),
    "zadd": (_KEY, 0, ""),
    "zcard": (_KEY,),
    "zcount": (_KEY, 0, 0),
    "zpopmin": (_KEY,),
    "zrange": (_KEY, 0, 0),
    "zrangebyscore": (_KEY, 0, 0),
    "zrem": (_KEY, ""),
    "zremrangebyscore": (_KEY, 0, 0),
    "zscore": (_KEY, ""),
}
"""Each with words that it could be called with."""

_KEYS = (keys.TOTAL_USERS, keys.ONLINE_USERS, "username:*", "user:*", "room:*", "parley:*")
_CHANNELS = (keys.MESSAGES_CHANNEL, "parley:*", keys.INVALIDATIONS_CHANNEL)

_PROBES: dict[str, tuple[Word, ...]] = {
    **{f"~{pattern}": ("SET", pattern, "") for pattern in _KEYS},
    **{f"&{pattern}": ("PUBLISH", pattern, "") for pattern in _CHANNELS},
    **{f"+{name}": (*name.split("|"), *words) for name, words in _COMMANDS.items()},
}
"""What is refused where a right is missing."""
del _PROBES["+multi"], _PROBES["+exec"]

_OF_A_COMMAND = " to run the "
"""In refusals of commands; others are of keys or channels."""

RULE = (
    *(f"~{pattern}" for pattern in _KEYS),
    *(f"&{pattern}" for pattern in _CHANNELS),
    *(f"+{name}" for name in _COMMANDS),
)
"""What the user must be granted, in the words of ACL SETUSER. With WAIT_DISK `+waitaof` besides."""

_SHARDED_PROBES: dict[str, tuple[Word, ...]] = {
    "+spublish": ("SPUBLISH", _KEY, ""),
    "+ssubscribe": ("SSUBSCRIBE", _KEY),
    "+sunsubscribe": ("SUNSUBSCRIBE", _KEY),
}
SHARDED_RULE = tuple(_SHARDED_PROBES)
"""What it must be granted besides where CHANNELS is not `shared`."""

_CLUSTER_PROBES: dict[str, tuple[Word, ...]] = {
    "+asking": ("ASKING",),
    "+cluster|info": ("CLUSTER", "INFO"),
    "+cluster|nodes": ("CLUSTER", "NODES"),
    "+cluster|slots": ("CLUSTER", "SLOTS"),
}
CLUSTER_RULE = tuple(_CLUSTER_PROBES)
"""What it must be granted besides on a Redis Cluster."""


async def missing_rights(
    pool: ConnectionPool, *, is_sharded: bool = False, is_cluster: bool = False
) -> list[str]:
    """The words of RULE, of SHARDED_RULE if it `is_sharded`, and of CLUSTER_RULE if it `is_cluster`
    that the user of these connections has not been granted.

    Nothing is run: the store takes or refuses what is queued in a transaction, which is given up.
    Whether keys and channels are granted can be told of a user only who may SET and PUBLISH.
    Raises RedisError.
    """
    connection = await pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        missing = []
        # Outside of a transaction it does nothing.
        if await _refusal(connection, "EXEC"):
            missing.append("+exec")
        if await _refusal(connection, "MULTI"):
            return [*missing, "+multi"]
        probes = {
            **_PROBES,
            **(_SHARDED_PROBES if is_sharded else {}),
            **(_CLUSTER_PROBES if is_cluster else {}),
        }
        for right, probe in probes.items():
            refusal = await _refusal(connection, *probe)
            if refusal and (right[0] == "+") == (_OF_A_COMMAND in refusal):
                missing.append(right)
        return missing
    finally:
        await connection.disconnect()
        await pool.release(connection)


async def _refusal(connection: AbstractConnection, *command: Word) -> str:
    """What the store says where the right is missing; else nothing."""
    await connection.send_command(*command)
    try:
        await connection.read_response()
    except NoPermissionError as error:
        return str(error)
    except ResponseError as error:
        # EXEC has a word of its own before it; other errors are no matter of rights.
        return str(error) if "NOPERM" in str(error) else ""
    return ""
