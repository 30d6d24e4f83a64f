"""The proxies, run with their examples in front of servers."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.ports import free_port
from tests.servers import ROOT, Server

DEPLOY = ROOT / "deploy"
SECONDS = 20

_UNPACKED = ROOT / "build/proxies/usr"


def installed(program: str) -> str:
    """The path of a program; the test is skipped where it is not installed (`make proxies`)."""
    # nginx is where only root looks.
    places = [os.environ["PATH"], "/usr/sbin", f"{_UNPACKED}/sbin", f"{_UNPACKED}/bin"]
    path = shutil.which(program, path=os.pathsep.join(places))
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


@contextmanager
def nginx(folder: Path, servers: Sequence[Server]) -> Iterator[str]:
    port = free_port()
    example = (DEPLOY / "nginx/parley.conf").read_text()
    (folder / "parley.conf").write_text(
        in_front_of(servers, example).replace("listen 80;", f"listen 127.0.0.1:{port};")
    )
    config = folder / "nginx.conf"
    config.write_text(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;"
        " events {} http { access_log off; client_body_temp_path body; proxy_temp_path proxy;"
        " fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;"
        f" include {folder}/parley.conf; }}"
    )
    command = [installed("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(config)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with running(command, folder, port) as url:
        yield url


@contextmanager
def caddy(folder: Path, servers: Sequence[Server]) -> Iterator[str]:
    port = free_port()
    config = folder / "Caddyfile"
    program = installed("caddy")
    example = (DEPLOY / "caddy/Caddyfile").read_text()
    if version_of(program) < (2, 6, 4):
        example = example.replace("request_buffers 1MiB", "buffer_requests")
    config.write_text(
        in_front_of(servers, example).replace("grace_period 5s", "grace_period 1s\n\tadmin off")
    )
    command = [program, "run", "--adapter", "caddyfile", "--config", str(config)]
    # Without a name to get a certificate for.
    with running(command, folder, port, PARLEY_SITE=f"http://127.0.0.1:{port}") as url:
        yield url


def version_of(program: str) -> tuple[int, ...]:
    told = subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout
    return tuple(int(part) for part in told.split()[0].removeprefix("v").split("."))


def in_front_of(servers: Sequence[Server], example: str) -> str:
    for number, server in enumerate(servers, 1):
        name = f"parley-{number}:8000"
        assert name in example
        example = example.replace(name, f"127.0.0.1:{urlsplit(server.url).port}")
    return example


@contextmanager
def running(command: list[str], folder: Path, port: int, **env: str) -> Iterator[str]:
    """A proxy, from when it listens."""
    env = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **env}
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + SECONDS
        while not is_listening(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(SECONDS)


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
