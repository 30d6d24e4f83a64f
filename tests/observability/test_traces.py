"""Traces reach a collector and belong together; without being asked for they cost nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from websockets.asyncio.client import connect

from tests.api.client import Failed
from tests.observability.collector import Collector, collecting
from tests.observability.conftest import BROKEN_USER, Serve, Visit, listening, logged
from tests.servers import environment, launch

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


async def test_a_request_is_part_of_its_callers_trace(
    serve: Serve, visit: Visit, collector: Collector
) -> None:
    server = serve(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    pablo = await visit(server).log_in("Pablo")
    pablo.http.headers.update({"traceparent": TRACEPARENT, "x-request-id": "the-request"})
    await pablo.send("room:0", "an unlikely text")
    server.stop()
    ours = [span for span in collector.spans if span.trace_id == TRACE]
    [request] = [span for span in ours if span.parent_id == CALLER]
    assert (request.name, request.kind, request.service) == ("POST /graphql", "SERVER", "parley")
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["parley.request_id"] == "the-request"
    [operation] = [span for span in ours if span.parent_id == request.id]
    assert (operation.name, operation.kind) == ("mutation", "INTERNAL")
    assert operation.attributes == {"graphql.operation.type": "mutation"}
    calls = [span for span in ours if span.parent_id == operation.id]
    assert {span.kind for span in calls} == {"CLIENT"}
    assert any("send" in span.attributes["db.operation.name"] for span in calls)
    assert len(ours) == 2 + len(calls)
    assert not any(span.is_error for span in ours)


async def test_operations_of_a_socket_are_part_of_the_trace_of_its_handshake(
    serve: Serve, visit: Visit, collector: Collector
) -> None:
    server = serve(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_SERVICE_NAME="chat")
    async with connect(
        server.url.replace("http", "ws", 1) + "/graphql",
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers={"traceparent": TRACEPARENT},
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        for id_ in "12":
            payload = '{"query":"query Who { me { id } }"}'
            await socket.send(f'{{"id":"{id_}","type":"subscribe","payload":{payload}}}')
            await socket.recv()
            await socket.recv()
    server.stop()
    first, second = [span for span in collector.spans if span.parent_id == CALLER]
    assert first.trace_id == second.trace_id == TRACE
    assert (first.name, first.kind, first.service) == ("query", "SERVER", "chat")
    assert first.attributes["graphql.operation.name"] == "Who"


async def test_a_delivery_is_a_trace_of_its_own(
    serve: Serve, visit: Visit, collector: Collector
) -> None:
    server = serve(OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    pablo = await visit(server).log_in("Pablo")
    async with pablo.socket() as session, listening(session) as heard:
        await pablo.send("room:0", "a")
        await heard.get()
    server.stop()
    [delivery] = collector.named("deliver")
    assert (delivery.kind, delivery.parent_id) == ("CONSUMER", "")
    assert delivery.attributes == {"parley.deliveries": 1}
    [opened] = collector.named("subscription")
    assert opened.trace_id != delivery.trace_id


async def test_errors_have_their_code_and_nothing_secret_is_told(
    serve: Serve, visit: Visit, collector: Collector, break_a_user: Callable[[], None]
) -> None:
    server = serve(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, METRICS="0")
    pablo = await visit(server).log_in("Pablo")
    await pablo.send("room:0", "an unlikely text")
    with pytest.raises(Failed):
        await visit(server).log_in("Pablo", "an-unlikely-password")
    with pytest.raises(Failed):
        await pablo("query Coerced($id: ID!) { node(id: $id) { id } }", id={"unlikely": 1})
    break_a_user()
    with pytest.raises(Failed):
        await pablo(f"query Broken {BROKEN_USER}")
    server.stop()
    codes = {
        span.attributes.get("graphql.operation.name", ""): (
            span.attributes["error.type"],
            span.is_error,
        )
        for span in collector.spans
        if "error.type" in span.attributes
    }
    assert codes == {
        "": ("UNAUTHENTICATED", False),
        "Coerced": ("BAD_USER_INPUT", False),
        "Broken": ("INTERNAL_SERVER_ERROR", True),
    }
    for secret in ("unlikely", "password123", str(pablo.token).partition(".")[2]):
        assert secret.encode() not in collector.received
    [broken] = [span for span in collector.spans if span.is_error]
    [line] = [line for line in logged(server) if line["level"] == "error"]
    assert line["trace_id"] == broken.trace_id


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SERVICE_NAME": "chat"},
    ],
)
def test_without_being_asked_for_we_import_nothing_of_it(
    env: dict[str, str], embedded_url: str
) -> None:
    env = {"REDIS_ENDPOINT_URL": embedded_url, **env}
    # redis-py imports a part of it where it is installed.
    assert imported(_SERVING, env) == imported("import redis.asyncio", env)


_SERVING = """
import asyncio
from application.start import prepare
from application.web import create_app

async def serve():
    async with create_app(prepare())._serving():
        pass

asyncio.run(serve())
"""


def imported(program: str, env: dict[str, str]) -> set[str]:
    """Which modules of OpenTelemetry a program imports."""
    telling = "import sys; print(*(name for name in sys.modules if 'opentelemetry' in name))"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\n{telling}"],
        env=environment(env),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER: should be "),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL: should be "),
        ("OTEL_PROPAGATORS", "b4", "OpenTelemetry cannot use its variables: Propagator b4 "),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "few", "OpenTelemetry cannot use its variables: "),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    embedded_url: str, name: str, value: str, reason: str
) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", name: value}
    server = launch({"REDIS_ENDPOINT_URL": embedded_url, **env})
    assert server.wait() == 1
    [line] = server.output.splitlines()
    assert line.startswith(f"parley: {reason}")


async def test_a_collector_that_does_not_answer_keeps_no_server_from_stopping(
    serve: Serve, visit: Visit
) -> None:
    server = serve(OTEL_EXPORTER_OTLP_ENDPOINT="http://192.0.2.1:4318")
    await visit(server).log_in("Pablo")
    assert server.stop() == 0
