"""docs/bots.md does what it says, to the letter."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.clients.workshop import documented
from tests.examples.conftest import Chat, Owner
from tests.programs import running


async def test_from_nothing_to_a_bot(tmp_path: Path, chat: Chat, pablo: Owner) -> None:
    programs = documented(chat.url, "docs/bots.md")
    assert set(programs) == {"create.sh", "add.sh", "say.sh", "greeter.py"}

    def run(name: str, **env: str) -> Any:
        said = subprocess.run(
            ["bash", "-c", programs[name]],
            cwd=tmp_path,
            env={**os.environ, **env},
            capture_output=True,
            check=True,
        )
        return json.loads(said.stdout)["data"]

    created = (await asyncio.to_thread(run, "create.sh"))["createBot"]
    assert created["bot"] == {"id": "user:5"}
    assert await asyncio.to_thread(run, "add.sh") == {"addBotToRoom": {"room": {"name": "General"}}}
    env = {"PARLEY_TOKEN": created["token"]}
    await asyncio.to_thread(run, "say.sh", **env)
    assert await pablo.said("Echo") == ["The build is green"]
    (tmp_path / "greeter.py").write_text(programs["greeter.py"])
    async with running(tmp_path, sys.executable, "greeter.py", env=env):
        # Nothing tells when it has subscribed, and it is deaf before.
        async with asyncio.timeout(30):
            while "Hi Pablo" not in await pablo.said("Echo"):
                await pablo.send("room:0", "Hi bot")
                await asyncio.sleep(0.1)
