"""What Vite has built: a page that is asked for anew each time, and files that are kept for ever.

The names of the files hold a hash of their content, so whoever has one never needs to ask again.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_ROOT = Path(__file__).parent.parent
_FOREVER = "public, max-age=31536000, immutable"


class Build:
    """The folder `<name>/dist`, which `make <name>` fills.

    `policy` is the Content-Security-Policy of its page, `marks` what its head tells the page of
    this server, by name.
    """

    def __init__(
        self,
        name: str,
        policy: str,
        *,
        marks: Mapping[str, str] | None = None,
        root: Path = _ROOT,
    ) -> None:
        self.dist = root / name / "dist"
        self._marks = "".join(
            f'<meta name="{escape(mark)}" content="{escape(content)}">'
            for mark, content in (marks or {}).items()
        )
        self._headers = {"content-security-policy": policy, "cache-control": "no-cache"}
        self._not_built = (
            f"This page is not built. Build it with\n\n    make {name}\n\n"
            "and load it again. The API works without it: send queries to /graphql by POST.\n"
        )

    async def page(self, request: Request) -> Response:
        """The document, the same for every address at which a browser asks for it."""
        path = self.dist / "index.html"
        if not path.is_file():
            return self.missing(503)
        page = path.read_text().replace("</head>", f"{self._marks}</head>", 1)
        # An address may answer programs with JSON, so caches must not mix the two up.
        return HTMLResponse(page, headers={**self._headers, "vary": "accept"})

    async def icon(self, request: Request) -> Response:
        path = self.dist / "icon.svg"
        return FileResponse(path) if path.is_file() else self.missing(503)

    def missing(self, status: int) -> Response:
        return PlainTextResponse(self._not_built, status, headers={"cache-control": "no-store"})


class Assets(StaticFiles):
    """The files of a build."""

    def __init__(self, build: Build) -> None:
        super().__init__(directory=build.dist / "assets", check_dir=False)
        self.build = build

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = _FOREVER
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.build.dist.is_dir():
            await super().__call__(scope, receive, send)
        else:
            await self.build.missing(404)(scope, receive, send)
