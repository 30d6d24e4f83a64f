"""The results as one table: medians, and how many times Parley's each is."""

import platform
import re
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.contestants import ROOT, Contestant
from bench.load import Numbers
from bench.measures import Measure, Row

PAGE = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- compared -->", "<!-- /compared -->"
_NOTE = (
    "Processor time of all server processes (user and system, without the store), medians of {runs}"
    " alternating {word}; in brackets, how many times Parley's. Less is better, except for what is"
    " done in a second. {machine}."
    " ¹ No GraphQL: every client gets the same fields."
    " [How it is measured](../bench/README.md)."
)


@dataclass(frozen=True)
class Record:
    """One contestant's measure in one run: values by row, or why there are none."""

    contestant: str
    measure: str
    run: int
    values: Numbers
    raw: dict[str, Numbers]
    problem: str = ""


class Report:
    def __init__(self, contestants: Sequence[Contestant], measures: Sequence[Measure]) -> None:
        self._contestants = contestants
        self._measures = measures
        self.records: list[Record] = []

    def median(self, contestant: Contestant, row: Row) -> float | None:
        found = [
            record.values[row.key]
            for record in self.records
            if record.contestant == contestant.name and row.key in record.values
        ]
        return statistics.median(found) if found else None

    def table(self) -> str:
        lines = [["", *(contestant.title for contestant in self._contestants)]]
        lines.append(["---", *("---:" for _ in self._contestants)])
        for measure in self._measures:
            for row in measure.rows:
                cells = [self._cell(contestant, measure, row) for contestant in self._contestants]
                if any(cells):
                    unit = f", {row.unit}" if row.unit else ""
                    lines.append([row.title + unit, *cells])
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def problems(self) -> list[str]:
        return [
            f"{record.contestant}, {record.measure}, run {record.run}: {record.problem}"
            for record in self.records
            if record.problem
        ]

    def as_json(self) -> dict[str, Any]:
        return {"machine": machine(), "records": [asdict(record) for record in self.records]}

    def _cell(self, contestant: Contestant, measure: Measure, row: Row) -> str:
        value = self.median(contestant, row)
        if value is None:
            return "no result" if self._has_failed(contestant, measure) else ""
        text = f"{value:,.{row.digits}f}"
        if contestant.is_parley:
            return f"**{text}**"
        parley = next((one for one in self._contestants if one.is_parley), None)
        base = self.median(parley, row) if parley else None
        return f"{text} ({_times(value / base)})" if base else text

    def _has_failed(self, contestant: Contestant, measure: Measure) -> bool:
        return any(
            record.problem
            for record in self.records
            if (record.contestant, record.measure) == (contestant.name, measure.name)
        )


def _times(ratio: float) -> str:
    digits = 0 if ratio >= 9.95 else 1 if ratio >= 0.995 else 2
    return f"{ratio:.{digits}f}×"


def machine() -> dict[str, str]:
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.+)", info)
    count = len(re.findall(r"^processor", info, re.MULTILINE))
    return {
        "processor": f"{count} × {model[1].strip() if model else platform.machine()}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": _output("node", "--version").removeprefix("v"),
        "commit": _output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
    }


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def write_page(report: Report, runs: int) -> None:
    """The table between its markers; a page without them gets them at its end."""
    text = PAGE.read_text() if PAGE.exists() else "# Performance\n"
    if _BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Compared\n\n{_BEGIN}\n{_END}\n"
    facts = machine()
    where = f"{facts['processor']}, Python {facts['python']}, Node {facts['node']}"
    note = _NOTE.format(runs=runs, word="run" if runs == 1 else "runs", machine=where)
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    picture = "![Processor time per delivery and per page, compared](images/bench.svg)"
    content = f"{picture}\n\n{report.table()}\n\n{note}"
    PAGE.write_text(f"{before}{_BEGIN}\n{content}\n{_END}{after}")
