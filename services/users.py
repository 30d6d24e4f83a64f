"""Accounts: reading, registering, checking a password."""

from collections.abc import Collection, Sequence, Set

from services import keys, names
from services.errors import Conflict, NotFound, Unauthenticated
from services.ids import is_user_id
from services.models import User
from services.passwords import Passwords, check_new, is_encodable
from services.rates import Rates, login_buckets, registration_buckets, take
from services.store import Store
from services.together import together
from services.user_cache import UserCache

_GENERAL = "0"
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

    async def register(self, username: str, password: str, address: str | None = None) -> User:
        """A new account, in General.

        Raises BadUserInput for a name or password that cannot be used, Conflict for a name that
        somebody has or that looks like one, RateLimited for too many from an address or with a
        name.
        """
        name = names.usable(username)
        check_new(password)
        spellings = names.spellings(name)
        buckets = registration_buckets(self._rates, address, spellings[0])
        _, is_taken = await together(
            take(self._store, buckets), self._store.call("EXISTS", keys.username(name))
        )
        if is_taken:
            raise Conflict(_TAKEN)
        await self._claim_spellings()
        user_id = await self._store.run(
            "register",
            [
                keys.username(name),
                keys.TOTAL_USERS,
                keys.room_name(_GENERAL),
                keys.SPELLINGS,
                keys.SPELLINGS_UPTO,
            ],
            name,
            await self._passwords.hash(password),
            _GENERAL,
            *spellings,
        )
        if not user_id:
            raise Conflict(_TAKEN)
        return User(user_id.decode(), name)

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
            pipe.add("SET", keys.SPELLINGS_UPTO, last)
            await self._store.execute(pipe)

    async def set_password(self, user_id: str, password: str) -> None:
        """Let the user log in with this password and no other; sessions stay as they are.

        Raises BadUserInput for one that cannot be used, NotFound for an unknown user.
        """
        check_new(password)
        if await self.read_many([user_id]) == [None]:
            raise NotFound("There is no such user.")
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
        name, password_hash = await self._store.call(
            "HMGET", keys.user(user_id or "0"), "username", "password"
        )
        hashed = None if password_hash is None else password_hash.decode(errors="replace")
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
