"""User records in the process, for names that are shown again and again.

The store tells of changed keys on the connection to the channel (services/hub/channel.py). A record
stays until its key has changed; without that connection nothing is kept, and with a new one
nothing of before. That somebody does not exist is never kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from services.models import User

_MAX_USERS = 10_000


class UserCache:
    """Users by id, the latest used ones.

    `hearing` tells on which connection changes are heard now, None for none.
    """

    def __init__(self, max_users: int = _MAX_USERS) -> None:
        self.hearing: Callable[[], int | None] = lambda: None
        self._max_users = max_users
        self._users: OrderedDict[str, User] = OrderedDict()
        self._heard: int | None = None
        """The connection that all of them were kept under."""
        self._changes = 0

    def find(self, ids: Iterable[str]) -> dict[str, User]:
        """Those that are here."""
        if self._check():
            users = self._users
            found = {user_id: users[user_id] for user_id in ids if user_id in users}
            for user_id in found:
                users.move_to_end(user_id)
            return found
        return {}

    def moment(self) -> int:
        """The present, as `keep` wants it."""
        self._check()
        return self._changes

    def keep(self, users: Iterable[User], since: int) -> None:
        """Keep what was read, unless something has changed since the reading began."""
        if not self._check() or self._changes != since:
            return
        for user in users:
            self._users[user.id] = user
        while len(self._users) > self._max_users:
            self._users.popitem(last=False)

    def forget(self, ids: Iterable[str] | None) -> None:
        """These have changed; None: all of them."""
        self._changes += 1
        for user_id in list(self._users) if ids is None else ids:
            self._users.pop(user_id, None)

    def _check(self) -> bool:
        """Whether changes are heard; drops what was kept under another connection."""
        heard = self.hearing()
        if heard != self._heard:
            self.forget(None)
            self._heard = heard
        return heard is not None
