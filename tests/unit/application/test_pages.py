"""The pages for browsers, and what their headers forbid."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from application import playground
from application.pages import SafeHeaders, static_files, welcome
from application.playground import PlaygroundAssets, playground_page


def browser() -> httpx.AsyncClient:
    app = Starlette(
        routes=[
            Route("/", welcome),
            Route("/graphql", playground_page),
            Mount("/static", static_files()),
            Mount("/playground/assets", PlaygroundAssets()),
        ],
        middleware=[Middleware(SafeHeaders)],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parley")


async def test_the_welcome_page_tells_where_to_go() -> None:
    async with browser() as client:
        page = await client.get("/")
        style = await client.get("/static/welcome.css")
        missing = await client.get("/static/../web.py")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    for text in ("/graphql", "Pablo", "password123", "curl "):
        assert text in page.text
    assert "<script" not in page.text
    assert style.headers["content-type"].startswith("text/css")
    assert missing.status_code == 404
    for response in (page, style, missing):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


async def test_the_playground_and_its_assets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "main-4f5e.js").write_text("1")
    monkeypatch.setattr(playground, "_DIST", tmp_path)
    async with browser() as client:
        page = await client.get("/graphql")
        asset = await client.get("/playground/assets/main-4f5e.js")
        unchanged = await client.get(
            "/playground/assets/main-4f5e.js", headers={"if-none-match": asset.headers["etag"]}
        )
        missing = await client.get("/playground/assets/other.js")
    assert "worker-src 'self' blob:" in page.headers["content-security-policy"]
    assert page.headers["vary"] == "accept"
    assert page.headers["cache-control"] == "no-cache"
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in asset.headers["content-type"]
    assert unchanged.status_code == 304
    assert missing.status_code == 404
    assert "cache-control" not in missing.headers


async def test_without_a_build_the_page_tells_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(playground, "_DIST", tmp_path / "dist")
    async with browser() as client:
        for path in ("/graphql", "/playground/assets/main.js"):
            answer = await client.get(path)
            assert answer.status_code in (404, 503)
            assert answer.headers["content-type"].startswith("text/plain")
            assert "make playground" in answer.text
