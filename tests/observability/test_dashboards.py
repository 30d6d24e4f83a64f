"""The dashboard and the alerts ask for what there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.observability.conftest import Serve
from tests.observability.scraping import families, metrics_url
from tests.servers import ROOT

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana/parley.json").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())

SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
OF_PROMETHEUS = {"up"}
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """All that is asked of Prometheus."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked += [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    variables = DASHBOARD["templating"]["list"]
    return asked + [each["query"] for each in variables if each["type"] == "query"]


def metrics_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:(?:parley|process|python)_\w+|up)\b", expression))


def labels_in(expression: str) -> set[str]:
    matched = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    for grouped in re.findall(r"\b(?:by|without) \(([^)]*)\)", expression):
        matched += [label.strip() for label in grouped.split(",")]
    return set(matched)


def test_every_metric_that_is_asked_for_exists(serve: Serve) -> None:
    found = families(metrics_url(serve(METRICS="0")))
    exposed = {name + suffix for name, of in found.items() for suffix in SUFFIXES[of.type]}
    asked = set().union(*map(metrics_in, expressions()))
    assert asked - OF_PROMETHEUS <= exposed
    assert all(map(metrics_in, expressions()))
    # And the other way round: nobody counts for nothing.
    ours = {name for name, of in found.items() if name.startswith("parley_")}
    shown = {name for name in ours if any(re.match(f"{name}(_|$)", each) for each in asked)}
    assert shown == ours


def test_every_label_that_is_asked_for_exists() -> None:
    text = (ROOT / "docs/observability.md").read_text()
    rows = re.findall(r"^\| `(parley_\w+)`([^|]*)\|", text, re.MULTILINE)
    labels = {name.removesuffix("_total"): set(re.findall(r"`(\w+)`", of)) for name, of in rows}
    for expression in expressions():
        known = set(LABELS_OF_PROMETHEUS)
        for metric in metrics_in(expression):
            base = re.sub(r"_(total|bucket|sum|count)$", "", metric)
            known |= labels.get(base, set())
        assert labels_in(expression) <= known, expression


@pytest.mark.parametrize("rule", ALERTS["groups"][0]["rules"], ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_about(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in ("warning", "critical")


def test_panels_have_their_own_place() -> None:
    taken: dict[tuple[int, int], str] = {}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_prometheus_is_told_where_the_rules_are() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert all(Path(DEPLOY / "prometheus" / name).exists() for name in config["rule_files"])
    assert [job["job_name"] for job in config["scrape_configs"]] == ["parley"]
