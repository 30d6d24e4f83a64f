"""Tools of others: audits of the server, code generators, what clients do about hashes."""

import json
from pathlib import Path

import httpx

from tests.clients.conftest import Chat
from tests.clients.workshop import CLIENTS, furnish, run_node
from tests.servers import start_server


def test_every_audit_of_graphql_over_http_is_ok(chat: Chat) -> None:
    assert "audits are ok" in run_node("audits.mjs", url=chat.url)


def test_persisted_queries_and_batches(chat: Chat) -> None:
    assert "As expected." in run_node("hashes.mjs", url=chat.url)


def test_code_generator_and_trusted_documents(
    tmp_path: Path, chat: Chat, embedded_url: str
) -> None:
    furnish(tmp_path, CLIENTS / "operations.ts", CLIENTS / "codegen.mjs")
    run_node("codegen.mjs", f"{chat.url}/graphql", cwd=tmp_path)
    listed = tmp_path / "gql/persisted-documents.json"
    documents: dict[str, str] = json.loads(listed.read_bytes())
    assert len(documents) == 2
    types = (tmp_path / "gql/graphql.ts").read_text()
    assert all(name in types for name in documents)
    server = start_server({"REDIS_ENDPOINT_URL": embedded_url, "TRUSTED_DOCUMENTS": str(listed)})
    try:
        for name, text in documents.items():
            extensions = {"persistedQuery": {"version": 1, "sha256Hash": name}}
            for request in ({"extensions": extensions}, {"query": text}):
                response = httpx.post(
                    f"{server.url}/graphql", json=request, headers={"accept": "text/event-stream"}
                )
                assert "FORBIDDEN" not in response.text
        response = httpx.post(f"{server.url}/graphql", json={"query": "{ me { username } }"})
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    finally:
        server.stop()
