"""Fill the embedded store of a folder as another server of the Redis chat demo would have done.

The demo's users and rooms are there then, and the messages that come by stdin, one a line: each as
the Node server writes it.
"""

import json
import sys
from itertools import combinations, islice
from pathlib import Path

import redis

from services.demo import PASSWORD, USERNAMES
from services.redis.embedded import EmbeddedStore
from tests.compat.original import OriginalServer

_AT_ONCE = 5_000


def main(folder: Path) -> None:
    embedded = EmbeddedStore(folder)
    with redis.Redis.from_url(embedded.start()) as client:
        fill(client)
    embedded.stop()


def fill(client: redis.Redis) -> None:
    server = OriginalServer(client, "node", bcrypt_cost=4)
    client.set("room:0:name", "General")
    for name in USERNAMES:
        server.login(name, PASSWORD)
    for low, high in combinations(range(1, len(USERNAMES) + 1), 2):
        server.open_private(low, high)
    while lines := list(islice(sys.stdin, _AT_ONCE)):
        with client.pipeline(transaction=False) as pipeline:
            for line in lines:
                said = json.loads(line)
                pipeline.zadd(f"room:{said['roomId']}", {line.rstrip("\n"): said["date"]})
            pipeline.execute()


main(Path(sys.argv[1]))
