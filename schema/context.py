"""What the resolvers of one operation share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from services import models
from services.accounts.sessions import Counted, Sessions
from services.chat import Chat
from services.errors import Forbidden, RateLimited, Unauthenticated
from services.models import Scope
from services.together import together

_LOG_IN_FIRST = "Log in first."

K = TypeVar("K")
T = TypeVar("T")


class Cookies(Protocol):
    """Where a log-in leaves its token for browsers, by the response's headers."""

    @property
    def token(self) -> str | None:
        """What the browser has sent."""

    def set(self, token: str, expires_at: float) -> None: ...

    def clear(self) -> None: ...


class Loader(DataLoader[K, T], Generic[K, T]):
    """Fields that ask for the same key wait for one future, and none may cancel the others'.

    When a field fails, the executor cancels those beside it; without the shield that would end
    fields elsewhere, and with them the operation.
    """

    def load(self, key: K) -> Awaitable[T]:
        loaded = asyncio.ensure_future(super().load(key))
        shielded = asyncio.shield(loaded)
        # A shield that is cancelled turns away from what it shields, and when another field has
        # failed the executor does not wait for all: neither error is news then.
        for future in (loaded, shielded):
            future.add_done_callback(_note_failure)
        return shielded


def _note_failure(loaded: "asyncio.Future[Any]") -> None:
    """Keep asyncio from reporting an error that nobody waits for any more."""
    if not loaded.cancelled():
        loaded.exception()


