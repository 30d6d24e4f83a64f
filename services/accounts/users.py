"""Accounts: reading, registering, checking a password."""

import secrets
from collections.abc import Collection, Sequence, Set

from services import keys
from services.accounts import names
from services.accounts.passwords import FIELD, Passwords, check_new
from services.accounts.registration import OWNER, Owner, named_id, register
from services.accounts.user_cache import UserCache
from services.errors import BadUserInput, Conflict, NotFound, Unauthenticated
from services.ids import is_user_id
from services.models import User
from services.rates import Rates, login_buckets, registration_buckets, take
from services.redis.store import Store
from services.texts import is_encodable
from services.together import together

_TAKEN = "This username is taken, or looks like one that is."
_LONGEST_ANYWHERE = 1024
"""Other servers set no limit to names; no key gets longer than this all the same."""
_SMALLEST_CHUNK = 50
_LARGEST_CHUNK = 1000


class Users:
    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        cache: UserCache | None = None,
        rates: Rates = Rates(),  # noqa: B008
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._cache = cache or UserCache()
        self._rates = rates

    async def get_many(self, ids: Sequence[str]) -> list[User | None]:
        """Users by id, to be shown: None for each that does not exist.

        Asks the store, in one round trip, for those only that are not in the cache.
        """
        found = await self.find_many(ids)
        return [found.get(user_id) for user_id in ids]

    async def find_many(self, ids: Collection[str]) -> dict[str, User]:
        """As `get_many`: those that exist, by their ids."""
        found = self._cache.find(ids)
        if len(found) < len(ids):
            missing = [user_id for user_id in ids if user_id not in found]
            moment = self._cache.moment()
            users = [user for user in await self.read_many(missing) if user is not None]
            self._cache.keep(users, moment)
            found |= {user.id: user for user in users}
        return found

    async def read_many(self, ids: Sequence[str]) -> list[User | None]:
        """Users by id as the store has them now, None for each that does not exist; one round
        trip."""
        pipe = self._store.pipeline()
        for user_id in ids:
            pipe.add("HMGET", keys.user(user_id), "username", OWNER)
        records = await self._store.execute(pipe) if ids else []
        return [
            None if name is None else _user(user_id, name, owner)
            for user_id, (name, owner) in zip(ids, records, strict=True)
        ]

    async def by_username(self, name: str) -> User | None:
        """The user of exactly this name."""
        user_id = await self._id_of([name])
        return None if user_id is None else (await self.read_many([user_id]))[0]

    async def page(self, after_id: int, first: int, online: bool | None) -> tuple[list[User], bool]:
        """Users by ascending id from the one after `after_id`, and whether more follow.

        `online` keeps only those who are, or are not. Ids without a user are passed over, and bots
        that were deleted.
        """
        if online:
            users = await self._first(await self._online_ids(after_id), first + 1)
        else:
            total = int(await self._store.call("GET", keys.TOTAL_USERS) or 0)
            absent = set(await self._online_ids(after_id)) if online is False else set()
            users = await self._first(range(after_id + 1, total + 1), first + 1, absent)
        return users[:first], len(users) > first

    async def register(self, username: str, password: str, address: str | None = None) -> User:
        """A new account, in General.

        Raises BadUserInput for a name or password that cannot be used, Conflict for a name that
        somebody has or that looks like one, RateLimited for too many from an address or with a
        name.
        """
        name = names.usable(username)
        check_new(password)
        return await self._add(name, password, address)

    async def register_bot(self, owner: Owner, username: str, address: str | None = None) -> User:
        """A new account that nobody can log in to, in no room, among the owner's bots.

        Raises as `register`, Forbidden for an owner who has enough; counts as a registration.
        """
        # Other servers want a password to be there.
        return await self._add(names.usable(username), secrets.token_urlsafe(), address, owner)

    async def mark_deleted(self, bot_id: str) -> None:
        """Take a bot from its owner: it keeps its name and is the sender of what it has sent."""
        await self._store.call("HSET", keys.user(bot_id), OWNER, "")

    async def _add(
        self, name: str, password: str, address: str | None, owner: Owner | None = None
    ) -> User:
        spellings = names.spellings(name)
        buckets = registration_buckets(self._rates, address, spellings[0])
        _, holder = await together(take(self._store, buckets), self.by_username(name))
        if holder is not None:
            raise Conflict(_TAKEN)
        await self._claim_spellings()
        password_hash = await self._passwords.hash(password)
        user_id = await register(self._store, name, password_hash, spellings, owner)
        if user_id is None:
            raise Conflict(_TAKEN)
        return User(user_id, name, owner.id if owner else None)

    async def _claim_spellings(self) -> None:
        """Let those whom others have registered have their names' spellings, too."""
        while True:
            upto, total = await self._store.call("MGET", keys.SPELLINGS_UPTO, keys.TOTAL_USERS)
            first, last = int(upto or 0) + 1, int(total or 0)
            if first > last:
                return
            last = min(last, first + _LARGEST_CHUNK - 1)
            users = await self.read_many([str(number) for number in range(first, last + 1)])
            pipe = self._store.pipeline()
            for user in filter(None, users):
                for spelling in names.spellings(user.username):
                    pipe.add("HSETNX", keys.SPELLINGS, spelling, user.id)
            await self._store.execute(pipe)
            await self._store.call("SET", keys.SPELLINGS_UPTO, last)

    async def set_password(self, user_id: str, password: str) -> None:
        """Let the user log in with this password and no other; sessions stay as they are.

        Raises BadUserInput for one that cannot be used, and for a bot; NotFound for an unknown
        user.
        """
        check_new(password)
        (user,) = await self.read_many([user_id])
        if user is None:
            raise NotFound("There is no such user.")
        if user.is_bot:
            raise BadUserInput("A bot has a token and no password.", FIELD)
        hashed = await self._passwords.hash(password)
        await self._store.call("HSET", keys.user(user_id), "password", hashed)

    async def authenticate(self, username: str, password: str, address: str | None = None) -> User:
        """The user whose name and password these are.

        Raises Unauthenticated, with the same message and after the same work whatever is wrong;
        RateLimited for too many tries from an address or with a name.
        """
        # Without the blanks around it, with which it is found as well: they must not make a
        # bucket of their own.
        buckets = login_buckets(self._rates, address, names.spellings(username.strip())[0])
        # Other servers keep names as they are written, so that goes first.
        written = [username, username.strip(), names.written(username)]
        _, user_id = await together(take(self._store, buckets), self._id_of(written))
        # Nobody has the id 0: an unknown name costs the same reads and the same hashing.
        name, password_hash, owner = await self._store.call(
            "HMGET", keys.user(user_id or "0"), "username", "password", OWNER
        )
        is_person = password_hash is not None and owner is None
        hashed = password_hash.decode(errors="replace") if is_person else None
        is_right = await self._passwords.check(password, hashed)
        if user_id is None or name is None or not is_right:
            raise Unauthenticated("Wrong username or password.")
        return User(user_id, name.decode(errors="replace"))

    async def _id_of(self, written: Sequence[str]) -> str | None:
        """The id of the first of these names that somebody has."""
        pipe = self._store.pipeline()
        for name in dict.fromkeys(written):
            if len(name) <= _LONGEST_ANYWHERE and is_encodable(name):
                pipe.add("GET", keys.username(name))
        found = map(named_id, await self._store.execute(pipe))
        return next((user_id for user_id in found if user_id is not None), None)

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
            found = await self.get_many(chunk)
            users += [user for user in found if user is not None and not user.is_deleted]
            start, size = start + size, min(size * 2, _LARGEST_CHUNK)
        return users[:limit]


def _user(user_id: str, name: bytes, owner: bytes | None) -> User:
    owner_id = None if owner is None else owner.decode(errors="replace")
    return User(user_id, name.decode(errors="replace"), owner_id)
