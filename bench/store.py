"""The store of the benchmark: one process of its own, a database for each contestant."""

import hashlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import bcrypt
import orjson
import redis

from services import keys
from services.redis.embedded import _find_binary

USERS = 1000
PUBLIC_ROOMS = 100
PRIVATE_ROOMS = 49
"""The first user's; with General, the only public room that he is in, that makes 50."""

TALKERS = 50
"""How many users the messages of a room are from."""

PAGE_ROOM = "1"
PAGE_ROOM_MESSAGES = 1_000
LARGE_ROOM = "2"
PASSWORD = "password123"

_DATABASES = 32
_START_SECONDS = 10
_AGE_SECONDS = 30 * 24 * 3600
_SESSION_SECONDS = 24 * 3600
_CHUNK = 20_000


def tokens() -> list[str]:
    """The sessions that `fill` writes, one for each user."""
    return [
        f"{user}.{hashlib.sha256(b'%d' % user).hexdigest()[:43]}" for user in range(1, USERS + 1)
    ]


class BenchStore:
    """A Valkey on a free port, without persistence: what it costs is not what is measured."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._databases: dict[str, int] = {}
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._folder),
            "save": "",
            "databases": str(_DATABASES),
            "logfile": str(self._folder / "log"),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([_find_binary(), *words], stdin=subprocess.DEVNULL)
        self._wait_until_serving()
        self._password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10, b"2b"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, owner: str) -> str:
        """The owner's database."""
        number = self._databases.setdefault(owner, len(self._databases))
        return f"redis://127.0.0.1:{self.port}/{number}"

    def fill(self, owner: str) -> None:
        """The chat before a measure: users, their sessions, rooms and messages; nothing else."""
        with redis.Redis.from_url(self.url(owner)) as client:
            client.flushdb()
            self._fill(client)

    def fill_large_room(self, owner: str, messages: int) -> None:
        with redis.Redis.from_url(self.url(owner)) as client:
            start = round((time.time() - _AGE_SECONDS) * 1_000_000)
            step = _AGE_SECONDS * 1_000_000 // messages
            for done in range(0, messages, _CHUNK):
                count = min(_CHUNK, messages - done)
                _write_messages(client, LARGE_ROOM, start + done * step, count, step)

    @property
    def pid(self) -> int:
        return self._process.pid

    def used_memory(self) -> int:
        """In bytes."""
        with redis.Redis(port=self.port) as client:
            return int(client.info("memory")["used_memory"])

    def reads(self) -> int:
        """How often the store has read from a client's socket: every round trip is one."""
        with redis.Redis(port=self.port) as client:
            return int(client.info("stats")["total_reads_processed"])

    def _fill(self, client: "redis.Redis") -> None:
        now = time.time()
        expires = now + _SESSION_SECONDS
        session = orjson.dumps(
            {"created": now, "used": now, "expires": expires, "ends": expires, "device": ""}
        )
        pipe = client.pipeline(transaction=False)
        for number, token in enumerate(tokens(), start=1):
            user_id, name = str(number), f"user-{number}"
            pipe.hset(
                keys.user(user_id), mapping={"username": name, "password": self._password_hash}
            )
            pipe.set(keys.username(name), keys.user(user_id))
            pipe.sadd(keys.user_rooms(user_id), "0")
            token_hash = hashlib.sha256(token.encode()).hexdigest()
            pipe.set(keys.session(user_id, token_hash), session, ex=_SESSION_SECONDS)
            pipe.set(f"session:{token}", user_id, ex=_SESSION_SECONDS)  # The peers'.
        for number in range(PUBLIC_ROOMS):
            pipe.set(keys.room_name(str(number)), f"Room {number}" if number else "General")
        for other in range(2, PRIVATE_ROOMS + 2):
            room_id = f"1:{other}"
            pipe.sadd(keys.user_rooms("1"), room_id)
            pipe.sadd(keys.user_rooms(str(other)), room_id)
        pipe.set(keys.TOTAL_USERS, USERS)
        pipe.execute()
        start = round((now - 3600) * 1_000_000)
        for number, room_id in enumerate(["0", *(f"1:{o}" for o in range(2, PRIVATE_ROOMS + 2))]):
            _write_messages(client, room_id, start + number, 20, 1_000_000)
        step = 1_000_000
        _write_messages(client, PAGE_ROOM, start + 500, PAGE_ROOM_MESSAGES, step)

    def _wait_until_serving(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis(port=self.port) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    if time.monotonic() > deadline:
                        self.close()
                        raise
                    time.sleep(0.02)
                else:
                    return


def _write_messages(
    client: "redis.Redis", room_id: str, position: int, count: int, step: int
) -> None:
    client.eval(
        (Path(__file__).parent / "seed.lua").read_text(),
        3,
        keys.room(room_id),
        keys.room_log(room_id),
        keys.CLOCK,
        *(room_id, str(position), str(count), str(step), str(TALKERS)),
    )
