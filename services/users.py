"""Accounts: reading, registering, checking a password."""

import unicodedata
from collections.abc import Sequence, Set

from services import keys
from services.errors import BadUserInput, Conflict, Unauthenticated
from services.ids import is_user_id
from services.models import User
from services.passwords import Passwords, is_encodable
from services.store import Store
from services.user_cache import UserCache

MAX_USERNAME = 32

_FIELD = "input.username"
_GENERAL = "0"
_SMALLEST_CHUNK = 50
_LARGEST_CHUNK = 1000
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, lone surrogates, line and paragraph separators."""


class Users:
    def __init__(self, store: Store, passwords: Passwords, cache: UserCache | None = None) -> None:
        self._store = store
        self._passwords = passwords
        self._cache = cache or UserCache()

    async def get_many(self, ids: Sequence[str]) -> list[User | None]:
        """Users by id, to be shown: None for each that does not exist.

        Asks the store, in one round trip, for those only that are not in the cache.
        """
        found = self._cache.find(ids)
        missing = [user_id for user_id in ids if user_id not in found]
        if missing:
            moment = self._cache.moment()
            users = [user for user in await self.read_many(missing) if user is not None]
            self._cache.keep(users, moment)
            found |= {user.id: user for user in users}
        return [found.get(user_id) for user_id in ids]

    async def read_many(self, ids: Sequence[str]) -> list[User | None]:
        """Users by id as the store has them now, None for each that does not exist; one round
        trip."""
        pipe = self._store.pipeline()
        for user_id in ids:
            pipe.add("HGET", keys.user(user_id), "username")
        names = await self._store.execute(pipe) if ids else []
        return [
            None if name is None else User(user_id, name.decode(errors="replace"))
            for user_id, name in zip(ids, names, strict=True)
        ]

    async def by_username(self, name: str) -> User | None:
        """The user of exactly this name."""
        user_id = await self._id_of([name])
        return None if user_id is None else (await self.read_many([user_id]))[0]

    async def page(self, after_id: int, first: int, online: bool | None) -> tuple[list[User], bool]:
        """Users by ascending id from the one after `after_id`, and whether more follow.

        `online` keeps only those who are, or are not. Ids without a user are passed over.
        """
        if online:
            users = await self._first(await self._online_ids(after_id), first + 1)
        else:
            total = int(await self._store.call("GET", keys.TOTAL_USERS) or 0)
            absent = set(await self._online_ids(after_id)) if online is False else set()
            users = await self._first(range(after_id + 1, total + 1), first + 1, absent)
        return users[:first], len(users) > first

    async def register(self, username: str, password: str) -> User:
        """A new account, in General.

        Raises BadUserInput for a name or password that cannot be used, Conflict for a name that
        somebody has.
        """
        name = _usable_name(username)
        password_hash = await self._passwords.hash(password)
        user_id = await self._store.run(
            "register",
            [keys.username(name), keys.TOTAL_USERS, keys.room_name(_GENERAL)],
            name,
            password_hash,
            _GENERAL,
        )
        if not user_id:
            raise Conflict("This username is taken.")
        return User(user_id.decode(), name)

    async def authenticate(self, username: str, password: str) -> User:
        """The user whose name and password these are.

        Raises Unauthenticated, with the same message and after the same work whatever is wrong.
        """
        # Registering trims a name, so logging in with the blanks works too; the other servers
        # keep them, so a name with blanks goes first.
        user_id = await self._id_of([username, username.strip()])
        # Nobody has the id 0: an unknown name costs the same reads and the same hashing.
        name, password_hash = await self._store.call(
            "HMGET", keys.user(user_id or "0"), "username", "password"
        )
        hashed = None if password_hash is None else password_hash.decode(errors="replace")
        is_right = await self._passwords.check(password, hashed)
        if user_id is None or name is None or not is_right:
            raise Unauthenticated("Wrong username or password.")
        return User(user_id, name.decode(errors="replace"))

    async def _id_of(self, names: Sequence[str]) -> str | None:
        """The id of the first of these names that somebody has."""
        pipe = self._store.pipeline()
        for name in names:
            if is_encodable(name):
                pipe.add("GET", keys.username(name))
        for value in await self._store.execute(pipe):
            # `user:4`, or `4` as some documentation of the data model has it.
            user_id = (value or b"").decode(errors="replace").rpartition(":")[2]
            if is_user_id(user_id):
                return user_id
        return None

    async def _online_ids(self, after_id: int) -> list[int]:
        members = await self._store.call("SMEMBERS", keys.ONLINE_USERS)
        ids = (member.decode(errors="replace") for member in members)
        return sorted(
            int(user_id) for user_id in ids if is_user_id(user_id) if int(user_id) > after_id
        )

    async def _first(
        self, ids: Sequence[int], limit: int, excluded: Set[int] = frozenset()
    ) -> list[User]:
        """The first so many users of these ids, in chunks that grow while little is found."""
        users: list[User] = []
        start, size = 0, max(limit, _SMALLEST_CHUNK)
        while start < len(ids) and len(users) < limit:
            chunk = [str(number) for number in ids[start : start + size] if number not in excluded]
            users += [user for user in await self.get_many(chunk) if user is not None]
            start, size = start + size, min(size * 2, _LARGEST_CHUNK)
        return users[:limit]


def _usable_name(username: str) -> str:
    """The name as it is kept: without outer blanks. Raises BadUserInput."""
    name = username.strip()
    if not 1 <= len(name) <= MAX_USERNAME:
        raise BadUserInput(f"A username has 1 to {MAX_USERNAME} characters.", _FIELD)
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise BadUserInput("The username has characters that cannot be used.", _FIELD)
    return name
