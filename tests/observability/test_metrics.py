"""The metrics: they tell what happened, where the operator wants them, and are bounded."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable

import httpx
import pytest
import redis

from tests.api.client import Failed
from tests.api.readers import reading
from tests.observability.conftest import BROKEN_USER, LIVE, Serve, Visit, listening
from tests.observability.scraping import Scrape, families, metrics_url
from tests.servers import ROOT, launch


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)


async def test_operations_by_name_and_code(
    serve: Serve, visit: Visit, break_a_user: Callable[[], None]
) -> None:
    server = serve(METRICS="0")
    pablo = await visit(server).log_in("Pablo")
    await pablo("query Me { me { id } }")
    await pablo("query Me { me { id } }")
    break_a_user()
    with pytest.raises(Failed):
        await pablo(f"query Broken {BROKEN_USER}")
    with pytest.raises(Failed):
        await visit(server)("query Me { me { username } rooms { nodes { id } } }")
    with pytest.raises(Failed):
        await pablo("query Wrong { nothing }")
    with pytest.raises(Failed):
        await pablo("{")
    with pytest.raises(Failed):
        await pablo("query Ids($id: ID!) { node(id: $id) { id } }", id=None)
    scrape = Scrape(metrics_url(server))
    total, errors = "parley_operations_total", "parley_operation_errors_total"
    assert scrape(total, type="query", name="Me") == 3
    assert scrape(total, type="mutation", name="") == 1
    assert scrape(errors, name="Me", code="UNAUTHENTICATED") == 1
    assert scrape(errors, name="Broken", code="INTERNAL_SERVER_ERROR") == 1
    assert scrape(errors, name="Ids", code="BAD_USER_INPUT") == 1
    assert scrape(errors) == 3
    assert scrape("parley_log_records_total", level="error") == 1
    assert scrape("parley_log_records_total", level="warning") == 0
    assert scrape("parley_requests_refused_total", code="GRAPHQL_VALIDATION_FAILED") == 1
    assert scrape("parley_requests_refused_total", code="GRAPHQL_PARSE_FAILED") == 1
    seconds = "parley_operation_duration_seconds"
    assert scrape(f"{seconds}_count", name="Me") == 3
    assert scrape(f"{seconds}_bucket", name="Me", le="+Inf") == 3
    # bcrypt takes its time.
    assert scrape(f"{seconds}_bucket", type="mutation", le="0.0005") == 0
    assert scrape(f"{seconds}_sum", type="mutation") > 0.0005


async def test_names_are_bounded_and_the_clients_own_have_their_place(
    serve: Serve, visit: Visit
) -> None:
    server = serve(METRICS="0")
    nobody = visit(server)
    for number in range(60):
        await nobody(f"query Attack{number} {{ __typename }}")
    await nobody(f"query {'Long' * 100} {{ __typename }}")
    await nobody("query Attack3 { __typename }")
    scrape = Scrape(metrics_url(server))
    names = scrape.labels("parley_operations_total", "name")
    assert len(names) == 51
    assert scrape("parley_operations_total", name="Attack3") == 2
    assert scrape("parley_operations_total", name="(other)") == 11
    documents = (ROOT / "client/dist/documents.json").read_text()
    known = re.findall(r"(query|mutation|subscription) (\w+)", documents)
    [name] = {name for kind, name in known if name == "SendMessage"}
    with pytest.raises(Failed):
        await nobody(
            f'mutation {name} {{ sendMessage(input: {{roomId: "room:0", text: "a"}})'
            " { message { id } } }"
        )
    assert Scrape(metrics_url(server))("parley_operations_total", name=name) == 1


async def test_connections_subscriptions_and_deliveries(serve: Serve, visit: Visit) -> None:
    server = serve(METRICS="0")
    url = metrics_url(server)
    pablo = await visit(server).log_in("Pablo")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            session = await stack.enter_async_context(pablo.socket())
            await stack.enter_async_context(listening(session))
        stream = await stack.enter_async_context(
            pablo.http.stream(
                "GET",
                "/graphql",
                params={"query": LIVE},
                headers={**pablo.headers, "accept": "text/event-stream"},
            )
        )
        lines = stream.aiter_lines()
        await anext(lines)
        await until(lambda: Scrape(url)("parley_subscriptions", state="shared") == 4)
        scrape = Scrape(url)
        assert scrape("parley_connections", transport="websocket") == 3
        assert scrape("parley_connections", transport="sse") == 1
        assert scrape("parley_connections", transport="multipart") == 0
        assert scrape("parley_audiences") == 1
        assert scrape("parley_operations_total", type="subscription", name="Live") == 4
        delivered = scrape("parley_deliveries_total", state="shared")
        await pablo.send("room:0", "one")
        await pablo.send("room:0", "two")
        await until(lambda: Scrape(url)("parley_deliveries_total", state="shared") == delivered + 8)
        scrape = Scrape(url)
        assert scrape("parley_delivery_delay_seconds_count") >= 1
        assert scrape("parley_channel_lag_seconds") == 0
        assert scrape("parley_channel_connected") == 1
        assert scrape("parley_socket_waiting_bytes") == 0
    await until(lambda: Scrape(url)("parley_connections") == 0)
    scrape = Scrape(url)
    assert scrape("parley_subscriptions") == 0
    assert scrape("parley_sockets_closed_total", code="1006") == 3
    async with pablo.socket() as session, listening(session):
        await pablo("mutation { logout { user { id } } }")
        await until(lambda: Scrape(url)("parley_sockets_closed_total", code="4401") == 1)


async def test_what_is_replayed_counts_as_delivered_alone(serve: Serve, visit: Visit) -> None:
    server = serve(METRICS="0")
    pablo = await visit(server).log_in("Pablo")
    cursor = (await pablo("{ eventCursor }"))["eventCursor"]
    for text in "abc":
        await pablo.send("room:0", text)
    async with pablo.socket() as session:
        document = 'subscription { messageAdded(roomId: "room:0", after: "%s") { cursor } }'
        async with listening(session, document % cursor):
            await until(
                lambda: Scrape(metrics_url(server))("parley_deliveries_total", state="alone") == 3
            )


async def test_the_store(serve: Serve, visit: Visit, embedded_url: str) -> None:
    server = serve(METRICS="0")
    url = metrics_url(server)
    pablo = await visit(server).log_in("Pablo")
    before = Scrape(url)
    await pablo("{ me { id } }")
    after = Scrape(url)
    calls = "parley_store_call_duration_seconds_count"
    assert after(calls) > before(calls) > 0
    assert before("parley_store_call_duration_seconds_sum") > 0
    assert before("parley_store_failures_total") == 0
    assert before("parley_channel_connections_total") == 1
    with redis.Redis.from_url(embedded_url) as client:
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(Failed) as caught:
                await pablo.send("room:0", "no room")
        finally:
            client.config_set("maxmemory", 0)
        assert caught.value.codes == ["UNAVAILABLE"]
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: Scrape(url)("parley_channel_connections_total") == 2)
    scrape = Scrape(url)
    assert scrape("parley_store_failures_total") >= 1
    assert scrape("parley_store_connections_total") > before("parley_store_connections_total")
    await until(lambda: Scrape(url)("parley_catch_ups_total") > before("parley_catch_ups_total"))


async def test_what_waits_for_one_who_does_not_read(serve: Serve, visit: Visit) -> None:
    server = serve(METRICS="0")
    url = metrics_url(server)
    pablo = await visit(server).log_in("Pablo")
    async with reading(pablo):
        await until(lambda: Scrape(url)("parley_subscriptions", state="shared") == 1)
        text = "x" * 3_900
        while Scrape(url)("parley_subscribers_behind_total") == 0:
            await asyncio.gather(*(pablo.send("room:0", text) for _ in range(20)))
        assert Scrape(url)("parley_socket_waiting_bytes") > 100_000
        await until(lambda: Scrape(url)("parley_sockets_closed_total", code="1013") == 1)


def test_they_are_closed_unless_somebody_opens_them(serve: Serve) -> None:
    server = serve()
    assert httpx.get(f"{server.url}/metrics").status_code == 404
    assert "Metrics" not in server.output


def test_on_a_path_of_the_server(serve: Serve) -> None:
    server = serve(METRICS="/internal/metrics")
    url = f"{server.url}/internal/metrics"
    assert "parley_operations" in families(url)
    assert httpx.get(f"{server.url}/metrics").status_code == 404
    answer = httpx.get(url, headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert answer.headers["cache-control"] == "no-store"


def test_on_a_port_that_serves_nothing_else(serve: Serve) -> None:
    server = serve(METRICS="127.0.0.1:0")
    assert "parley_operations" in families(metrics_url(server))
    other = metrics_url(server).replace("/metrics", "/graphql")
    assert httpx.get(other).status_code == 404
    assert httpx.get(f"{server.url}/metrics").status_code == 404


def test_on_a_port_of_ipv6(serve: Serve) -> None:
    url = metrics_url(serve(METRICS="[::1]:0"))
    assert url.startswith("http://[::1]:")
    assert "parley_operations" in families(url)


def test_the_last_port_of_all_may_be_taken(embedded_url: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 65_535))
        taken.listen()
        server = launch({"REDIS_ENDPOINT_URL": embedded_url, "METRICS": "65535"})
        assert server.wait() == 1
    assert "Cannot serve the metrics on 127.0.0.1, port 65535: " in server.output
    assert "Traceback" not in server.output


def test_each_process_takes_the_next_port(serve: Serve) -> None:
    first = metrics_url(serve(METRICS="0"))
    port = re.findall(r"\d+", first)[-1]
    second = metrics_url(serve(METRICS=port))
    assert second != first
    assert int(re.findall(r"\d+", second)[-1]) > int(port)


def test_an_address_that_is_none_of_ours_is_told_in_one_line(embedded_url: str) -> None:
    server = launch({"REDIS_ENDPOINT_URL": embedded_url, "METRICS": "192.0.2.1:9464"})
    assert server.wait() == 1
    assert "Cannot serve the metrics on 192.0.2.1, port 9464: " in server.output
    assert "Traceback" not in server.output


def test_the_documentation_lists_every_metric(serve: Serve) -> None:
    found = families(metrics_url(serve(METRICS="0")))
    ours = {
        (name + ("_total" if family.type == "counter" else ""), family.type, family.documentation)
        for name, family in found.items()
        if name.startswith("parley_")
    }
    text = (ROOT / "docs/observability.md").read_text()
    listed = re.findall(r"^\| `(parley_\w+)`[^|]*\| (\w+) \| (.+) \|$", text, re.MULTILINE)
    assert set(listed) == ours
    assert len(listed) == len(ours)


def test_there_are_no_sockets_at_their_port(serve: Serve) -> None:
    url = metrics_url(serve(METRICS="0"))
    answer = httpx.get(url, headers={"connection": "Upgrade", "upgrade": "websocket"})
    assert answer.status_code == 200
