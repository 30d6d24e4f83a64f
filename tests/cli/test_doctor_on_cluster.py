"""`doctor` on a Redis Cluster: it asks every server, and says which is not as it should be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import keys
from services.checkup.timing import check_clocks
from services.redis.rights import CLUSTER_RULE, RULE
from tests.cli.command import parley
from tests.cli.test_doctor import examine
from tests.servers import start_server
from tests.store_process import VALKEY
from tests.topologies.cluster import Cluster, ask
from tests.topologies.node import Node, until

Found = dict[str, list[str]]


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """One that is as it should be, until the test has its way."""
    cluster = Cluster(VALKEY, tmp_path, replicas=1)
    cluster.start()
    for node in cluster.nodes:
        node.operator.config_set("appendonly", "yes")
    until(lambda: all(lists_all(cluster, node) for node in cluster.nodes))
    yield cluster
    cluster.close()


def lists_all(cluster: Cluster, node: Node) -> bool:
    """Whether it has heard that the replicas are in step."""
    ranges = ask(node, "CLUSTER SLOTS")
    return sum(len(servers) for _, _, *servers in ranges) == len(cluster.nodes)


def examined(cluster: Cluster, **env: str) -> tuple[int, Found]:
    return examine({"REDIS_ENDPOINT_URL": cluster.url, "DEMO_DATA": "false", **env})


def flags_of(node: Node, witness: Node) -> str:
    return str(ask(witness, "CLUSTER NODES")[node.place]["flags"])


def test_all_is_well(own_cluster: Cluster) -> None:
    status, found = examined(own_cluster)
    assert (status, found["warning"], found["wrong"]) == (0, [], [])
    text = "cluster: 3 primaries and 3 replicas answer, and all slots have a server."
    assert text in found["ok"]
    assert "writes: All 3 primaries take writes." in found["ok"]
    for node in own_cluster.primaries:
        for subject, text in (
            ("store", "Valkey "),
            ("replicas", "1 connected."),
            ("disk", "appendonly yes."),
            ("memory", ""),
        ):
            assert [each for each in found["ok"] if is_of(each, subject, node, text)], found["ok"]
    for node in own_cluster.nodes:
        assert [each for each in found["ok"] if is_of(each, "latency", node, "PING takes ")]


def is_of(found: str, subject: str, node: Node, text: str) -> bool:
    return found.startswith(f"{subject}: {node.place}: {text}")


def test_one_server_is_not_as_the_others(own_cluster: Cluster) -> None:
    first, second, third = own_cluster.primaries
    first.operator.config_set("maxmemory-policy", "allkeys-lru")
    first.operator.config_set("maxmemory", "100mb")
    second.operator.config_set("appendonly", "no")
    third.operator.config_set("cluster-require-full-coverage", "yes")
    replica = own_cluster.replica_of(second)
    replica.operator.execute_command("ACL SETUSER default -xadd")  # type: ignore[no-untyped-call]
    status, found = examined(own_cluster)
    assert status == 1
    wrong = [
        f"memory: {first.place}: maxmemory-policy allkeys-lru",
        f"rights: {replica.place}: The store's user needs +xadd (",
    ]
    assert_begin(found["wrong"], wrong)
    warnings = [
        f"cluster: cluster-require-full-coverage yes at {third.place}: while",
        f"disk: {second.place}: appendonly no",
    ]
    assert_begin(found["warning"], warnings)


def assert_begin(found: list[str], beginnings: list[str]) -> None:
    assert len(found) == len(beginnings), found
    for text, beginning in zip(found, beginnings, strict=True):
        assert text.startswith(beginning), found


def test_servers_that_are_away(own_cluster: Cluster) -> None:
    primary = own_cluster.primary_of(keys.EPOCH)
    witness, *_ = (node for node in own_cluster.primaries if node is not primary)
    replica = own_cluster.replica_of(witness)
    replica.kill()
    status, found = examined(own_cluster, WAIT_REPLICAS="1")
    assert status == 1
    assert_begin(found["warning"], [f"cluster: {replica.place} "])
    (text,) = found["wrong"]
    assert text.startswith(f"replicas: {witness.place}: 0 replicas are connected and WAIT_REPLICAS")
    # Its own replica, too: nobody takes over.
    own_cluster.replica_of(primary).kill()
    primary.kill()
    status, found = examined(own_cluster)
    assert status == 1
    away = [text for text in found["wrong"] if text.startswith(f"cluster: {primary.place} does")]
    assert len(away) == 1, found
    assert f"replicas: {witness.place}: None: when it is away, so are its rooms" in " ".join(
        found["warning"]
    )


def test_one_that_has_taken_over(own_cluster: Cluster) -> None:
    primary = own_cluster.primaries[0]
    replica = own_cluster.replica_of(primary)
    primary.kill()
    until(lambda: own_cluster.has_slots(replica) and "fail" in flags_of(primary, replica))
    until(lambda: all("fail" in flags_of(primary, node) for node in own_cluster.primaries[1:]))
    status, found = examined(own_cluster)
    assert (status, found["wrong"]) == (0, [])
    warnings = [
        f"cluster: {primary.place} is taken for down by ",
        f"replicas: {replica.place}: None: ",
    ]
    assert_begin(found["warning"], warnings)


def test_slots_that_nobody_has_and_that_are_moved(own_cluster: Cluster) -> None:
    key = keys.room("unknown")
    source = own_cluster.primary_of(key)
    target = next(node for node in own_cluster.primaries if node is not source)
    move = own_cluster.begin_move(key, target)
    status, found = examined(own_cluster)
    assert (status, found["wrong"]) == (0, [])
    places = sorted([source.place, target.place])
    moving = [f"cluster: {place}: 1 of its slots are being moved" for place in places]
    assert_begin(sorted(found["warning"]), moving)
    move.end()
    last = own_cluster.primary_of("{last}")
    slot = ask(last, "CLUSTER KEYSLOT", "{last}")
    for node in own_cluster.primaries:
        ask(node, "CLUSTER DELSLOTS", slot)
    status, found = examined(own_cluster)
    assert status == 1
    assert [text for text in found["wrong"] if " slots have no server: " in text], found


def test_the_least_rights_are_enough(own_cluster: Cluster) -> None:
    for node in own_cluster.nodes:
        words = ("parley", "reset", "on", ">secret", *RULE, *CLUSTER_RULE)
        node.operator.execute_command("ACL", "SETUSER", *words)  # type: ignore[no-untyped-call]
    url = own_cluster.url.replace("//", "//parley:secret@")
    status, found = examined(own_cluster, REDIS_ENDPOINT_URL=url)
    assert (status, found["wrong"]) == (0, [])
    assert "rights: The store's user may do what is needed." in found["ok"]
    texts = [text.partition("INFO is not allowed")[0] for text in found["warning"]]
    assert texts == [f"store: {node.place}: " for node in sorted_by_place(own_cluster)]
    for node in own_cluster.nodes:
        node.operator.acl_log_reset()
    assert start_server({"REDIS_ENDPOINT_URL": url}).stop() == 0
    created = parley("rooms", "create", "Project X", env={"REDIS_ENDPOINT_URL": url})
    assert created.status == 0
    exported = parley("export", "-", env={"REDIS_ENDPOINT_URL": url})
    assert exported.status == 0
    assert '"name":"Project X"' in exported.stdout
    assert [node.operator.acl_log() for node in own_cluster.nodes] == [[]] * 6


def sorted_by_place(cluster: Cluster) -> list[Node]:
    return sorted(cluster.primaries, key=lambda node: node.port)


def test_clocks_that_differ() -> None:
    """By the numbers, as the servers of this machine have one clock."""
    one, other = ("10.0.0.1", 6379), ("10.0.0.2", 6379)
    levels = [each.level for each in check_clocks({one: 0.5, other: -0.5})]
    assert levels == ["ok", "ok"]
    worst, apart = check_clocks({one: 1.5, other: -0.7})
    assert worst.level == "ok"
    assert worst.text.startswith("10.0.0.1:6379: The store's is 1.500 s ahead of")
    assert apart.level == "wrong"
    assert "10.0.0.1:6379 being ahead of 10.0.0.2:6379" in apart.text
    (alone,) = check_clocks({None: -3.0})
    assert alone.level == "warning"
    assert alone.text.startswith("The store's is 3.000 s behind")
