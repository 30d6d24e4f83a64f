"""What the application answers when it fails itself."""

import httpx
import pytest

from application.settings import Settings
from application.web import create_app


async def test_what_nobody_foresaw(caplog: pytest.LogCaptureFixture) -> None:
    # Without its lifespan it has no chat to ask.
    app = httpx.ASGITransport(create_app(Settings()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=app, base_url="http://parley") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    [error] = answer.json()["errors"]
    assert error["message"] == "Internal server error."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    [record] = [record for record in caplog.records if record.exc_info]
    assert error["extensions"]["id"] in record.message
