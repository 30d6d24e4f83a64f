"""The playground as somebody uses it, in a real Chromium."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_PLAYGROUND = Path(__file__).parent.parent.parent / "playground"
_MADE = ("dist/index.html", "node_modules/playwright-core")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 120


def _chromium() -> str:
    for name in [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else _NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail(
        "There is no Chromium: `apt-get install chromium`, or set CHROMIUM to the path of one.",
        pytrace=False,
    )


@pytest.mark.browser
@pytest.mark.timeout(_SECONDS + 30)
def test_the_playground_works(server_url: str) -> None:
    chromium = _chromium()
    if not all((_PLAYGROUND / path).exists() for path in _MADE):
        pytest.fail("The playground is not built: `make playground`.", pytrace=False)
    try:
        run = subprocess.run(
            ["node", "e2e/playground.mjs"],
            cwd=_PLAYGROUND,
            env={**os.environ, "BASE_URL": server_url, "CHROMIUM": chromium},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as expired:
        pytest.fail(f"Still not done after {_SECONDS} s:\n{expired.output!r}", pytrace=False)
    assert run.returncode == 0, run.stdout
