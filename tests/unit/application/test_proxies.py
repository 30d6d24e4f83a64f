"""Clients behind proxies."""

from typing import Any

import pytest

from application.proxies import behind


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("203.0.113.1, 192.0.2.7", "192.0.2.7"),
        # What is no address counts as the proxy's: nobody is without one.
        ("unknown", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
async def test_who_is_behind_a_proxy(forwarded: str, client: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    scope = {
        "type": "http",
        "client": ("10.0.0.1", 1234),
        "scheme": "http",
        "headers": [(b"x-forwarded-for", forwarded.encode())],
    }
    nothing: Any = None
    await behind(["10.0.0.1"], app)(scope, nothing, nothing)
    assert seen == [client]
