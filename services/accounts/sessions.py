"""Sessions: who is logged in. The store knows only the SHA-256 of a token.

A session lasts for some time after its last use, and for some more after its beginning at most.
Its use is written down when a good part of that time, or an hour, has passed since the last.
A bot has one session, which lasts until it is taken away; its token says that it is a bot's.
"""

import hashlib
import math
import re
import secrets
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import orjson

from services import keys
from services.errors import NotFound, Unavailable
from services.models import Scope, Session, SessionDetails, SessionKey
from services.rates import Rates, message_buckets, operation_buckets, take
from services.redis.store import Store

DEFAULT_TTL = 30 * 24 * 3600
DEFAULT_MOST_SECONDS = 180 * 24 * 3600
DEFAULT_MOST_SESSIONS = 1000

Counted = Literal["operation", "message"]
"""What a session is looked up for, where that is limited."""

# The user's id comes first because the session's key, and its place in a cluster, has it.
_TOKEN = re.compile(r"(?P<user_id>[1-9][0-9]{0,17})\.(?P<bot>bot-)?[A-Za-z0-9_-]{43}")
_RANDOM_BYTES = 32
_RENEWED_AFTER_PART = 0.1
_RENEWED_AFTER_SECONDS = 3600


class Sessions:
    def __init__(
        self,
        store: Store,
        ttl_seconds: int,
        *,
        most_seconds: int = DEFAULT_MOST_SECONDS,
        most_sessions: int = DEFAULT_MOST_SESSIONS,
        rates: Rates = Rates(),  # noqa: B008
    ) -> None:
        self._store = store
        self._ttl_seconds = ttl_seconds
        self._most_seconds = most_seconds
        self._most_sessions = most_sessions
        self._rates = rates
        self._renewed_after = min(ttl_seconds * _RENEWED_AFTER_PART, _RENEWED_AFTER_SECONDS)

    async def create(self, user_id: str, device: str = "") -> tuple[str, Session]:
        """A new session and its token, which cannot be had again."""
        token = f"{user_id}.{secrets.token_urlsafe(_RANDOM_BYTES)}"
        token_hash = _hash(token)
        value = await self._store.run(
            "session_create",
            [keys.session(user_id, token_hash), keys.sessions(user_id)],
            token_hash,
            self._ttl_seconds,
            self._most_seconds,
            device,
            self._most_sessions,
            keys.session(user_id, ""),
            keys.SESSIONS_CHANNEL,
        )
        return token, _details(user_id, token_hash, value).session

    async def create_for_bot(
        self, bot_id: str, owner_id: str, scopes: Collection[Scope]
    ) -> tuple[str, SessionDetails] | None:
        """A session in the place of the one that the bot had, which ends at once, and its token.

        None when the bot is not of this owner.
        """
        token = f"{bot_id}.bot-{secrets.token_urlsafe(_RANDOM_BYTES)}"
        token_hash = _hash(token)
        value = await self._store.run(
            "bot_token",
            [keys.user(bot_id), keys.session(bot_id, token_hash), keys.sessions(bot_id)],
            owner_id,
            token_hash,
            orjson.dumps(sorted(set(scopes))),
            keys.session(bot_id, ""),
            keys.SESSIONS_CHANNEL,
        )
        return None if value is None else (token, _details(bot_id, token_hash, value))

    @staticmethod
    def claimed(token: str) -> SessionKey | None:
        """Which session of whom the token says it is of: nothing is known until it was resolved."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        return SessionKey(match["user_id"], _hash(token), match["bot"] is not None)

    async def resolve(self, token: str, counted: Collection[Counted] = ()) -> Session | None:
        """The session of a token; None when it is not one, has expired or was ended.

        Raises RateLimited when there has been too much of what is counted. One round trip, and
        another when the session is to be renewed.
        """
        key = self.claimed(token)
        if key is None:
            return None
        buckets = []
        if "operation" in counted:
            buckets += operation_buckets(self._rates, key)
        if "message" in counted:
            buckets += message_buckets(self._rates, key)
        value = await take(self._store, buckets, _key(key))
        if value is None:
            return None
        details = _details(key.user_id, key.token_hash, value)
        if time.time() - details.used_at < self._renewed_after:
            return details.session
        return await self._renew(details.session)

    async def _renew(self, session: Session) -> Session | None:
        with suppress(Unavailable):  # It lasts a little while yet.
            value = await self._store.run(
                "session_renew",
                [_key(session), keys.sessions(session.user_id)],
                session.token_hash,
                self._ttl_seconds,
                self._most_seconds,
            )
            if value is None:
                return None
            renewed = _details(session.user_id, session.token_hash, value).session
            return replace(renewed, is_renewed=not renewed.is_bot)
        return session

    async def are_alive(self, sessions: Sequence[SessionKey]) -> list[bool]:
        """Whether each of the sessions is still alive; one round trip."""
        pipe = self._store.pipeline()
        for session in sessions:
            pipe.add("EXISTS", _key(session))
        return [bool(count) for count in await self._store.execute(pipe)]

    async def seconds_left(self, session: Session) -> float:
        """How long it lasts unless it is used; 0 when it is over."""
        milliseconds = await self._store.call("PTTL", _key(session))
        return max(0, int(milliseconds)) / 1000

    async def of_user(self, user_id: str) -> list[SessionDetails]:
        """The user's sessions, the last used one first; two round trips."""
        hashes = await self._store.call("ZRANGE", keys.sessions(user_id), 0, -1)
        names = [token_hash.decode() for token_hash in hashes]
        if not names:
            return []
        values = await self._store.call("MGET", *(keys.session(user_id, name) for name in names))
        found = [
            _details(user_id, name, value)
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]
        return sorted(found, key=lambda details: details.used_at, reverse=True)

    async def end(self, session: Session) -> None:
        """End the session and tell every process, so that its open connections close."""
        await self._end_all([session])

    async def end_one(self, user_id: str, session_id: str) -> SessionDetails:
        """End a session of the user. Raises NotFound when the user has none of this id."""
        for details in await self.of_user(user_id):
            if details.id == session_id:
                await self.end(details.session)
                return details
        raise NotFound("You have no such session.")

    async def end_others(self, session: Session) -> list[SessionDetails]:
        """End every session of the user but this one."""
        listed = await self.of_user(session.user_id)
        others = [each for each in listed if each.session.token_hash != session.token_hash]
        await self._end_all([details.session for details in others])
        return others

    async def end_all(self, user_id: str) -> list[SessionDetails]:
        """End every session of a user."""
        listed = await self.of_user(user_id)
        await self._end_all([details.session for details in listed])
        return listed

    async def _end_all(self, sessions: Sequence[Session]) -> None:
        pipe = self._store.pipeline()
        for session in sessions:
            self._store.add(
                pipe,
                "session_end",
                [_key(session), keys.sessions(session.user_id)],
                session.token_hash,
                keys.SESSIONS_CHANNEL,
            )
        if sessions:
            await self._store.execute(pipe)


def _details(user_id: str, token_hash: str, value: bytes) -> SessionDetails:
    record = orjson.loads(value)
    scopes = record.get("scopes")
    session = Session(
        user_id,
        token_hash,
        record.get("expires", math.inf),
        None if scopes is None else frozenset(map(Scope, scopes)),
    )
    # Earlier versions did not keep when and with what it was used.
    used_at = record.get("used", record["created"])
    return SessionDetails(session, record["created"], used_at, record.get("device", ""))


def _key(session: Session | SessionKey) -> str:
    return keys.session(session.user_id, session.token_hash)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
