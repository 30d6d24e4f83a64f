"""Redis Sentinel: whom it names as primary, and connections that lead there.

Every connection asks anew when it is made, so after a failover the next one leads to the present
primary. Three things could lead to another server, and are seen to:

- A sentinel that is cut off from the others still names the primary of before. Most of them are
  asked, and the newest configuration counts.
- A server may have been demoted since, or may not be promoted yet. It is asked for its role.
- A primary of before that has not heard of its end takes writes that will be lost. The sentinels
  are asked every second, and connections of an older configuration are broken.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakSet

from redis.asyncio import Connection, ConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, RedisError, ResponseError
from redis.utils import str_if_bytes

_log = logging.getLogger(__name__)

_ANSWER_SECONDS = 0.4
"""How long the sentinels have to answer: time is left to connect to whom they name."""
_WATCH_SECONDS = 1.0

Place = tuple[str, int]
"""Host and port."""


class Primary(NamedTuple):
    """A primary, and the number of the configuration that made it one: each failover has a higher
    one (`config-epoch`)."""

    configuration: int
    host: str
    port: int


class Sentinels:
    """Those who watch one service."""

    def __init__(
        self, service: str, places: Sequence[Place], options: Mapping[str, Any], *, is_tls: bool
    ) -> None:
        """`options`: of redis-py's connections to each of them."""
        self.connection_class: type[AbstractConnection] = (
            PrimarySSLConnection if is_tls else PrimaryConnection
        )
        """Of connections to the primary; redis-py's options and `sentinels` make one."""
        self._service = service
        self._clients = [
            Redis.from_pool(
                ConnectionPool(
                    connection_class=SSLConnection if is_tls else Connection,
                    **{
                        **options,
                        "host": host,
                        "port": port,
                        "socket_timeout": _ANSWER_SECONDS,
                        "socket_connect_timeout": _ANSWER_SECONDS,
                    },
                )
            )
            for host, port in places
        ]
        self._connections: WeakSet[PrimaryConnection] = WeakSet()
        """To the primaries of all times."""

    async def primary(self) -> Primary:
        """Who it is by the newest configuration that most of the sentinels know.

        Raises ConnectionError where there is none that works.
        """
        asking = [asyncio.create_task(self._ask(client)) for client in self._clients]
        answers: list[Primary | None] = []
        reason = "they do not answer"
        try:
            for asked in asyncio.as_completed(asking, timeout=_ANSWER_SECONDS):
                try:
                    answers.append(await asked)
                except (RedisError, RuntimeError) as error:
                    # The latter from uvloop, when the peer is gone already.
                    reason = str(error) or reason
                if len(answers) > len(asking) // 2:
                    break
        except TimeoutError:
            pass
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        if found := [answer for answer in answers if answer is not None]:
            return max(found)
        if answers:
            reason = "none is up"
        raise ConnectionError(f"The sentinels name no primary of {self._service}: {reason}")

    async def opinions(self) -> dict[str, Primary | str | None]:
        """What each sentinel says, by its place: the primary that it knows, None while it takes
        that for down; or, as text, why it says nothing."""
        found = await asyncio.gather(*map(self._opinion, self._clients))
        return dict(found)

    async def watch(self) -> None:
        """Break connections to primaries of before as soon as the sentinels name another."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                primary = await self.primary()
            except ConnectionError:
                continue
            older = [each for each in self._connections if each.is_older_than(primary)]
            if older:
                _log.warning("The primary of %s is another now.", self._service)
            for connection in older:
                connection.abort()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    def note(self, connection: "PrimaryConnection") -> None:
        """From now on it is broken as soon as it leads to a primary of before."""
        self._connections.add(connection)

    async def _opinion(self, client: Redis) -> tuple[str, Primary | str | None]:
        options = client.connection_pool.connection_kwargs
        place = f"{options['host']}:{options['port']}"
        try:
            return place, await self._ask(client)
        except (RedisError, RuntimeError) as error:
            return place, str(error) or type(error).__name__

    async def _ask(self, client: Redis) -> Primary | None:
        """The primary that one of them knows; None while it takes that for down."""
        # The state has the former address until a failover is through.
        pipe = client.pipeline(transaction=False)
        pipe.sentinel_master(self._service)
        pipe.sentinel_get_master_addr_by_name(self._service)
        try:
            state, place = await pipe.execute()
        except ResponseError as error:
            if "No such master" not in str(error):
                raise
            raise self._unwatched() from error
        if place is None:
            raise self._unwatched()  # Since a moment ago.
        host, port = place
        if state["is_sdown"] or state["is_odown"]:
            return None
        return Primary(int(state["config-epoch"]), str_if_bytes(host), int(port))

    def _unwatched(self) -> ResponseError:
        return ResponseError(f"no service {self._service} is watched there")


class PrimaryConnection(Connection):
    """A connection to whoever is the primary when it is made."""

    def __init__(self, *, sentinels: Sentinels, **options: Any) -> None:
        super().__init__(**options)
        self._sentinels = sentinels
        self._primary: Primary | None = None

    def is_older_than(self, primary: Primary) -> bool:
        return (
            self._primary is not None
            and self.is_connected
            and self._primary.configuration < primary.configuration
        )

    def abort(self) -> None:
        """Break it; whoever uses it notices as when the peer does."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def _connect(self) -> None:
        self._primary = await self._sentinels.primary()
        _, self.host, self.port = self._primary
        await super()._connect()  # type: ignore[no-untyped-call]
        self._sentinels.note(self)

    async def on_connect(self) -> None:
        await super().on_connect()
        # By HELLO, as ROLE is for administrators only.
        await self.send_command("HELLO")
        reply = await self.read_response()
        told = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
        if told[b"role"] != b"master":
            raise ConnectionError(f"{self.host}:{self.port} is not the primary")


class PrimarySSLConnection(PrimaryConnection, SSLConnection):
    """The same with TLS."""
