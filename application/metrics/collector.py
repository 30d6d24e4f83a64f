"""The metrics of this process, read from the plain numbers that its parts keep."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from application.logs import logged
from application.metrics.operations import OperationTallies
from application.transports.http import HTTPEndpoint
from application.transports.websocket import WebSocketEndpoint
from services.chat import Chat
from services.durations import Durations


def registry_of(
    chat: Chat,
    http: HTTPEndpoint,
    websocket: WebSocketEndpoint,
    operations: OperationTallies,
    loop_delays: Durations,
) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Collector(chat, http, websocket, operations, loop_delays))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class _Collector(Collector):
    def __init__(
        self,
        chat: Chat,
        http: HTTPEndpoint,
        websocket: WebSocketEndpoint,
        operations: OperationTallies,
        loop_delays: Durations,
    ) -> None:
        self._chat = chat
        self._http = http
        self._websocket = websocket
        self._operations = operations
        self._loop_delays = loop_delays

    def describe(self) -> list[Metric]:
        """Nothing: at registration there is nothing to collect yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._of_operations()
        yield from self._of_connections()
        yield from self._of_deliveries()
        yield from self._of_the_channel()
        yield from self._of_the_store()
        yield _gauge(
            "parley_logins_waiting",
            "Passwords that are being hashed or wait for it (at most LOGIN_QUEUE).",
            self._chat.passwords.waiting,
        )
        records = CounterMetricFamily(
            "parley_log_records",
            "Records in the log, by level. An unexpected error is one of level error.",
            labels=("level",),
        )
        for level, count in logged.items():
            records.add_metric((level,), count)
        yield records
        yield _histogram(
            "parley_event_loop_delay_seconds",
            "How late the event loop comes to what is due.",
            [((), self._loop_delays)],
        )

    def _of_operations(self) -> Iterator[Metric]:
        begun = CounterMetricFamily(
            "parley_operations",
            "Operations executed, and subscriptions opened, by type and name.",
            labels=("type", "name"),
        )
        errors = CounterMetricFamily(
            "parley_operation_errors",
            "Responses with errors, those to events included, by the code of the first error.",
            labels=("type", "name", "code"),
        )
        timed = []
        for type_, name, tally in self._operations:
            begun.add_metric((type_, name), tally.begun)
            for code, count in tally.errors.items():
                errors.add_metric((type_, name, code), count)
            if type_ != "subscription":
                timed.append(((type_, name), tally.durations))
        refused = CounterMetricFamily(
            "parley_requests_refused",
            "Requests that ask for nothing that can be executed, by the code of the error.",
            labels=("code",),
        )
        for code, count in self._operations.refused_requests.items():
            refused.add_metric((code,), count)
        yield begun
        yield errors
        yield _histogram(
            "parley_operation_duration_seconds",
            "How long queries and mutations take to be executed.",
            timed,
            labels=("type", "name"),
        )
        yield refused

    def _of_connections(self) -> Iterator[Metric]:
        open_ = GaugeMetricFamily(
            "parley_connections",
            "Open WebSockets and event streams, by transport.",
            labels=("transport",),
        )
        sockets = self._websocket.open
        open_.add_metric(("websocket",), len(sockets))
        for transport in ("sse", "multipart"):
            open_.add_metric((transport,), self._http.open_streams[transport])
        closed = CounterMetricFamily(
            "parley_sockets_closed",
            "WebSockets that have ended, by close code: 1013 for slow readers, 1006 for those who "
            "left.",
            labels=("code",),
        )
        for code, count in self._websocket.closed.items():
            closed.add_metric((str(code),), count)
        yield open_
        yield closed
        yield _gauge(
            "parley_socket_waiting_bytes",
            "What waits in the outboxes of WebSockets until their peers read.",
            sum(socket.waiting_bytes for socket in sockets),
        )

    def _of_deliveries(self) -> Iterator[Metric]:
        hub = self._chat.hub
        subscriptions = hub.subscriptions
        shared = sum(each.audience is not None for each in subscriptions)
        open_ = GaugeMetricFamily(
            "parley_subscriptions",
            "Open subscriptions: in an audience that shares what it is told, or alone, as those "
            "who catch up are.",
            labels=("state",),
        )
        open_.add_metric(("shared",), shared)
        open_.add_metric(("alone",), len(subscriptions) - shared)
        deliveries = hub.deliveries
        delivered = CounterMetricFamily(
            "parley_deliveries",
            "Events delivered to subscribers: in the words of an audience, or made for one alone.",
            labels=("state",),
        )
        delivered.add_metric(("shared",), deliveries.shared)
        delivered.add_metric(("alone",), deliveries.own)
        yield open_
        yield _gauge(
            "parley_audiences", "Groups of subscribers who select the same.", len(hub.audiences)
        )
        yield _gauge(
            "parley_subscription_waiting_bytes",
            "What waits for subscribers who are told alone.",
            sum(each.waiting_bytes for each in subscriptions),
        )
        yield delivered
        yield CounterMetricFamily(
            "parley_subscribers_behind",
            "How often a subscriber left its audience to read on from the log, mostly because its "
            "socket was full.",
            deliveries.left,
        )
        yield _histogram(
            "parley_delivery_delay_seconds",
            "From a ring on the channel of the log until what rang is with the sockets.",
            [((), deliveries.delays)],
        )

    def _of_the_channel(self) -> Iterator[Metric]:
        hub = self._chat.hub
        yield _gauge(
            "parley_channel_connected",
            "Whether the channels of the store are heard: 1 or 0.",
            int(hub.is_connected),
        )
        yield CounterMetricFamily(
            "parley_channel_connections",
            "Connections to the channels made so far.",
            hub.connections,
        )
        yield CounterMetricFamily(
            "parley_channel_messages",
            "Messages heard on the channels, whether anybody here follows their rooms or not.",
            hub.received,
        )
        yield _gauge(
            "parley_channel_lag_seconds",
            "For how long that waits which rang first and is not delivered; 0 for nothing.",
            hub.deliveries.lag,
        )
        yield _gauge(
            "parley_channel_waiting",
            "Messages of the channels that are heard and not worked off.",
            hub.unread,
        )
        yield CounterMetricFamily(
            "parley_catch_ups",
            "How often the logs were searched because something may have been missed.",
            hub.deliveries.catch_ups,
        )

    def _of_the_store(self) -> Iterator[Metric]:
        store = self._chat.store
        yield _histogram(
            "parley_store_call_duration_seconds",
            "How long the store takes to answer, waiting and retries included.",
            [((), store.durations)],
        )
        yield CounterMetricFamily(
            "parley_store_failures",
            "Calls that ended with UNAVAILABLE.",
            store.failures,
        )
        yield CounterMetricFamily(
            "parley_store_connections",
            "Connections to the store made so far.",
            store.epochs.greeted,
        )


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value)


def _histogram(
    name: str,
    meaning: str,
    series: Sequence[tuple[Sequence[str], Durations]],
    labels: Sequence[str] = (),
) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, durations in series:
        names = [*(str(bound) for bound in durations.bounds), "+Inf"]
        family.add_metric(
            values, list(zip(names, durations.cumulated(), strict=True)), durations.total
        )
    return family
