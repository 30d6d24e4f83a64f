"""`doctor`: what is wrong is found, and what is right is not called wrong."""

import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from services import keys
from tests.cli.command import parley
from tests.servers import ROOT, start_server
from tests.store_process import VALKEY, StoreProcess
from tests.topologies.replicated import SERVICE, Replicated

GOOD = {"appendonly": "yes"}


@contextmanager
def store(options: Mapping[str, str]) -> Iterator[StoreProcess]:
    process = StoreProcess(VALKEY, options)
    try:
        yield process
    finally:
        process.close()


def examine(
    env: Mapping[str, str], folder: Path = Path(ROOT.anchor)
) -> tuple[int, dict[str, list[str]]]:
    """Exit status, and what was found: subjects and texts by level."""
    outcome = parley("doctor", "--json", env={"RATE_LIMITS": "on", **env}, folder=folder)
    assert "Traceback" not in outcome.stderr
    found: dict[str, list[str]] = {"ok": [], "warning": [], "wrong": []}
    for line in outcome.stdout.splitlines():
        finding = json.loads(line)
        assert finding.keys() == {"level", "subject", "text"}
        found[finding["level"]].append(f"{finding['subject']}: {finding['text']}")
    # The pages need not be built for these tests.
    found["warning"] = [text for text in found["warning"] if not text.startswith("pages: ")]
    return outcome.status, found


def test_all_is_well() -> None:
    with store(GOOD) as process:
        status, found = examine({"REDIS_ENDPOINT_URL": process.url, "DEMO_DATA": "false"})
    assert (status, found["warning"], found["wrong"]) == (0, [], [])
    subjects = {text.partition(":")[0] for text in found["ok"]}
    assert subjects >= {"settings", "versions", "port", "store", "disk", "memory", "rights"}


def test_people_get_a_line_for_each_finding() -> None:
    with store(GOOD) as process:
        outcome = parley("doctor", env={"REDIS_ENDPOINT_URL": process.url})
    assert outcome.status == 0
    assert all(line.startswith(("ok ", "warning ")) for line in outcome.stdout.splitlines())


@pytest.mark.parametrize(
    ("options", "level", "text"),
    [
        ({}, "warning", "disk: appendonly no"),
        (
            {**GOOD, "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"},
            "wrong",
            "memory: maxmemory-policy allkeys-lru",
        ),
        ({**GOOD, "replicaof": "127.0.0.1 1"}, "wrong", "replicas: The store is a replica"),
    ],
)
def test_a_store_that_is_not_as_it_should_be(
    options: dict[str, str], level: str, text: str
) -> None:
    with store(options) as process:
        status, found = examine({"REDIS_ENDPOINT_URL": process.url, "DEMO_DATA": "false"})
    assert status == (1 if level == "wrong" else 0)
    assert any(each.startswith(text) for each in found[level]), found


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("CONFIG SET requirepass secret", "store: Cannot use the Redis .*: it asks for a password"),
        ("ACL SETUSER default -xadd", r"rights: The store's user needs \+xadd \("),
        ("ACL SETUSER default -script", "store: "),
    ],
)
def test_a_store_that_does_not_let_us(command: str, text: str) -> None:
    with store(GOOD) as process:
        process.operator.execute_command(*command.split())  # type: ignore[no-untyped-call]
        status, found = examine({"REDIS_ENDPOINT_URL": process.url, "DEMO_DATA": "false"})
    assert status == 1
    assert any(re.match(text, each) for each in found["wrong"]), found


def test_replicas_that_are_waited_for_and_not_there() -> None:
    with store(GOOD) as process:
        env = {"REDIS_ENDPOINT_URL": process.url, "WAIT_REPLICAS": "1"}
        status, found = examine(env)
    assert status == 1
    assert any("WAIT_REPLICAS is 1" in text for text in found["wrong"])


def test_sentinels_that_agree_and_that_are_away(tmp_path: Path) -> None:
    replicated = Replicated(VALKEY, tmp_path, replicas=1)
    try:
        replicated.start()
        env = {"REDIS_ENDPOINT_URL": replicated.url, "DEMO_DATA": "false"}
        status, found = examine(env)
        assert (status, found["warning"], found["wrong"]) == (0, [], [])
        primary = replicated.primary.place
        assert f"sentinels: 3 of 3 answer and name {primary}." in found["ok"]
        assert "replicas: 1 connected." in found["ok"]
        status, found = examine({**env, "REDIS_ENDPOINT_URL": f"{replicated.url}s"})
        assert status == 1
        assert all(f"no service {SERVICE}s is watched" in text for text in found["warning"])
        replicated.sentinels[0].kill()
        status, found = examine(env)
        assert status == 0
        assert [text for text in found["warning"] if replicated.sentinels[0].place in text]
        replicated.sentinels[1].kill()
        status, found = examine(env)
        assert status == 1
        assert any(text.startswith("sentinels: Only 1 of 3 answer") for text in found["wrong"])
    finally:
        replicated.close()


