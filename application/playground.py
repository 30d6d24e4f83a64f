"""The playground: GraphiQL, built into `playground/dist` and served from there, not from a CDN."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from application.pages import PAGE_HEADERS

_DIST = Path(__file__).parent.parent / "playground" / "dist"
_FOREVER = "public, max-age=31536000, immutable"
_NOT_BUILT = """\
The playground is not built. Build it with

    make playground

and load this page again. The API works without it: send queries to this address by POST.
"""


async def playground_page(request: Request) -> Response:
    """The page for a browser that opens the API's address."""
    page = _DIST / "index.html"
    if not page.is_file():
        return PlainTextResponse(_NOT_BUILT, 503, headers={"cache-control": "no-store"})
    # The same address answers programs with JSON, so caches must not mix the two up.
    return FileResponse(page, headers={**PAGE_HEADERS, "vary": "accept"})


class PlaygroundAssets(StaticFiles):
    """Files with a hash of their content in the name: whoever has one need never ask again."""

    def __init__(self) -> None:
        super().__init__(directory=_DIST / "assets", check_dir=False)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = _FOREVER
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _DIST.is_dir():
            await super().__call__(scope, receive, send)
        else:
            await PlainTextResponse(_NOT_BUILT, 404)(scope, receive, send)
