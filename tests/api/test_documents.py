"""Settings for what a request may be: batches, and documents that are trusted."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.servers import start_server

ME = "query Me { me { username } }"
EVENTS = "subscription Events { events { __typename } }"


@asynccontextmanager
async def serving(store_url: str, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    server = start_server({"REDIS_ENDPOINT_URL": store_url, **settings})
    try:
        async with httpx.AsyncClient(base_url=server.url) as client:
            yield client
    finally:
        server.stop()


async def test_only_trusted_documents(store_url: str, tmp_path: Path) -> None:
    documents = tmp_path / "persisted-documents.json"
    documents.write_text(json.dumps({"abc": ME, "def": EVENTS}))
    async with serving(store_url, TRUSTED_DOCUMENTS=str(documents)) as client:

        async def code_of(**request: object) -> str:
            response = await client.post("/graphql", json=request)
            [error] = response.json()["errors"]
            return str(error["extensions"]["code"])

        named = {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}
        for request in ({"query": ME}, {"extensions": named}, {"query": ME, "extensions": named}):
            response = await client.post("/graphql", json=request)
            assert response.json() == {"data": {"me": None}}
        assert await code_of(query="{ me { id } }") == "FORBIDDEN"
        assert await code_of(query="{ __schema { types { name } } }") == "FORBIDDEN"
        assert await code_of(query="{") == "FORBIDDEN"
        assert await code_of(query="{ me { id } }", extensions=named) == "FORBIDDEN"
        unknown = {"persistedQuery": {"version": 1, "sha256Hash": "abd"}}
        assert await code_of(extensions=unknown) == "FORBIDDEN"
        headers = {"accept": "text/event-stream"}
        response = await client.post("/graphql", json={"query": EVENTS}, headers=headers)
        assert "UNAUTHENTICATED" in response.text
        response = await client.post("/graphql", json={"query": EVENTS + " "}, headers=headers)
        assert "FORBIDDEN" in response.text


async def test_batches(store_url: str) -> None:
    async with serving(store_url, MAX_BATCH_SIZE="2") as client:
        batch = [{"query": ME}, {"query": "{ eventCursor }"}]
        response = await client.post("/graphql", json=batch)
        fine, failed = response.json()
        assert fine == {"data": {"me": None}}
        assert failed["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        response = await client.post("/graphql", json=[*batch, {"query": ME}])
        assert response.status_code == 400