def test_settings_that_nobody_reads_or_that_harm(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROT=8001\nOTEL_SERVICE_NAME=chat\nSOMEBODY_ELSES=1\n")
    with store(GOOD) as process:
        env = {
            "REDIS_ENDPOINT_URL": process.url,
            "APPENDFSYNC": "always",
            "HOST": "0.0.0.0",
            "RATE_LIMITS": "off",
            "SESSION_TTL_SECONDS": "99999999",
            "WORKERS": "2",
            "METRICS": "/metrics",
        }
        status, found = examine(env, tmp_path)
    assert status == 1
    assert [text for text in found["wrong"] if "RATE_LIMITS=on" in text]
    warnings = "\n".join(found["warning"])
    for text in (
        "PROT, which is none. Did you mean PORT?",
        "SOMEBODY_ELSES, which is none",
        "OTEL_SERVICE_NAME, which only the environment may have",
        "APPENDFSYNC is for the embedded store",
        "SESSION_TTL_SECONDS is more than",
        "METRICS is a path, which tells of any one of 2 workers",
        "DEMO_DATA is on",
        "no proxy is trusted",
    ):
        assert text in warnings


def test_a_wrong_setting_is_a_finding_too() -> None:
    status, found = examine({"PORT": "http"})
    assert status == 1
    assert found["wrong"][0].startswith("settings: PORT: should be a valid integer")


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xe9")
    status, found = examine({}, tmp_path)
    assert status == 1
    assert found["wrong"][0].startswith("settings: Cannot read .env: ")


def test_traces_that_there_are_not_are_a_finding() -> None:
    with store(GOOD) as process:
        env = {"REDIS_ENDPOINT_URL": process.url, "OTEL_TRACES_EXPORTER": "zipkin"}
        status, found = examine(env)
    assert status == 1
    assert found["wrong"] == ["settings: OTEL_TRACES_EXPORTER: should be otlp, console or none."]


def test_accounts_that_everybody_can_use(tmp_path: Path) -> None:
    with store(GOOD) as process:
        env = {"REDIS_ENDPOINT_URL": process.url}
        start_server(env).stop()
        status, found = examine(env)
        assert status == 0
        assert any("Pablo, Joe, Mary, Alex can be" in text for text in found["warning"])
        status, found = examine({**env, "TRUSTED_PROXIES": "127.0.0.1"})
        assert status == 1
        assert any("Pablo, Joe, Mary, Alex can be" in text for text in found["wrong"])


def test_who_is_at_the_port() -> None:
    with store(GOOD) as process:
        env = {"REDIS_ENDPOINT_URL": process.url, "DEMO_DATA": "false"}
        server = start_server(env)
        try:
            port = server.url.rpartition(":")[2]
            status, found = examine({**env, "PORT": port})
            assert status == 0
            assert f"port: A server of Parley serves at 127.0.0.1, port {port}." in found["ok"]
            assert "servers: 1 server of Parley on this store." in found["ok"]
            status, found = examine({**env, "PORT": port, "CHANNELS": "both"})
            assert status == 1
            (text,) = found["wrong"]
            assert text.startswith("servers: CHANNELS is both here and shared in a server")
        finally:
            server.stop()
        with socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(0.1)
            status, found = examine({**env, "PORT": str(other.getsockname()[1])})
        assert status == 1
        assert any(text.startswith("port: ") for text in found["wrong"])


def test_others_on_the_store_and_an_import_that_was_left() -> None:
    with store(GOOD) as process:
        process.operator.set(keys.IMPORT, "0" * 32)
        with process.operator.pubsub() as other:  # type: ignore[no-untyped-call]
            other.subscribe(keys.MESSAGES_CHANNEL)
            other.get_message(timeout=5)
            status, found = examine({"REDIS_ENDPOINT_URL": process.url, "DEMO_DATA": "false"})
    assert status == 1
    assert any(text.startswith("import: ") for text in found["wrong"])
    assert any(text.startswith("others: 1 program of others") for text in found["warning"])
