"""What no test runs is checked by its own linters, and for what it says of the server."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from application.server import _DRAIN_SECONDS, _GRACE_SECONDS
from application.settings import Settings
from tests.servers import ROOT, environment

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd/parley.service"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
BIN = Path(sys.executable).parent

SERVER_ENDS_WITHIN = 10
"""Seconds from SIGTERM (README, promise 7)."""


def check(*command: object) -> None:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def read(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text())


def test_yaml() -> None:
    check(BIN / "yamllint", "--strict", "--config-file", DEPLOY / ".yamllint", DEPLOY)


def test_the_dockerfile() -> None:
    check(BIN / "hadolint", DEPLOY / "Dockerfile")


def test_compose() -> None:
    check(
        BIN / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        DEPLOY / "compose.yaml",
    )


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes(manifest: Path) -> None:
    check(BIN / "kubernetes-validate", "--strict", manifest)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd(tmp_path: Path) -> None:
    # It wants the program to be there, and tells of other units as well.
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub("ExecStart=[^ ]+", f"ExecStart={sys.executable}", UNIT.read_text()))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert UNIT.name not in done.stdout + done.stderr


def test_what_the_image_copies_is_there_and_is_let_through() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    names = [name for names in copied for name in names.split()]
    assert {"app.py", "application", "requirements.txt"} <= set(names)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name in names:
        assert (ROOT / name).exists()
        assert f"!{name.partition('/')[0]}" in ignored
    # Nothing of ours is forgotten: every package that the application imports from.
    contract = (ROOT / "pyproject.toml").read_text()
    [packages] = re.findall(r"^root_packages = (\[.+\])$", contract, re.MULTILINE)
    assert set(json.loads(packages)) <= set(names)


def test_the_image_has_all_that_a_server_needs(tmp_path: Path) -> None:
    """Its command, with the files of its last stage and no others."""
    last_stage = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    for name in re.findall(r"^COPY (?:--from=\w+ \S+ )?(\S+)(?: \S+)?$", last_stage, re.MULTILINE):
        if name != "/venv":
            target = tmp_path / name
            target.parent.mkdir(exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    [command] = re.findall(r"^CMD (.+)$", last_stage, re.MULTILINE)
    [_, *arguments] = json.loads(command)
    settings = {"DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": ""}
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        [url] = re.findall(r"http://\S+", "".join(process.stdout.readline() for _ in range(3)))
        assert httpx.get(url).headers["content-type"].startswith("text/html")
        assert httpx.get(f"{url}graphql", headers={"accept": "text/html"}).status_code == 200
        process.terminate()
    assert process.returncode == 0


def test_every_setting_that_is_set_is_one() -> None:
    known = {name.upper() for name in Settings.model_fields}
    compose = read("compose.yaml")["services"]["parley-1"]["environment"]
    cloud_run = read("cloudrun/service.yaml")["spec"]["template"]["spec"]["containers"][0]["env"]
    heroku = json.loads((ROOT / "app.json").read_text())
    given = {
        *compose,
        *(each["name"] for each in cloud_run),
        *read("kubernetes/configmap.yaml")["data"],
        *read("kubernetes/secret.yaml")["stringData"],
        *heroku["env"],
        *(f"{addon['as']}_URL" for addon in heroku["addons"]),
    }
    assert given <= known


def test_a_server_has_the_time_that_it_takes_to_end() -> None:
    assert _DRAIN_SECONDS + _GRACE_SECONDS < SERVER_ENDS_WITHIN
    pod = read("kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [_, pause] = container["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["terminationGracePeriodSeconds"] >= int(pause) + SERVER_ENDS_WITHIN
    grace = read("compose.yaml")["services"]["parley-1"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= SERVER_ENDS_WITHIN
    [patience] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(patience) >= SERVER_ENDS_WITHIN


def test_the_manifests_belong_together() -> None:
    config, secret, service, ingress, budget, deployment = (
        read(f"kubernetes/{name}.yaml")
        for name in ("configmap", "secret", "service", "ingress", "pdb", "deployment")
    )
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert [next(iter(source.values()))["name"] for source in container["envFrom"]] == [
        config["metadata"]["name"],
        secret["metadata"]["name"],
    ]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (
        deployment["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
        budget["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    assert config["data"]["METRICS"] == f"0.0.0.0:{ports['metrics']}"
    [rule] = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] == service["spec"]["ports"][0]["name"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_the_procfile_serves(tmp_path: Path) -> None:
    """As Heroku runs it: by a shell, with a PORT."""
    [command] = re.findall(r"^web: (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    command = command.replace("python", sys.executable)
    heroku = json.loads((ROOT / "app.json").read_text())
    env = {name: given["value"] for name, given in heroku["env"].items()}
    with subprocess.Popen(
        ["bash", "-c", f"exec env {command}"],
        cwd=tmp_path,
        env=environment({**env, "REDIS_ENDPOINT_URL": "", "WEB_CONCURRENCY": "2"}),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Parley is serving.\n"
        process.terminate()
    assert process.returncode == 0
