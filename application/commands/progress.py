"""How far a command has come, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[int, int], None]
"""How much is done, of how much; 0 when nobody knows."""

_STEP_PARTS = 500
"""Drawing takes longer than a line."""


@contextmanager
def bar(what: str) -> Iterator[Show]:
    """A progress bar on stderr where that is a terminal; else nothing."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        shown = 0

        def show(done: int, total: int) -> None:
            nonlocal shown
            if done - shown >= max(1, total // _STEP_PARTS):
                shown = done
                progress.update(task, completed=done, total=total or None)

        yield show