class Loaders:
    """Look-ups of records by their ids, each id asked for once."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def user(self, user_id: str) -> models.User | None:
        return (await self.users([user_id]))[user_id]

    async def users(self, ids: Iterable[str]) -> dict[str, models.User | None]:
        unknown: dict[str, models.User | None] = dict.fromkeys(ids)
        return unknown | await self._chat.users.find_many(unknown)

    async def rooms(self, ids: Iterable[str]) -> dict[str, models.Room | None]:
        unique = list(dict.fromkeys(ids))
        return dict(zip(unique, await self._chat.rooms.get_many(unique), strict=True))

    async def presence(self, user_ids: Iterable[str]) -> dict[str, models.Presence]:
        unique = list(dict.fromkeys(user_ids))
        found = await asyncio.gather(*map(self._presence.load, unique))
        return dict(zip(unique, found, strict=True))

    @cached_property
    def _presence(self) -> Loader[str, models.Presence]:
        """What the fields of a user tell belongs together, whichever asks first."""
        return Loader(load_fn=self._chat.presence.many)

    @cached_property
    def visible_rooms(self) -> Loader[tuple[str, str], models.Room | None]:
        async def load(keys: list[tuple[str, str]]) -> list[models.Room | None]:
            # The keys name the viewer, who is the same in all of them.
            return await self._chat.rooms.visible_many(keys[0][0], [room_id for _, room_id in keys])

        return Loader(load_fn=load)


class Context:
    """One operation's. Who asks is looked up when somebody wants to know.

    A root field says who may ask: a `person`, a `reader` or a `sender`. The last two may be bots.
    """

    def __init__(
        self,
        chat: Chat,
        *,
        token: str | None = None,
        session: models.Session | None = None,
        cookies: Cookies | None = None,
        address: str | None = None,
        device: str = "",
        resume_after: str | None = None,
    ) -> None:
        self.chat = chat
        self.cookies = cookies
        self.address = address
        self.device = device
        self.resume_after = resume_after
        """The cursor after which the caller's connection was lost, if it says so itself."""
        self.response_headers: list[tuple[str, str]] = []
        self.loaders = Loaders(chat)
        self._token = token
        self._session = session
        self._is_counted = False
        self._has_asked_ahead = False
        self._refusal: RateLimited | None = None

    def forget_loaded(self) -> None:
        """What is asked for from now on is looked up anew, as for the next event of a stream."""
        self.loaders = Loaders(self.chat)

    async def optional_viewer(self) -> models.Session | None:
        if self._session is None and self._token is not None:
            # Fields that ask at the same time ask each for itself, in one round trip: to share
            # an answer, when any of them may be cancelled, takes longer than to ask.
            self._session = await self._resolve(self._token)
        return self._session

    def leave_uncounted(self) -> None:
        """Let the operation be possible at any rate: nobody who has a copy of a token may keep its
        owner from ending the session."""
        self._is_counted = True

    async def viewer(self) -> models.Session:
        """The session of the caller, whatever it may do. Raises Unauthenticated."""
        session = await self.optional_viewer()
        if session is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        return session

    async def optional_person(self) -> models.Session | None:
        """The session of a person; None when nobody is logged in. Raises Forbidden for bots."""
        session = await self.optional_viewer()
        if session is not None and session.is_bot:
            raise Forbidden("This is not for bots.")
        return session

    async def person(self) -> models.Session:
        """The session of a person. Raises Unauthenticated, or Forbidden for bots."""
        session = await self.optional_person()
        if session is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        return session

    async def reader(self) -> models.Session:
        """The viewer, who may read. Raises Unauthenticated, or Forbidden without that scope."""
        session = await self.viewer()
        _check_scope(session, Scope.READ)
        return session

    async def sender(self) -> models.Session:
        """The viewer, who is about to send a message. Each is counted while the session is looked
        up. Raises Unauthenticated, RateLimited, or Forbidden without that scope."""
        if self._token is not None:
            self._session = await self._resolve(self._token, "message")
        if self._session is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        _check_scope(self._session, Scope.SEND)
        return self._session

    def check_may_read(self) -> None:
        """Raise Forbidden when the caller is known to have no such scope: for what can be selected
        below the answer to a sender. Who follows a subscription was a reader."""
        if self._session is not None:
            _check_scope(self._session, Scope.READ)

    async def _resolve(self, token: str, *counted: Counted) -> models.Session | None:
        """The session of the token. Whoever asks first has the operation counted; when that is
        refused, so is whoever asked with it."""
        if not self._is_counted:
            self._is_counted = True
            counted = (*counted, "operation")
        try:
            session = await self.chat.sessions.resolve(token, counted)
        except RateLimited as refusal:
            self._refusal = refusal
            raise
        if self._refusal is not None:
            raise self._refusal
        cookies = self.cookies
        if session and session.is_renewed and cookies is not None and cookies.token == token:
            cookies.set(token, session.expires_at)
        return session

    async def on_behalf_of_reader(self, ask: Callable[[str], Coroutine[Any, Any, T]]) -> T:
        """What `ask` finds for the reader's user id; with the session, in one round trip."""
        _, found = await self._on_behalf_of(self.reader, ask)
        return found

    async def on_behalf_of_sender(
        self, ask: Callable[[str], Coroutine[Any, Any, T]]
    ) -> tuple[models.Session, T]:
        """As `on_behalf_of_reader`, for a message to be sent."""
        return await self._on_behalf_of(self.sender, ask)

    async def _on_behalf_of(
        self,
        caller: Callable[[], Coroutine[Any, Any, models.Session]],
        ask: Callable[[str], Coroutine[Any, Any, T]],
    ) -> tuple[models.Session, T]:
        """Who calls, and what `ask` finds for whoever the token claims to be.

        Without the session behind the token nothing of what was found gets out, not even that
        there was an error.
        """
        user_id = self._claimed_user_id()
        if self._session is None:
            if self._has_asked_ahead:
                # Once in an operation: a forged token shall not make the store work.
                return await caller(), await ask(user_id)
            self._has_asked_ahead = True
        return await together(caller(), ask(user_id))

    def _claimed_user_id(self) -> str:
        """Whose session the caller claims to have. Raises Unauthenticated without any claim."""
        claimed = None
        if self._session is not None:
            claimed = self._session.user_id
        elif self._token is not None:
            key = Sessions.claimed(self._token)
            claimed = None if key is None else key.user_id
        if claimed is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        return claimed


def _check_scope(session: models.Session, scope: Scope) -> None:
    if session.scopes is not None and scope not in session.scopes:
        raise Forbidden(f"This token does not have the scope {scope}.")


Info = StrawberryInfo[Context, None]
