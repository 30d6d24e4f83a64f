"""The results: printed as they come, and as a table in Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

PROPERTY = "faults"
"""Under this name a test records its result."""

_COLUMNS = (
    "scenario",
    "store",
    "acknowledged",
    "lost",
    "duplicated",
    "reordered",
    "recovered in s",
    "peak MB",
)
_RULE = ("---", "---", *["--:"] * 6)


@dataclass(frozen=True)
class Result:
    """A row of the table."""

    scenario: str
    store: str
    acknowledged: int
    lost: int
    duplicated: int
    reordered: int
    seconds_to_recover: float | None
    peak_megabytes: float

    @property
    def cells(self) -> list[str]:
        counts = (self.acknowledged, self.lost, self.duplicated, self.reordered)
        seconds = self.seconds_to_recover
        return [
            self.scenario,
            self.store,
            *(f"{count:,}" for count in counts),
            "–" if seconds is None else f"{seconds:.1f}",
            f"{self.peak_megabytes:.0f}",
        ]


class Report:
    """A plugin that makes the table of a run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: list[list[str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            self._add([report.nodeid.partition("::")[2], reason])
        elif report.when == "call" or (report.when == "setup" and report.failed):
            properties: dict[str, Any] = dict(report.user_properties)
            result = properties.get(PROPERTY)
            cells = Result(**result).cells if result else [report.nodeid.partition("::")[2]]
            self._add([f"**FAILED** {cells[0]}", *cells[1:]] if report.failed else cells)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """No dots between the rows."""
        return report.outcome, "", ""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line("")
        for cells in (_COLUMNS, _RULE, *self._rows):
            terminalreporter.write_line(_line(cells))

    def _add(self, cells: list[str]) -> None:
        self._rows.append(cells)
        terminal: pytest.TerminalReporter | None
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(_line(cells))


def _line(cells: Sequence[str]) -> str:
    padded = [*cells, *[""] * (len(_COLUMNS) - len(cells))]
    return f"| {' | '.join(padded)} |"
