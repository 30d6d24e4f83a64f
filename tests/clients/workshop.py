"""Running programs of clients, with the packages of this folder."""

import re
import subprocess
from pathlib import Path

from tests.servers import ROOT, environment

CLIENTS = Path(__file__).parent
SCHEMA = ROOT / "schema.graphql"

_SECONDS = 60
_PROGRAM = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_DOCUMENTED_URL = "http://localhost:8000"


def run_node(program: str, *arguments: object, cwd: Path = CLIENTS, url: str = "") -> str:
    """What a program says, which has to end well."""
    ran = subprocess.run(
        ["node", program, *map(str, arguments)],
        cwd=cwd,
        env=environment({"BASE_URL": url}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def furnish(folder: Path, *files: Path) -> None:
    """Put copies of these files into a folder where Node finds the packages."""
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")


def documented(url: str, page: str = "docs/clients.md") -> dict[str, str]:
    """The programs of a page by their names, for the server at `url`."""
    text = (ROOT / page).read_text().replace(_DOCUMENTED_URL, url)
    # Of a socket, too.
    text = text.replace(_DOCUMENTED_URL.replace("http", "ws"), url.replace("http", "ws"))
    return dict(_PROGRAM.findall(text))
