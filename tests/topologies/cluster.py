"""A Redis Cluster: primaries that share the slots, and replicas of each."""

from pathlib import Path
from typing import Any

from services.redis.cluster import slot_of
from tests.ports import free_port
from tests.topologies.node import HOST, Node, name_of, until

_SLOTS = 16384
_NODE_TIMEOUT_MS = 1500


class Cluster:
    """`primaries` of them, each with so many `replicas`."""

    def __init__(self, binary: str, folder: Path, *, primaries: int = 3, replicas: int = 0) -> None:
        options = {
            "save": '""',
            "cluster-enabled": "yes",
            "cluster-node-timeout": _NODE_TIMEOUT_MS,
            "cluster-require-full-coverage": "no",
            "repl-diskless-sync-delay": 0,
            "repl-ping-replica-period": 1,
        }
        self.name = f"{name_of(binary)} cluster"
        self._bus_ports: dict[Node, int] = {}
        for number in range(primaries * (1 + replicas)):
            bus = free_port()
            node = Node(binary, folder / f"node-{number}", {**options, "cluster-port": bus})
            self._bus_ports[node] = bus
        self.nodes = list(self._bus_ports)
        self.primaries, self._replicas = self.nodes[:primaries], self.nodes[primaries:]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(node.place for node in self.nodes)}"

    def start(self) -> None:
        first, *others = self.nodes
        for number, node in enumerate(self.nodes, 1):
            node.start()
            ask(node, "CLUSTER SET-CONFIG-EPOCH", number)
        for node in others:
            ask(first, "CLUSTER MEET", HOST, node.port, self._bus_ports[node])
        share = -(-_SLOTS // len(self.primaries))
        for number, node in enumerate(self.primaries):
            last = min((number + 1) * share, _SLOTS) - 1
            ask(node, "CLUSTER ADDSLOTSRANGE", number * share, last)
        until(lambda: all(self._knows_all(node) for node in self.nodes))
        for number, node in enumerate(self._replicas):
            primary = self.primaries[number % len(self.primaries)]
            ask(node, "CLUSTER REPLICATE", id_of(primary))
        until(lambda: all(self._is_well(node) for node in self.nodes))

    def empty(self) -> None:
        for node in self.primaries:
            node.operator.flushall()

    def primary_of(self, key: str) -> Node:
        """Who has the key's slot."""
        slot = slot_of(key)
        (port,) = (port for first, last, port in self._slots() if first <= slot <= last)
        return next(node for node in self.nodes if node.port == port)

    def has_slots(self, node: Node) -> bool:
        return any(port == node.port for _, _, port in self._slots())

    def _slots(self) -> list[tuple[int, int, int]]:
        """Ranges and the ports of their primaries, as a server sees it that is running."""
        witness = next(node for node in self.nodes if node.is_running)
        return [
            (first, last, primary[1]) for first, last, primary, *_ in ask(witness, "CLUSTER SLOTS")
        ]

    def move_slot(self, key: str, target: Node) -> None:
        """Have another primary take the key's slot over, with all that is in it."""
        move = self.begin_move(key, target)
        move.carry_over()
        move.end()

    def begin_move(self, key: str, target: Node) -> "Move":
        return Move(self, slot_of(key), self.primary_of(key), target)

    def replica_of(self, primary: Node) -> Node:
        return next(
            node
            for node in self.nodes
            if node.is_running
            and node.operator.info("replication").get("master_port") == primary.port
        )

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def _knows_all(self, node: Node) -> bool:
        state: Any = ask(node, "CLUSTER INFO")
        return state["cluster_state"] == "ok" and int(state["cluster_known_nodes"]) == len(
            self.nodes
        )

    def _is_well(self, node: Node) -> bool:
        """Whether its replicas are in step."""
        if node in self._replicas:
            return True
        return node.replicas == len(self._replicas) // len(self.primaries)


class Move:
    """A slot on its way from one primary to another, as `redis-cli --cluster reshard` does it."""

    def __init__(self, cluster: Cluster, slot: int, source: Node, target: Node) -> None:
        self._cluster, self._slot, self._source, self._target = cluster, slot, source, target
        ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", id_of(source))
        ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", id_of(target))

    def carry_over(self, *keys: str | bytes) -> None:
        """Move these keys, or all that are there."""
        while found := keys or ask(self._source, "CLUSTER GETKEYSINSLOT", self._slot, 10):
            timeout_ms = 5000
            words = (HOST, self._target.port, "", 0, timeout_ms, "KEYS", *found)
            ask(self._source, "MIGRATE", *words)
            if keys:
                return

    def end(self) -> None:
        for node in (self._target, self._source, *self._cluster.nodes):
            if node.is_running and node.operator.info("replication")["role"] == "master":
                ask(node, "CLUSTER SETSLOT", self._slot, "NODE", id_of(self._target))


def ask(node: Node, *command: str | bytes | int) -> Any:
    return node.operator.execute_command(*command)  # type: ignore[no-untyped-call]


def id_of(node: Node) -> str:
    return str(ask(node, "CLUSTER MYID").decode())
