"""The services of one process, put together."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from services.accounts.bots import DEFAULT_MOST_BOTS, Bots
from services.accounts.passwords import DEFAULT_COST, DEFAULT_QUEUE, Passwords
from services.accounts.sessions import (
    DEFAULT_MOST_SECONDS,
    DEFAULT_MOST_SESSIONS,
    DEFAULT_TTL,
    Sessions,
)
from services.accounts.user_cache import UserCache
from services.accounts.users import Users
from services.bridge import Bridge
from services.demo import Demo
from services.errors import Unavailable
from services.fleet import Fleet
from services.hub.bells import Channels
from services.hub.hub import Hub
from services.log import Log
from services.messages import Messages
from services.models import SessionKey
from services.named_rooms import NamedRooms
from services.presence import PresenceService
from services.rates import Rates
from services.redis.durability import Durability
from services.redis.store import Store
from services.rooms import Rooms
from services.tasks import stop

_log = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 10.0


class Chat:
    """Everything that a server process does with the store. `open` before use, `close` after."""

    def __init__(
        self,
        store: Store,
        *,
        session_ttl: int = DEFAULT_TTL,
        session_most: int = DEFAULT_MOST_SECONDS,
        sessions_per_user: int = DEFAULT_MOST_SESSIONS,
        bots_per_user: int = DEFAULT_MOST_BOTS,
        registration: bool = True,
        bcrypt_cost: int = DEFAULT_COST,
        login_queue: int = DEFAULT_QUEUE,
        rates: Rates = Rates(),  # noqa: B008
        demo_data: bool = True,
        durability: Durability = Durability(),  # noqa: B008
        channels: Channels = Channels.SHARED,
    ) -> None:
        # Unique per process and never an address: servers drop what bears their own id.
        server_id = f"gql-{uuid.uuid4()}"
        self.store = store
        self.registration = registration
        """Whether anybody may open an account, or the operator alone."""
        self.passwords = Passwords(cost=bcrypt_cost, queue=login_queue)
        user_cache = UserCache()
        self._demo = Demo(store, self.passwords) if demo_data else None
        self.users = Users(store, self.passwords, user_cache, rates)
        self.sessions = Sessions(
            store,
            session_ttl,
            most_seconds=session_most,
            most_sessions=sessions_per_user,
            rates=rates,
        )
        self.rooms = Rooms(store, self.users, server_id, channels)
        self.named_rooms = NamedRooms(store, self.rooms)
        self.bots = Bots(store, self.users, self.sessions, self.rooms, bots_per_user)
        self.log = Log(store, channels)
        self.messages = Messages(store, self.log, self.rooms, server_id, durability, channels)
        self.presence = PresenceService(store, server_id, channels)
        self.bridge = Bridge(self.log, self.rooms, self.users, self.presence, server_id)
        self.hub = Hub(store, self.log, self.rooms, self.bridge, self.presence, server_id, channels)
        self.fleet = Fleet(store, server_id, channels)
        user_cache.hearing = lambda: self.hub.hearing
        self.hub.ear.on_users_changed = user_cache.forget
        self.messages.on_sent = self.hub.note_sent
        self.hub.ear.on_session_ended = self._session_ended
        self.hub.on_reconnected = self._reconnected
        self._watched: dict[str, tuple[SessionKey, set[Callable[[], None]]]] = {}
        """By the hashes of tokens."""
        self._heartbeat_task: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        return self.store.epoch

    async def open(self) -> None:
        await self.store.open()
        await self.fleet.join()
        if self._demo is not None:
            await self._demo.seed()
        await self.log.ingest_all()
        await self.presence.sweep()
        await self.hub.open()
        self._heartbeat_task = asyncio.create_task(self._heartbeat(), name="heartbeat")

    async def close(self) -> None:
        """Close everything, in the reverse order, whatever fails on the way."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close)
            stack.callback(self.passwords.close)
            stack.push_async_callback(self._leave_fleet)
            stack.push_async_callback(self._release_presence)
            stack.push_async_callback(self.bridge.close)
            stack.push_async_callback(self.hub.close)
            stack.push_async_callback(self._stop_heartbeat)

    async def _release_presence(self) -> None:
        if self._heartbeat_task is None:
            return  # It was never opened, so nobody has come.
        with suppress(Unavailable):
            await self.presence.release_all()

    async def _leave_fleet(self) -> None:
        with suppress(Unavailable):
            await self.fleet.leave()

    async def _stop_heartbeat(self) -> None:
        if self._heartbeat_task is not None:
            await stop(self._heartbeat_task)

    def watch_session(self, session: SessionKey, ended: Callable[[], None]) -> Callable[[], None]:
        """Call `ended` once when the session is ended by anybody; returns how to stop watching."""
        _, watchers = self._watched.setdefault(session.token_hash, (session, set()))
        watchers.add(ended)

        def stop() -> None:
            watchers.discard(ended)
            if not watchers and self._watched.get(session.token_hash, (None, None))[1] is watchers:
                del self._watched[session.token_hash]

        return stop

    def _session_ended(self, token_hash: str) -> None:
        _, watchers = self._watched.get(token_hash, (None, ()))
        for ended in list(watchers):
            ended()

    async def _reconnected(self) -> None:
        """The store may be another one, an empty one even."""
        if self._demo is not None:
            await self._demo.seed()
        await self._recheck_sessions()
        await self.presence.recheck()

    async def _recheck_sessions(self) -> None:
        """A log-out may have been announced while the channel was not heard."""
        sessions = [session for session, _ in self._watched.values()]
        alive = await self.sessions.are_alive(sessions)
        for session, is_alive in zip(sessions, alive, strict=True):
            if not is_alive:
                self._session_ended(session.token_hash)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            # On a cluster they are kept by different servers, one of which may be away.
            for beat in (self.presence.heartbeat, self.presence.sweep, self.fleet.renew):
                try:
                    await beat()
                except Unavailable:
                    _log.warning("The store does not answer the heartbeat.")
                except Exception:
                    _log.exception("The heartbeat failed; trying again at the next one.")
