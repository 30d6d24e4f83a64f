"""Where the store is: what an address means, and how a connection to it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from services.redis.sentinels import Place, Sentinels

_FORMS = (
    "host:port or a URL that begins with redis://, rediss://, unix:///, redis+sentinel://,"
    " rediss+sentinel://, redis+cluster:// or rediss+cluster://"
)
_SENTINEL_FORM = "should name sentinels and a service, like redis+sentinel://host:26379/mymaster"
_PORT = 6379
_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How connections to the store are made."""

    options: dict[str, Any]
    """Of redis-py's pools: `connection_class`, and what an object of it is made with."""
    sentinels: Sentinels | None = None
    """Who say where it is."""
    servers: Sequence[Place] = ()
    """Some of those of a cluster; options are those of each, but for its host and port."""

    @classmethod
    def from_url(cls, url: str, password: str | None = None) -> "Endpoint":
        """What a URL of `as_url` means. `password` counts where the URL has none."""
        parts = urlsplit(url)
        scheme, _, kind = parts.scheme.partition("+")
        if kind == "sentinel":
            return _behind_sentinels(parts._replace(scheme=scheme), password)
        if kind == "cluster":
            places = _places(parts, _PORT)
            one = _with(parts, places[:1], path="")._replace(scheme=scheme)
            return cls(_options(one.geturl(), password), servers=places)
        return cls(_options(url, password))


def as_url(value: str) -> str:
    """`host:port` or a URL as a URL with every part there; ValueError for anything else."""
    url = value if "://" in value else f"redis://{value}"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"should be {_FORMS}") from None
    match parts.scheme:
        case "unix":
            if parts.netloc.rpartition("@")[2] or not parts.path.strip("/"):
                raise ValueError("should name a socket file, like unix:///run/redis/redis.sock")
            _check_options(url)
            return url
        case "redis" | "rediss":
            (place,) = _places(parts, _PORT, most=1)
            parts = _with(parts, [place], path=f"/{_database(parts.path)}")
        case "redis+sentinel" | "rediss+sentinel":
            service, _, database = parts.path.strip("/").partition("/")
            if not service:
                raise ValueError(_SENTINEL_FORM)
            path = f"/{service}/{_database(database)}"
            parts = _with(parts, _places(parts, _SENTINEL_PORT), path=path)
        case "redis+cluster" | "rediss+cluster":
            if parts.path.strip("/") not in ("", "0"):
                raise ValueError("should name no database: a Redis Cluster has only one")
            parts = _with(parts, _places(parts, _PORT), path="")
        case _:
            raise ValueError(f"should be {_FORMS}")
    url = parts.geturl()
    _check_options(url)
    return url


def address(url: str) -> str:
    """What to call the store of a URL in messages: never with a password."""
    parts = urlsplit(url)
    _, _, places = parts.netloc.rpartition("@")
    service = unquote(parts.path.split("/")[1]) if "+sentinel" in parts.scheme else ""
    return f"{places}/{service}".rstrip("/") if places else parts.path


def _places(parts: SplitResult, default_port: int, *, most: int | None = None) -> list[Place]:
    """The hosts and ports of a URL."""
    _, _, listed = parts.netloc.rpartition("@")
    found = []
    for place in listed.split(","):
        try:
            one = urlsplit(f"//{place}")
            host, port = one.hostname, one.port
        except ValueError:
            raise ValueError(f"should be {_FORMS}") from None
        if not host or port == 0 or " " in place:
            raise ValueError(f"should be {_FORMS}")
        found.append((host, port or default_port))
    if most is not None and len(found) > most:
        raise ValueError(
            "should name one server; several are for redis+sentinel:// and redis+cluster://"
        )
    return found


def _with(parts: SplitResult, places: Sequence[Place], *, path: str) -> SplitResult:
    credentials, at, _ = parts.netloc.rpartition("@")
    listed = ",".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places
    )
    return parts._replace(netloc=f"{credentials}{at}{listed}", path=path)


def _database(path: str) -> str:
    database = path.strip("/") or "0"
    if not database.isdecimal():
        raise ValueError("should end in a database number, like redis://127.0.0.1:6379/0")
    return database


def _options(url: str, password: str | None = None) -> dict[str, Any]:
    """Of a URL of one server."""
    return {"connection_class": Connection, "password": password, **parse_url(url)}


def _behind_sentinels(parts: SplitResult, password: str | None) -> Endpoint:
    """`redis[s]://[user:password@]sentinel,…/service/database?…`, with the options
    `sentinel_username` and `sentinel_password`; those of TLS are common to both."""
    _, service, database = parts.path.split("/")
    places = _places(parts, _SENTINEL_PORT)
    words = dict(parse_qsl(parts.query, keep_blank_values=True))
    theirs = {name: words.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    one = _with(parts, places[:1], path=f"/{database}")._replace(query=urlencode(words))
    options = _options(one.geturl(), password)
    is_tls = options.pop("connection_class") is SSLConnection
    sentinels = Sentinels(
        unquote(service),
        places,
        {
            **{name: value for name, value in options.items() if name.startswith("ssl_")},
            **theirs,
            "retry": Retry(NoBackoff(), 0),
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        },
        is_tls=is_tls,
    )
    options |= {"connection_class": sentinels.connection_class, "sentinels": sentinels}
    return Endpoint(options, sentinels)


def _check_options(url: str) -> None:
    """What follows the `?` reaches redis-py as it is; an option it does not know is a TypeError."""
    try:
        pool = ConnectionPool(**Endpoint.from_url(url).options)
        connection = pool.make_connection()  # type: ignore[no-untyped-call]
    except (TypeError, ValueError, RedisError):
        raise ValueError("should have only options after its ? that redis-py knows") from None
    if isinstance(connection, SSLConnection):
        try:
            connection.ssl_context.get()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ValueError(f"should have ssl_… options that can be used: {reason}") from None
