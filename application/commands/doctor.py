"""`doctor`: say what is wrong."""

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from application.settings import Settings
    from services.checkup.finding import Finding
    from services.redis.sentinels import Place

_MARKS = {"ok": None, "warning": typer.colors.YELLOW, "wrong": typer.colors.RED}


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Say it in JSON, an object on each line.")
    ] = False,
) -> None:
    """Check settings, machine and store, and say what to do.

    Exit status 1 if something is wrong.
    """
    if not asyncio.run(_examine(as_json)):
        raise typer.Exit(1)


async def _examine(as_json: bool) -> bool:
    """Whether nothing is wrong."""
    is_well = True
    async with aclosing(_findings()) as findings:
        async for finding in findings:
            is_well = is_well and finding.level != "wrong"
            if as_json:
                typer.echo(json.dumps(finding._asdict(), ensure_ascii=False))
            else:
                level = typer.style(f"{finding.level:<8}", fg=_MARKS[finding.level])
                typer.echo(f"{level} {finding.subject:<9} {finding.text}")
    return is_well


async def _findings() -> "AsyncGenerator[Finding, None]":
    from application.checkup.machine import check_machine
    from application.checkup.settings import check_file, check_settings
    from application.settings import InvalidSettings
    from application.start import prepare
    from services.checkup.finding import wrong

    try:
        settings = prepare()
    except InvalidSettings as error:
        for found in check_file():
            yield found
        yield wrong("settings", str(error))
        return
    for found in (*check_settings(settings), *check_machine(settings)):
        yield found
    async with aclosing(_store(settings)) as findings:
        async for found in findings:
            yield found


async def _store(settings: "Settings") -> "AsyncGenerator[Finding, None]":
    from redis.exceptions import RedisError

    from application.checkup.accounts import check_accounts
    from application.commands.opened import chat_of
    from services.checkup.cluster import check_cluster, find_servers
    from services.checkup.finding import wrong
    from services.checkup.sentinels import check_sentinels
    from services.checkup.server import check_server
    from services.checkup.timing import check_timing
    from services.checkup.use import check_use
    from services.errors import OperatorError, Unavailable
    from services.redis.endpoints import Endpoint

    if settings.store_url is not None:
        endpoint = Endpoint.from_url(settings.store_url, settings.store_password)
        if endpoint.sentinels is not None:
            for found in await check_sentinels(endpoint.sentinels):
                yield found
            await endpoint.sentinels.close()
    try:
        async with chat_of(settings) as chat:
            # A replica, say, cannot be opened.
            primaries: list[Place | None] = [None]
            places = primaries
            if chat.store.is_cluster:
                servers = await find_servers(chat.store)
                primaries, places = [*servers.primaries], [*servers.all]
                for found in check_cluster(chat.store, servers):
                    yield found
            for place in primaries:
                for found in await check_server(chat.store, settings.durability, place):
                    yield found
            await chat.store.open()
            for found in (
                *await check_use(chat.store, chat.fleet, settings.channels, places),
                *await check_timing(chat.store, places),
                *await check_accounts(chat.users, settings),
            ):
                yield found
    except (OperatorError, Unavailable, RedisError) as error:
        yield wrong("store", " ".join(str(error).split()))
