"""The pages for browsers, and what their headers forbid."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from application.builds import Build
from application.pages import CLIENT_POLICY, PLAYGROUND_POLICY, SafeHeaders, pages

Addresses = tuple[list[str], str]
"""Where a build's page is, and where its files are."""

CLIENT: Addresses = (["/", "/r/room:0", "/r/room:1:2", "/settings"], "/assets")
PLAYGROUND: Addresses = (["/graphql"], "/playground/assets")
both = pytest.mark.parametrize("addresses", [CLIENT, PLAYGROUND], ids=["client", "playground"])


def browser(root: Path, marks: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    client = Build("client", CLIENT_POLICY, marks=marks, root=root)
    playground = Build("playground", PLAYGROUND_POLICY, root=root)
    app = Starlette(
        routes=[*pages(client, playground), Route("/graphql", playground.page)],
        middleware=[Middleware(SafeHeaders)],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://parley")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in ("client", "playground"):
        dist = tmp_path / name / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<!doctype html><head></head>")
        (dist / "icon.svg").write_text("<svg/>")
        (dist / "assets" / "main-4f5e.js").write_text("1")
    return tmp_path


@both
async def test_a_page_is_asked_for_anew_each_time(built: Path, addresses: Addresses) -> None:
    async with browser(built) as client:
        for address in addresses[0]:
            page = await client.get(address)
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers["vary"] == "accept"
            assert page.headers["x-content-type-options"] == "nosniff"
            assert page.headers["referrer-policy"] == "same-origin"


@both
async def test_files_are_kept_for_ever(built: Path, addresses: Addresses) -> None:
    _, folder = addresses
    async with browser(built) as client:
        file = await client.get(f"{folder}/main-4f5e.js")
        unchanged = await client.get(
            f"{folder}/main-4f5e.js", headers={"if-none-match": file.headers["etag"]}
        )
        missing = await client.get(f"{folder}/other.js")
        outside = await client.get(f"{folder}/../index.html")
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in file.headers["content-type"]
    assert unchanged.status_code == 304
    assert missing.status_code == 404
    assert "cache-control" not in missing.headers
    assert outside.status_code == 404


@both
async def test_what_the_pages_may_do(built: Path, addresses: Addresses) -> None:
    async with browser(built) as client:
        policy = (await client.get(addresses[0][0])).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "default-src 'self'" in policy
    assert ("unsafe-inline" in policy) == (addresses is PLAYGROUND)


async def test_the_head_tells_of_the_server(built: Path) -> None:
    async with browser(built) as client:
        assert (await client.get("/")).text == "<!doctype html><head></head>"
    async with browser(built, {"parley-demo": "false", "a": '"'}) as client:
        assert (await client.get("/")).text == (
            '<!doctype html><head><meta name="parley-demo" content="false">'
            '<meta name="a" content="&quot;"></head>'
        )


async def test_an_address_of_nothing_is_no_page(built: Path) -> None:
    async with browser(built) as client:
        assert (await client.get("/elsewhere")).status_code == 404


@both
async def test_without_a_build_the_page_tells_how_to_make_one(
    tmp_path: Path, addresses: Addresses
) -> None:
    page_addresses, folder = addresses
    async with browser(tmp_path) as client:
        for address in (*page_addresses, f"{folder}/main.js"):
            answer = await client.get(address)
            assert answer.status_code in (404, 503)
            assert answer.headers["content-type"].startswith("text/plain")
            assert "make client" in answer.text or "make playground" in answer.text
