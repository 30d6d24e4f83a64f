"""What is measured: each measure starts a fresh server on a fresh database and gives some rows."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.contestants import ALIASED, EDGE, Contestant, Options, graphql_body, workers
from bench.load import Invalid, Numbers, finish_load, load, start_load
from bench.servers import Server, serving
from bench.store import LARGE_ROOM, PAGE_ROOM, PASSWORD, PRIVATE_ROOMS, BenchStore, tokens

_LARGE = "parley-large"


@dataclass(frozen=True)
class Sizes:
    subscribers: int = 1000
    rooms: int = 100
    few: int = 100
    seconds: float = 6
    steady_seconds: float = 10
    many: int = 10_000
    hold_seconds: float = 20
    large_room: int = 1_000_000


SHORT = Sizes(
    subscribers=200,
    rooms=20,
    few=50,
    seconds=1.5,
    steady_seconds=3,
    many=1000,
    hold_seconds=5,
    large_room=50_000,
)


@dataclass(frozen=True)
class Bench:
    store: BenchStore
    tokens: Path
    sizes: Sizes


@dataclass(frozen=True)
class Result:
    values: Numbers
    """By row."""
    raw: dict[str, Numbers]
    """What the load generator said, by part of the measure."""


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    digits: int = 0


@dataclass(frozen=True)
class Measure:
    name: str
    rows: tuple[Row, ...]
    run: Callable[[Bench, Contestant], Result]
    takes_part: Callable[[Contestant], bool] = lambda contestant: True


# What several measures need


def _per(numbers: Numbers, what: str) -> float:
    """Microseconds of the server's processor time for each of those."""
    return numbers["cpu_s"] / numbers[what] * 1e6


def _subscribers(
    contestant: Contestant, count: int, selection: str = EDGE, **more: object
) -> Options:
    options = {name.replace("_", "-"): str(value) for name, value in more.items()}
    talk = contestant.talk
    return {
        "subscribers": str(count),
        **talk.subscribing(selection),
        **talk.sending(),
        **options,
    }


def _burst(sizes: Sizes) -> dict[str, Any]:
    """A closed loop: never more than four messages that somebody has still to get."""
    return {"senders": 4, "window": 4, "warmup": 60, "messages": 2000, "seconds": sizes.seconds}


def _operations(bench: Bench, body: str) -> Options:
    return {
        "body": body,
        "senders": "4",
        "warmup": "300",
        "messages": "20000",
        "seconds": str(bench.sizes.seconds),
    }


