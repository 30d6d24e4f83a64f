"""What a server says of itself, read as Prometheus reads it."""

import re
from collections.abc import Iterator

import httpx
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.servers import Server


def metrics_url(server: Server) -> str:
    """Where a server says that its metrics are."""
    found = re.search(r"Metrics are at (http://[^\s\"]+)", server.output)
    assert found is not None, server.output
    return found[1]


def families(url: str) -> dict[str, Metric]:
    """The families of metrics by their names, those of counters without `_total`."""
    answer = httpx.get(url, headers={"accept": "text/plain;version=0.0.4"})
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


class Scrape:
    """The metrics of one moment."""

    def __init__(self, url: str) -> None:
        self._families = families(url)

    def __call__(self, sample: str, /, **labels: str) -> float:
        """The sum of the samples that have these labels; 0 for none."""
        return sum(
            each.value
            for each in self._samples()
            if each.name == sample and labels.items() <= each.labels.items()
        )

    def labels(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self._samples() if sample.name == name}

    def names(self) -> set[str]:
        return {sample.name for sample in self._samples()}

    def _samples(self) -> Iterator[Sample]:
        for family in self._families.values():
            yield from family.samples
