"""What the resolvers of one operation share."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from services import models
from services.chat import Chat
from services.errors import ChatError, Unauthenticated
from services.sessions import Sessions

_LOG_IN_FIRST = "Log in first."

T = TypeVar("T")


class Cookies(Protocol):
    """Where a log-in leaves its token for browsers; both append to the response's headers."""

    def set(self, token: str, expires_at: float) -> None: ...

    def clear(self) -> None: ...


class Loaders:
    """Look-ups batched per level of the response."""

    def __init__(self, chat: Chat) -> None:
        self.users = DataLoader(load_fn=chat.users.get_many)
        self.presence = DataLoader(load_fn=chat.presence.many)
        self.rooms = DataLoader(load_fn=chat.rooms.get_many)
        self.last_messages = DataLoader(load_fn=chat.messages.last_many)

    def clear(self) -> None:
        """Forget what was loaded: a subscription's next event asks anew."""
        for loader in (self.users, self.presence, self.rooms, self.last_messages):
            loader.clear_all()


class Context:
    """One operation's. Who asks is looked up once, when somebody wants to know."""

    def __init__(
        self,
        chat: Chat,
        *,
        token: str | None = None,
        session: models.Session | None = None,
        cookies: Cookies | None = None,
    ) -> None:
        self.chat = chat
        self.cookies = cookies
        self.response_headers: list[tuple[str, str]] = []
        self.loaders = Loaders(chat)
        self._token = token
        self._session = session
        self._resolving: asyncio.Task[models.Session | None] | None = None

    async def optional_viewer(self) -> models.Session | None:
        if self._session is None and self._token is not None:
            if self._resolving is None:
                self._resolving = asyncio.create_task(self.chat.sessions.resolve(self._token))
            return await self._resolving
        return self._session

    async def viewer(self) -> models.Session:
        """The session of the caller. Raises Unauthenticated."""
        session = await self.optional_viewer()
        if session is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        return session

    async def on_behalf_of_viewer(self, ask: Callable[[str], Coroutine[Any, Any, T]]) -> T:
        """What `ask` finds for the viewer's user id; with the session, in one round trip.

        It is asked on behalf of whoever the token claims to be. Without the session behind the
        token nothing of what was found gets out, not even that there was an error.
        """
        asked = asyncio.create_task(ask(self.claimed_user_id()))
        try:
            await self.viewer()
        except BaseException:
            asked.cancel()
            with suppress(asyncio.CancelledError, ChatError):
                await asked
            raise
        return await asked

    def claimed_user_id(self) -> str:
        """Whose session the caller claims to have. Raises Unauthenticated without any claim."""
        claimed = None
        if self._session is not None:
            claimed = self._session.user_id
        elif self._token is not None:
            claimed = Sessions.claimed_user_id(self._token)
        if claimed is None:
            raise Unauthenticated(_LOG_IN_FIRST)
        return claimed


Info = StrawberryInfo[Context, None]
