"""Runs of the load generator."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.contestants import ROOT, Options
from bench.servers import Server

BINARY = ROOT / "build" / "bench-load"
_MUST_BE_ZERO = ("lost", "repeated", "disordered", "strayed", "failed", "closed")
_RUN_SECONDS = 300

Numbers = dict[str, float]


class Invalid(Exception):
    """A run that measures nothing, because the server did not do what it was asked."""


def start_load(server: Server, tokens: Path, options: Options) -> "subprocess.Popen[str]":
    named: Mapping[str, str] = {
        "port": str(server.port),
        "process": str(server.pid),
        "tokens": str(tokens),
        **options,
    }
    words = [word for name, value in named.items() for word in (f"--{name}", value)]
    return subprocess.Popen(
        [BINARY, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish_load(process: "subprocess.Popen[str]") -> Numbers:
    """What the run says; Invalid if anything was lost, repeated, disordered or refused."""
    try:
        output, errors = process.communicate(timeout=_RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise Invalid(f"no end after {_RUN_SECONDS} s") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        raise Invalid(errors.strip()[-600:])
    numbers: Numbers = json.loads(output)
    wrong = {name: numbers[name] for name in _MUST_BE_ZERO if numbers[name]}
    if wrong:
        raise Invalid(f"{wrong} {errors.strip()[-400:]}")
    return numbers


def load(server: Server, tokens: Path, options: Options) -> Numbers:
    return finish_load(start_load(server, tokens, options))
