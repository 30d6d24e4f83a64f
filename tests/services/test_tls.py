"""Stores that speak TLS: who is trusted, who we are, and which name is expected."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from application.settings import Settings
from application.stores import configured_store
from services.redis.endpoints import as_url
from services.redis.store import Store, StoreError
from tests.api.client import User, subscription
from tests.api.test_chat import EVENTS, following
from tests.servers import start_server
from tests.store_process import REDIS, StoreProcess
from tests.topologies.certificates import Authority, Files
from tests.topologies.node import HOST, tls_options
from tests.topologies.replicated import Replicated

Front = Callable[[Files], AbstractAsyncContextManager[str]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def front(authority: Authority) -> Front:
    """Puts TLS before a store that has none, as not every Valkey is built with it."""

    @asynccontextmanager
    async def open_front(files: Files) -> AsyncIterator[str]:
        process = StoreProcess()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(files.certificate, files.key)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            behind = await asyncio.open_connection(HOST, process.port)
            pumps = [pump(reader, behind[1]), pump(behind[0], writer)]
            await asyncio.gather(*pumps)

        async with await asyncio.start_server(serve, HOST, 0, ssl=context) as listener:
            _, port = listener.sockets[0].getsockname()
            yield f"rediss://{HOST}:{port}/0"
        process.close()

    return open_front


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def opened(url: str, **options: str) -> AsyncIterator[Store]:
    """The store at a URL with these options, or StoreError."""
    address = as_url(f"{url}?{urlencode(options)}" if options else url)
    async with configured_store(Settings.model_construct(redis_endpoint_url=address)) as store:
        await store.open()
        yield store


async def test_both_sides_show_who_they_are(authority: Authority, front: Front) -> None:
    ours = tls_options(authority, authority.issue("parley"))
    async with front(authority.issue("server", address=HOST)) as url:
        async with opened(url, **ours) as store:
            await store.call("SET", "kept", "x" * 100_000)
            assert len(await store.call("GET", "kept")) == 100_000
            # On a connection of the pool, too.
            assert await store.redis.get("kept")
        with pytest.raises(StoreError, match="Cannot use the Redis"):
            async with opened(url, ssl_ca_certs=ours["ssl_ca_certs"]):
                pass


async def test_a_server_process_chats(authority: Authority, front: Front) -> None:
    """It has another event loop than the tests."""
    ours = tls_options(authority, authority.issue("parley"))
    async with front(authority.issue("server", address=HOST)) as url:
        env = {"REDIS_ENDPOINT_URL": f"{url}?{urlencode(ours)}"}
        server = await asyncio.to_thread(start_server, env)
        pablo = await User(server.url).log_in("Pablo")
        async with pablo.socket() as socket:
            stream = socket.subscribe(subscription(EVENTS))
            await following(stream, "CaughtUp")
            await pablo.send("room:0", "x" * 1_000)
            await following(stream, "MessageAdded")
            await stream.aclose()
        await pablo.http.aclose()
        assert await asyncio.to_thread(server.stop) == 0


async def test_strangers_are_not_trusted(
    authority: Authority, front: Front, tmp_path: Path
) -> None:
    ours = tls_options(authority, authority.issue("parley"))
    other = Authority(tmp_path / "other", "Another authority")
    async with front(authority.issue("server", address=HOST)) as url:
        for trusted in ({}, {"ssl_ca_certs": str(other.file)}):
            theirs = {name: ours[name] for name in ("ssl_certfile", "ssl_keyfile")}
            with pytest.raises(StoreError, match="certificate verify failed"):
                async with opened(url, **theirs, **trusted):
                    pass


async def test_the_name_counts(authority: Authority, front: Front) -> None:
    ours = tls_options(authority, authority.issue("parley"))
    async with front(authority.issue("server", host="elsewhere.example")) as url:
        with pytest.raises(StoreError, match="not valid for"):
            async with opened(url, **ours):
                pass
        async with opened(url, **ours, ssl_check_hostname="false") as store:
            await store.call("PING")


def has_tls(binary: str | None) -> bool:
    """Whether it misses a certificate, and not the whole of TLS."""
    if binary is None:
        return False
    words = [binary, "--port", "0", "--tls-port", "1"]
    said = subprocess.run(words, capture_output=True, text=True).stdout
    return "No tls-cert-file configured" in said


@pytest.mark.skipif(not has_tls(REDIS), reason="needs a Redis with TLS")
async def test_sentinels_and_servers_with_tls(authority: Authority, tmp_path: Path) -> None:
    assert REDIS is not None
    replicated = Replicated(REDIS, tmp_path, password="secret", tls=authority)
    replicated.start()
    async with opened(replicated.url) as store:
        before = store.epoch
        await asyncio.to_thread(replicated.fail_over)
        async with asyncio.timeout(20):
            while store.epoch == before:
                await store.redis.get("a")
                await asyncio.sleep(0.05)
    replicated.close()
