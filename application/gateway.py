"""Who asks: from what a connection brings along to the context of its operations."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import HTTPConnection

from application.cookies import SessionCookies
from application.devices import device_of
from application.transports.gateway import Refused
from application.transports.places import TOO_MANY, Places
from execution.engine import Engine
from schema.context import Context
from services.chat import Chat
from services.errors import RateLimited, Unavailable
from services.models import Session, User
from services.together import together

_ASKED_AGAIN_SECONDS = 1.0
_LONGEST_USER_AGENT = 512

Ending = tuple[int, str]

LOGGED_OUT: Ending = (4401, "logged out")
EXPIRED: Ending = (4403, "token expired or unknown")
STOPPING: Ending = (1012, "server stopping")
NO_STORE: Ending = (1013, "the store is not available, try again")


class ChatGateway:
    """The transports' way to the chat; `stop` ends every open connection and refuses new ones.

    A connection with a session takes a place of its user.
    """

    def __init__(self, chat: Chat, engine: Engine, places: Places | None = None) -> None:
        self.engine = engine
        self._places = places or Places()
        self._chat = chat
        self._connections: set[Connection] = set()
        self._is_stopping = False

    async def http_context(self, request: HTTPConnection[Any]) -> Context:
        """The context of a request; nobody's if its token does not hold."""
        cookies = _cookies(request)
        context = Context(
            self._chat,
            token=_header_token(request) or cookies.token,
            cookies=cookies,
            address=_address(request),
            device=_device(request),
        )
        context.response_headers = cookies.headers
        return context

    async def open(
        self, connection: HTTPConnection[Any], payload: Mapping[str, object] | None
    ) -> "Connection":
        """A connection that stays open; its user is online meanwhile.

        A token that a program sends has to hold, or its events would silently be nobody's. A
        browser sends its cookie whether it wants to or not: one that does not hold is no token.
        """
        if self._is_stopping:
            raise Refused(*STOPPING)
        given = _payload_token(payload) or _header_token(connection)
        token = given or _cookies(connection).token
        opened = Connection(
            self._chat,
            self._places,
            self._connections.discard,
            _address(connection),
            _device(connection),
            _last_event_id(connection),
        )
        self._connections.add(opened)
        try:
            is_accepted = token is None or await opened.authenticate(token)
        except Unavailable:
            await opened.close()
            raise Refused(*NO_STORE) from None
        except BaseException:
            await opened.close()
            raise
        if given is not None and not is_accepted:
            await opened.close()
            raise Refused(*EXPIRED)
        return opened

    def stop(self) -> None:
        self._is_stopping = True
        for connection in list(self._connections):
            connection.end(STOPPING)


class Connection:
    """One open connection, with the session behind it if there is one."""

    def __init__(
        self,
        chat: Chat,
        places: Places,
        closed: "Callable[[Connection], None]",
        address: str | None,
        device: str,
        resume_after: str | None = None,
    ) -> None:
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._chat = chat
        self._places = places
        self._place: str | None = None
        self._closed = closed
        self._address = address
        self._device = device
        self._resume_after = resume_after
        self._token: str | None = None
        self._is_ended_already = False
        """The session has ended while it was looked up."""
        self._user: User | None = None
        self._stop_watching: list[Callable[[], None]] = []
        self._expiry: asyncio.TimerHandle | None = None
        self._finding_out: asyncio.Task[None] | None = None

    async def authenticate(self, token: str) -> bool:
        """Make it the connection of the token's user, if the token holds.

        Raises Unavailable, and Refused (4429) when the user has too many connections, or opens
        them too fast.
        """
        claimed = self._chat.sessions.claimed(token)
        if claimed is None:
            return False
        # Before it is looked up: it may be ended just then.
        unwatch = self._chat.watch_session(claimed, self._session_ended)
        self._stop_watching = [self._cancel_expiry, unwatch]
        try:
            session, (user,) = await together(
                # To come and go is told to everybody, so it counts.
                self._chat.sessions.resolve(token, ["operation"]),
                self._chat.users.read_many([claimed.user_id]),
            )
        except RateLimited as refusal:
            raise Refused(TOO_MANY, str(refusal)) from None
        if session is None or user is None or self._is_ended_already:
            self._forget_session()
            return False
        self._expire_in(session, session.expires_at - time.time())
        self._places.take(user.id)
        self._place = user.id
        self._token = token
        await self._chat.presence.connect(user)
        self._user = user
        return True

    def context(self) -> Context:
        """For each operation the token is looked up again: it is the store that knows.

        An ended session then does nothing more, even while its end has not been heard here.
        """
        return Context(
            self._chat,
            token=self._token,
            address=self._address,
            device=self._device,
            resume_after=self._resume_after,
        )

    def _session_ended(self) -> None:
        if self._token is None:
            self._is_ended_already = True
        else:
            self.end(LOGGED_OUT)

    def end(self, ending: Ending) -> None:
        if not self.ended.done():
            self.ended.set_result(ending)

    async def close(self) -> None:
        self._closed(self)
        self._forget_session()
        place, self._place = self._place, None
        if place is not None:
            self._places.leave(place)
        user, self._user = self._user, None
        if user is not None:
            await self._chat.presence.disconnect(user)

    def _expire_in(self, session: Session, seconds: float) -> None:
        if seconds == math.inf:
            return  # A bot's.
        loop = asyncio.get_running_loop()
        self._expiry = loop.call_later(max(0.0, seconds), self._find_out, session)

    def _find_out(self, session: Session) -> None:
        """It has expired, unless it was used elsewhere meanwhile."""
        self._finding_out = asyncio.create_task(self._expire(session))

    async def _expire(self, session: Session) -> None:
        try:
            seconds = await self._chat.sessions.seconds_left(session)
        except Unavailable:
            seconds = _ASKED_AGAIN_SECONDS
        if seconds:
            self._expire_in(session, seconds)
        else:
            self.end(EXPIRED)

    def _cancel_expiry(self) -> None:
        for timer in (self._expiry, self._finding_out):
            if timer is not None:
                timer.cancel()

    def _forget_session(self) -> None:
        for stop in self._stop_watching:
            stop()
        self._stop_watching = []


def _payload_token(payload: Mapping[str, object] | None) -> str | None:
    """`{"authorization": "Bearer …"}`, the key in any case as a header's."""
    for key, value in (payload or {}).items():
        if key.lower() == "authorization" and isinstance(value, str):
            return _bearer(value)
    return None


def _header_token(connection: HTTPConnection[Any]) -> str | None:
    return _bearer(connection.headers.get("authorization", ""))


def _cookies(connection: HTTPConnection[Any]) -> SessionCookies:
    is_secure = connection.scope.get("scheme") in ("https", "wss")
    return SessionCookies(connection.cookies, is_secure=is_secure)


def _address(connection: HTTPConnection[Any]) -> str | None:
    """Where the caller is; None for one on a Unix socket."""
    client = connection.scope.get("client")
    return client[0] if client else None


def _device(connection: HTTPConnection[Any]) -> str:
    return device_of(connection.headers.get("user-agent", "")[:_LONGEST_USER_AGENT])


def _last_event_id(connection: HTTPConnection[Any]) -> str | None:
    """What a client of Server-Sent Events sends when it connects again."""
    if connection.scope["type"] != "http":
        return None
    return connection.headers.get("last-event-id") or None


def _bearer(value: str) -> str | None:
    scheme, _, token = value.strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
