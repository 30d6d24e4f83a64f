"""The command line of the benchmark: `make bench`, `make bench ARGS="--short --only steady"`."""

import argparse
import json
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.chart import Panel, draw
from bench.contestants import CONTESTANTS, ROOT, Contestant
from bench.load import Invalid
from bench.measures import SHORT, Bench, Measure, Sizes, measures
from bench.report import Record, Report, write_page
from bench.servers import ServerFailed
from bench.store import BenchStore, tokens

_RESULTS = ROOT / "bench" / "results"
_DRAWN = ("burst", "steady", "page")
_DESCRIPTORS = 12_000


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    arguments = _arguments()
    sizes = SHORT if arguments.short else Sizes()
    chosen = [m for m in measures(sizes) if not arguments.only or m.name in arguments.only]
    contestants = [c for c in CONTESTANTS if not arguments.who or c.name in arguments.who]
    _raise_limit()
    report = Report(contestants, chosen)
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        token_file = Path(folder) / "tokens"
        token_file.write_text("\n".join(tokens()) + "\n")
        store = BenchStore()
        try:
            _measure(Bench(store, token_file, sizes), report, chosen, contestants, arguments.runs)
        finally:
            store.close()
            raw = _write_raw(report)
    sys.stdout.write(f"\n{report.table()}\n")
    for problem in report.problems():
        sys.stdout.write(f"No result: {problem}\n")
    sys.stdout.write(f"\nEverything measured: {raw.relative_to(ROOT)}\n")
    if arguments.write:
        write_page(report, arguments.runs)
        draw(_panels(report, chosen, contestants))
    if any(record.problem and record.contestant == "parley" for record in report.records):
        sys.exit("Parley failed a measure.")


def _measure(
    bench: Bench,
    report: Report,
    chosen: list[Measure],
    contestants: list[Contestant],
    runs: int,
) -> None:
    """All contestants in turn, measure by measure, and that several times."""
    for run in range(1, runs + 1):
        for measure in chosen:
            for contestant in filter(measure.takes_part, contestants):
                began = time.monotonic()
                record = _one(bench, measure, contestant, run)
                report.records.append(record)
                values = "  ".join(f"{name} {value:,.1f}" for name, value in record.values.items())
                sys.stdout.write(
                    f"{run}/{runs} {measure.name:<11} {contestant.name:<18}"
                    f" {time.monotonic() - began:5.1f} s  {values or record.problem}\n"
                )
                sys.stdout.flush()


def _one(bench: Bench, measure: Measure, contestant: Contestant, run: int) -> Record:
    try:
        result = measure.run(bench, contestant)
    except (Invalid, ServerFailed) as error:
        return Record(contestant.name, measure.name, run, {}, {}, str(error) or "failed")
    return Record(contestant.name, measure.name, run, result.values, result.raw)


def _write_raw(report: Report) -> Path:
    _RESULTS.mkdir(exist_ok=True)
    path = _RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%S')}.json"
    path.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    return path


def _panels(report: Report, chosen: list[Measure], contestants: list[Contestant]) -> list[Panel]:
    panels: list[Panel] = []
    rows = [row for measure in chosen for row in measure.rows if row.key in _DRAWN]
    for row in rows:
        values = [(contestant, report.median(contestant, row)) for contestant in contestants]
        bars = [
            (contestant.title.strip("¹").replace("`", ""), value, contestant.is_parley)
            for contestant, value in values
            if value is not None
        ]
        panels.append((f"{row.title.replace('`', '')}, {row.unit}", bars))
    return panels


def _raise_limit() -> None:
    """Ours is inherited by servers and load generator: they hold a socket for every client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each measure is taken")
    parser.add_argument("--short", action="store_true", help="small and quick, to try things out")
    parser.add_argument("--only", nargs="+", metavar="MEASURE", choices=_names(measures(SHORT)))
    parser.add_argument("--who", nargs="+", metavar="CONTESTANT", choices=_names(CONTESTANTS))
    parser.add_argument(
        "--no-write",
        dest="write",
        action="store_false",
        help="leave docs/performance.md and its picture as they are",
    )
    arguments = parser.parse_args()
    if arguments.runs < 1:
        parser.error("--runs begins at 1")
    # Half a table would pass for the whole one.
    if arguments.short or arguments.only or arguments.who:
        arguments.write = False
    return arguments


def _names(named: "tuple[Measure, ...] | tuple[Contestant, ...]") -> list[str]:
    return [one.name for one in named]


if __name__ == "__main__":
    main()
