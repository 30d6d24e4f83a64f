"""Every Redis key and channel name, one function each.

The first group is the data model shared with the other servers (docs/data-model.md). The second
is Parley's own, under one prefix; the hash tag puts each key into the Redis Cluster slot of the
record it belongs to.
"""

TOTAL_USERS = "total_users"
ONLINE_USERS = "online_users"
MESSAGES_CHANNEL = "MESSAGES"

LOG_CHANNEL = "parley:log"
SESSIONS_CHANNEL = "parley:sessions"
INVALIDATIONS_CHANNEL = "__redis__:invalidate"
"""Where Redis tells of changed keys."""
EPOCH = "parley:epoch"
ENDED_EPOCHS = "parley:epochs"
"""Hash of the epochs before: the highest position that was left of each when it ended."""
RUN = "parley:run"
"""Run id of the store's server process in the present epoch."""
CLOCK = "parley:clock"
"""The newest position of all logs; not on a Redis Cluster."""
BASELINE = "parley:baseline"
SPELLINGS = "parley:spellings"
"""Hash of what nobody else's name may look like: spelling -> id of the user who has it."""
SPELLINGS_UPTO = "parley:spellings:upto"
"""The highest user id of those whose names are among the spellings, like all before it."""
NAMED_ROOMS = "parley:rooms"
"""How many ids of named rooms were given out."""
IMPORT = "parley:import"
"""Which archive the chat was put in from, and IMPORT_DONE after it when that is done."""
IMPORT_DONE = " done"
PRESENCE_BELL = f"parley:{{{ONLINE_USERS}}}:bell"
FLEET = "parley:fleet"
"""Sorted set of the server processes and how they tell each other of news, by their leases' end."""
REGISTERING = "parley:registering"
"""Held by whoever is registering somebody; on a Redis Cluster."""
PROBE = "parley:probe"
"""Written to see whether the store takes a write."""


def probe(number: int) -> str:
    """The same on a Redis Cluster, where numbers are of different slots."""
    return f"parley:{{probe:{number}}}"


def user(user_id: str) -> str:
    return f"user:{user_id}"


def username(name: str) -> str:
    return f"username:{name}"


def user_rooms(user_id: str) -> str:
    return f"user:{user_id}:rooms"


def room(room_id: str) -> str:
    return f"room:{room_id}"


def room_name(room_id: str) -> str:
    return f"room:{room_id}:name"


def room_log(room_id: str) -> str:
    """Stream of the room's messages, own and foreign, in the order of their positions."""
    return f"parley:{{room:{room_id}}}:log"


def room_foreign(room_id: str) -> str:
    """Hash of what other servers wrote: SHA-1 of the member -> position."""
    return f"parley:{{room:{room_id}}}:foreign"


def room_sent(room_id: str, user_id: str, client_message_id: str) -> str:
    """What a sender's idempotency key stands for: position and text hash."""
    return f"parley:{{room:{room_id}}}:sent:{user_id}:{client_message_id}"


def user_log(user_id: str) -> str:
    """Stream of the rooms that became visible to the user."""
    return f"parley:{{user:{user_id}:rooms}}:log"


def log(name: str) -> str:
    """The log that is called `room:0` or `user:4` on LOG_CHANNEL."""
    kind, _, record_id = name.partition(":")
    return room_log(record_id) if kind == "room" else user_log(record_id)


def bell(log: str) -> str:
    """Sharded channel of the log that is called `room:0` or `user:4`, in its slot."""
    kind, _, record_id = log.partition(":")
    record = room(record_id) if kind == "room" else user_rooms(record_id)
    return f"parley:{{{record}}}:bell"


def echo(process: str) -> str:
    """Sharded channel on which a process hears itself."""
    return f"parley:{{{process}}}:echo"


def log_clock(name: str) -> str:
    """The newest position of one log, where each has a clock of its own: on a Redis Cluster."""
    kind, _, record_id = name.partition(":")
    slot = f"room:{record_id}" if kind == "room" else f"user:{record_id}:rooms"
    return f"parley:{{{slot}}}:clock"


def user_announced(user_id: str) -> str:
    """Set of the rooms that the user's log has announced."""
    return f"parley:{{user:{user_id}:rooms}}:announced"


def session(user_id: str, token_hash: str) -> str:
    return f"parley:{{user:{user_id}}}:session:{token_hash}"


def sessions(user_id: str) -> str:
    """Sorted set of the user's sessions: SHA-256 of the token by expiry."""
    return f"parley:{{user:{user_id}}}:sessions"


def bots(user_id: str) -> str:
    """Sorted set of the user's bots: their ids by when they were created."""
    return f"parley:{{user:{user_id}}}:bots"


def messages_bucket(user_id: str) -> str:
    """When the user may send again; in the slot of the user's sessions."""
    return f"parley:{{user:{user_id}}}:rate:messages"


def operations_bucket(user_id: str, token_hash: str) -> str:
    return f"parley:{{user:{user_id}}}:rate:operations:{token_hash}"


def bot_operations_bucket(user_id: str) -> str:
    """One for all the tokens that the bot has had."""
    return f"parley:{{user:{user_id}}}:rate:operations"


def guesses_bucket(what: str, by: str, digest: str) -> str:
    """Of log-ins or registrations, `by` address or name: those of one attempt share a slot."""
    return f"parley:{{{what}}}:{by}:{digest}"


def presence(part: str) -> str:
    """Presence bookkeeping beside `online_users`; `part` is one of presence.py's names."""
    return f"parley:{{{ONLINE_USERS}}}:{part}"
