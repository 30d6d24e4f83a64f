"""Measuring a server, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from application.metrics.collector import registry_of
from application.metrics.loop_delay import loop_delays, watch_loop
from application.metrics.operations import OperationTallies
from application.metrics.serving import serving_metrics
from application.settings import MetricsPlace
from application.transports.http import HTTPEndpoint
from application.transports.websocket import WebSocketEndpoint
from services.chat import Chat
from services.tasks import stop


@asynccontextmanager
async def measured(
    place: MetricsPlace,
    chat: Chat,
    http: HTTPEndpoint,
    websocket: WebSocketEndpoint,
    operations: OperationTallies,
) -> AsyncIterator[CollectorRegistry]:
    """The metrics, served where they have a port of their own. Raises OperatorError."""
    delays = loop_delays()
    registry = registry_of(chat, http, websocket, operations, delays)
    watching = asyncio.create_task(watch_loop(delays), name="loop-watch")
    try:
        if isinstance(place, tuple):
            async with serving_metrics(registry, *place):
                yield registry
        else:
            yield registry
    finally:
        await stop(watching)