def _answer(server: Server, bench: Bench, body: str) -> Any:
    """One operation, to see that it does what it shall before it is repeated."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/graphql",
        body.encode(),
        {"content-type": "application/json", "authorization": f"Bearer {tokens()[0]}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    if answer.get("errors"):
        raise Invalid(f"{answer['errors']}"[:400])
    return answer["data"]


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise Invalid(what)


# Deliveries


def _one_room(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        # So that what a server takes once, for its first operations, is not taken for a client's.
        first = {**contestant.talk.sending(), "messages": "50"}
        load(server, bench.tokens, first)
        options = _subscribers(contestant, bench.sizes.subscribers, **_burst(bench.sizes))
        numbers = load(server, bench.tokens, options)
    count = numbers["subscribers"]
    return Result(
        {
            "burst": _per(numbers, "delivered"),
            "connect": numbers["connect_cpu_s"] / count * 1e6,
            "memory": (numbers["connected_kib"] - numbers["idle_kib"]) / count,
        },
        {"burst": numbers},
    )


def _steady(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        numbers = load(server, bench.tokens, _steady_options(bench, contestant))
    return Result({"steady": _per(numbers, "delivered")}, {"steady": numbers})


def _steady_options(bench: Bench, contestant: Contestant) -> Options:
    messages = round(20 * bench.sizes.steady_seconds)
    return _subscribers(
        contestant, bench.sizes.few, rate=20, senders=4, warmup=60, messages=messages
    )


def _rooms(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    sizes = bench.sizes
    options = _subscribers(contestant, sizes.subscribers, rooms=sizes.rooms, **_burst(sizes))
    with serving(contestant, bench.store.url(contestant.name)) as server:
        numbers = load(server, bench.tokens, options)
    return Result({"rooms": _per(numbers, "messages")}, {"rooms": numbers})


def _selections(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    sizes = bench.sizes
    options = _subscribers(contestant, sizes.subscribers, ALIASED, **_burst(sizes))
    with serving(contestant, bench.store.url(contestant.name)) as server:
        numbers = load(server, bench.tokens, options)
    return Result({"selections": _per(numbers, "delivered")}, {"selections": numbers})


# Operations

_CONNECTION = (
    "edges { cursor node { id text sentAt sender { id username } } }"
    " pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
)


def _page(room: str, end: str = "last") -> str:
    return graphql_body(f'{{ messages(roomId: "room:{room}", {end}: 50) {{ {_CONNECTION} }} }}')


def _repeat_page(server: Server, bench: Bench, body: str) -> Numbers:
    edges = _answer(server, bench, body)["messages"]["edges"]
    names = {edge["node"]["sender"]["username"] for edge in edges}
    _check(len(edges) == 50 and len(names) > 1, "a page is not what was asked for")
    return load(server, bench.tokens, _operations(bench, body))


def _http(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        page = _repeat_page(server, bench, _page(PAGE_ROOM))
        sending = {**_operations(bench, ""), **contestant.talk.sending()}
        send = load(server, bench.tokens, sending)
    values = {"page": _per(page, "answered"), "send": _per(send, "answered")}
    return Result(values, {"page": page, "send": send})


def _send(bench: Bench, contestant: Contestant) -> Result:
    """Of those that have nothing else."""
    bench.store.fill(contestant.name)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        sending = {**_operations(bench, ""), **contestant.talk.sending()}
        send = load(server, bench.tokens, sending)
    return Result({"send": _per(send, "answered")}, {"send": send})


def _operate(bench: Bench, contestant: Contestant) -> Result:
    return (_http if contestant.talk.has_operations else _send)(bench, contestant)


def _large_room(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(_LARGE)
    bench.store.fill_large_room(_LARGE, bench.sizes.large_room)
    with serving(contestant, bench.store.url(_LARGE)) as server:
        newest = _repeat_page(server, bench, _page(LARGE_ROOM))
        oldest = _repeat_page(server, bench, _page(LARGE_ROOM, "first"))
    bench.store.fill(_LARGE)  # The memory is wanted for the others.
    values = {"newest": _per(newest, "answered"), "oldest": _per(oldest, "answered")}
    return Result(values, {"newest": newest, "oldest": oldest})


_ROOM_LIST = graphql_body(
    "{ rooms(first: 50) { nodes { id name members(first: 50) { nodes { username } }"
    " lastMessage { text sender { username } } } } }"
)


def _room_list(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        nodes = _answer(server, bench, _ROOM_LIST)["rooms"]["nodes"]
        _check(len(nodes) == PRIVATE_ROOMS + 1, f"{len(nodes)} rooms")
        _check(all(len(node["members"]["nodes"]) >= 2 for node in nodes), "members are missing")
        # The first user has the rooms: all senders are he, whose token is the first.
        options = {**_operations(bench, _ROOM_LIST), "senders": "1", "warmup": "50"}
        before = bench.store.reads()
        numbers = load(server, bench.tokens, options)
        reads = bench.store.reads() - before - 1
    operations = numbers["answered"] + 50
    return Result(
        {"room_list": _per(numbers, "answered"), "room_list_trips": reads / operations},
        {"room_list": {**numbers, "reads": reads}},
    )


# Parley by itself

_LOGIN = graphql_body(
    "mutation LogIn($input: LoginInput!) { login(input: $input) { token } }",
    {"input": {"username": "user-7", "password": PASSWORD}},
)


def _logins(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    steady = _steady_options(bench, contestant)
    with serving(contestant, bench.store.url(contestant.name)) as server:
        quiet = load(server, bench.tokens, steady)
        flood = start_load(
            server,
            bench.tokens,
            {"body": _LOGIN, "senders": "20", "messages": "100000"},
        )
        try:
            # The server is not going to be idle.
            flooded = load(server, bench.tokens, {**steady, "settle": "1"})
        finally:
            flood.terminate()
            logins = finish_load(flood)
    return Result(
        {
            "quiet_p50": quiet["delivery_p50_ms"],
            "quiet_p99": quiet["delivery_p99_ms"],
            "flood_p50": flooded["delivery_p50_ms"],
            "flood_p99": flooded["delivery_p99_ms"],
            "logins": logins["answered"] / logins["wall_s"],
        },
        {"quiet": quiet, "flooded": flooded, "logins": logins},
    )


def _many(bench: Bench, contestant: Contestant) -> Result:
    bench.store.fill(contestant.name)
    sizes = bench.sizes
    options = _subscribers(
        contestant,
        sizes.many,
        hold=sizes.hold_seconds,
        messages=20,
        seconds=sizes.seconds,
        timeout=120,
    )
    with serving(contestant, bench.store.url(contestant.name)) as server:
        numbers = load(server, bench.tokens, options)
    return Result(
        {
            "many_idle": numbers["hold_cpu_s"] / numbers["hold_s"] * 100,
            "many_memory": (numbers["connected_kib"] - numbers["idle_kib"]) / sizes.many,
            "many_delivery": _per(numbers, "delivered"),
        },
        {"many": numbers},
    )


def _workers(bench: Bench, contestant: Contestant) -> Result:
    raw = {}
    for count in (1, 2):
        bench.store.fill(contestant.name)
        several = workers(count)
        options = _subscribers(several, bench.sizes.subscribers, **_burst(bench.sizes))
        with serving(several, bench.store.url(contestant.name)) as server:
            raw[f"workers_{count}"] = load(server, bench.tokens, options)
    rates = {name: numbers["delivered"] / numbers["wall_s"] for name, numbers in raw.items()}
    return Result(rates, raw)


def measures(sizes: Sizes) -> tuple[Measure, ...]:
    number = "{:,}".format
    only_parley = partial(Measure, takes_part=lambda contestant: contestant.is_parley)
    us = "µs"
    return (
        Measure(
            "one-room",
            (
                Row(
                    "burst",
                    f"A delivery, {number(sizes.subscribers)} subscribers of one room, burst",
                    us,
                    1,
                ),
                Row("connect", "A client connects, authenticates, subscribes", us),
                Row("memory", "Memory of an idle subscribed connection", "KiB"),
            ),
            _one_room,
        ),
        Measure(
            "steady",
            (Row("steady", f"A delivery, {sizes.few} subscribers, 20 messages/s", us, 1),),
            _steady,
        ),
        Measure(
            "rooms",
            (
                Row(
                    "rooms",
                    f"A message, {number(sizes.subscribers)} subscribers in {sizes.rooms} rooms",
                    us,
                ),
            ),
            _rooms,
        ),
        Measure(
            "selections",
            (
                Row(
                    "selections",
                    f"A delivery, {number(sizes.subscribers)} different selections in one room",
                    us,
                    1,
                ),
            ),
            _selections,
            lambda contestant: contestant.talk.has_operations,
        ),
        Measure(
            "operations",
            (
                Row("page", "`messages(last: 50)` with senders", us),
                Row("send", "`sendMessage`, nobody subscribed", us),
            ),
            _operate,
        ),
        only_parley(
            "large-room",
            (
                Row("newest", f"The newest 50 of {number(sizes.large_room)} messages", us),
                Row("oldest", f"The oldest 50 of {number(sizes.large_room)} messages", us),
            ),
            _large_room,
        ),
        only_parley(
            "room-list",
            (
                Row("room_list", "50 rooms, members' names, last message", us),
                Row("room_list_trips", "… round trips to the store", "", 1),
            ),
            _room_list,
        ),
        only_parley(
            "logins",
            (
                Row("quiet_p50", "Delay of a delivery at 20 messages/s, median", "ms", 1),
                Row("quiet_p99", "… 99 %", "ms", 1),
                Row("flood_p50", "… while 20 clients log in without pause, median", "ms", 1),
                Row("flood_p99", "… 99 %", "ms", 1),
                Row("logins", "… log-ins a second meanwhile", "", 1),
            ),
            _logins,
        ),
        only_parley(
            "many",
            (
                Row("many_idle", f"{number(sizes.many)} idle connections, share of a core", "%", 1),
                Row("many_memory", "… memory of each", "KiB"),
                Row("many_delivery", "… a delivery to all", us, 1),
            ),
            _many,
        ),
        only_parley(
            "workers",
            (
                Row("workers_1", "Deliveries a second, one worker", ""),
                Row("workers_2", "… two workers", ""),
            ),
            _workers,
        ),
    )
