"""Sessions: who is logged in. The store knows only the SHA-256 of a token."""

import hashlib
import re
import secrets
import time
from collections.abc import Sequence

import orjson

from services import keys
from services.models import Session
from services.store import Store

# The user's id comes first because the session's key, and its place in a cluster, has it.
_TOKEN = re.compile(r"(?P<user_id>[1-9][0-9]{0,17})\.[A-Za-z0-9_-]{43}")
_RANDOM_BYTES = 32


class Sessions:
    def __init__(self, store: Store, ttl_seconds: int) -> None:
        self._store = store
        self._ttl_seconds = ttl_seconds

    async def create(self, user_id: str) -> tuple[str, Session]:
        """A new session and its token, which cannot be had again."""
        token = f"{user_id}.{secrets.token_urlsafe(_RANDOM_BYTES)}"
        created = time.time()
        session = Session(user_id, _hash(token), created + self._ttl_seconds)
        value = orjson.dumps({"created": created, "expires": session.expires_at})
        await self._store.call("SET", _key(session), value, "EX", self._ttl_seconds)
        return token, session

    @staticmethod
    def claimed_user_id(token: str) -> str | None:
        """Whose session the token says it is of: nothing is known until it was resolved."""
        match = _TOKEN.fullmatch(token)
        return match["user_id"] if match else None

    async def resolve(self, token: str) -> Session | None:
        """The session of a token; None when it is not one, has expired or was ended."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        user_id, token_hash = match["user_id"], _hash(token)
        value = await self._store.call("GET", keys.session(user_id, token_hash))
        if value is None:
            return None
        return Session(user_id, token_hash, orjson.loads(value)["expires"])

    async def resolve_many(self, sessions: Sequence[Session]) -> list[bool]:
        """Whether each of the sessions is still alive; one round trip."""
        pipe = self._store.pipeline()
        for session in sessions:
            pipe.add("EXISTS", _key(session))
        alive = await self._store.execute(pipe) if sessions else []
        return [bool(count) for count in alive]

    async def end(self, session: Session) -> None:
        """End the session and tell every process, so that its open connections close."""
        await self._store.run(
            "session_end", [_key(session)], session.token_hash, keys.SESSIONS_CHANNEL
        )


def _key(session: Session) -> str:
    return keys.session(session.user_id, session.token_hash)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
