"""`loadtest`: see what a running server delivers."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from application.loadtest.run import Report


def loadtest(
    url: Annotated[
        str | None, typer.Option(help="The server; this machine's at PORT if not given.")
    ] = None,
    subscribers: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    rate: Annotated[float, typer.Option(min=0.1, max=1_000, help="Messages in a second.")] = 20,
    seconds: Annotated[float, typer.Option(min=0.1, max=3_600)] = 10,
    room: Annotated[
        list[str] | None, typer.Option(help="Where to talk, like room:0; may be given again.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="Who talks and listens; Pablo of the demo if not given.")
    ] = None,
) -> None:
    """Send messages to a running server, and count what comes.

    So many sockets follow them. The messages stay in the room. The password of --user is asked
    for, or read from standard input. Exit status 1 if anything is lost, comes twice or out of
    order.
    """
    from application.commands.passwords import read_password
    from application.loadtest.connection import Refused
    from application.loadtest.run import Plan, run
    from application.start import prepare
    from services.demo import PASSWORD, USERNAMES
    from services.errors import OperatorError

    settings = prepare()
    plan = Plan(
        url=url or f"http://localhost:{settings.port}",
        username=user or USERNAMES[0],
        password=read_password() if user else PASSWORD,
        room_ids=room or ["room:0"],
        subscribers=subscribers,
        rate=rate,
        seconds=seconds,
    )
    try:
        report = asyncio.run(run(plan))
    except Refused as refused:
        if user is None and refused.code == "UNAUTHENTICATED":
            raise OperatorError(
                f"{plan.username} of the demo cannot log in there: give --user."
            ) from None
        raise
    if not _say(report):
        raise typer.Exit(1)


def _say(report: "Report") -> bool:
    """Whether all is well."""
    count = report.count
    typer.echo(f"acknowledged  {report.acknowledged:,} messages")
    for code, times in report.refused.items():
        typer.echo(f"refused       {times:,} messages: {code}{_ADVICE.get(code, '')}")
    typer.echo(f"delivered     {report.deliveries:,} times")
    for name, found in (
        ("lost", count.lost),
        ("duplicated", count.duplicated),
        ("reordered", count.reordered),
        ("unfounded", count.unfounded),
    ):
        typer.echo(f"{name:<13} {len(found):,}")
    typer.echo(f"sending took  {_percentiles(report.sends)}")
    typer.echo(f"delivery took {_percentiles(report.delays)}")
    if wrong := str(count):
        typer.echo(wrong)
    return not wrong and not report.refused


_ADVICE = {"RATE_LIMITED": " (raise MESSAGES_PER_USER, or set RATE_LIMITS=off for the test)"}


def _percentiles(seconds: list[float]) -> str:
    if not seconds:
        return "–"
    ordered = sorted(seconds)
    parts = (("50", 0.5), ("95", 0.95), ("99", 0.99))
    found = [
        f"{name} %: {ordered[int(part * (len(ordered) - 1))] * 1000:.1f}" for name, part in parts
    ]
    return f"{', '.join(found)}, 100 %: {ordered[-1] * 1000:.1f} ms"
