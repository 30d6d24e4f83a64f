"""Known vulnerabilities of the dependencies: `make audit`.

Ends with 1 when there are any. What cannot be asked, because there is no network or nobody there
who knows, is skipped with a word.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TOOL = ROOT / "build" / "audit"


class Skipped(Exception):
    """Nobody could be asked; the message says why."""


def main() -> None:
    audits: dict[Path, Callable[[Path], list[str]]] = {
        **dict.fromkeys(sorted(ROOT.glob("requirements*.txt")), of_pip),
        **dict.fromkeys(sorted(ROOT.glob("*/package-lock.json")), of_npm),
        **dict.fromkeys(sorted(ROOT.glob("*/*/package-lock.json")), of_npm),
    }
    vulnerable = 0
    for path, audit in audits.items():
        try:
            found = audit(path)
            vulnerable += bool(found)
            outcome = ", ".join(found) or "no known vulnerabilities"
        except Skipped as skipped:
            outcome = f"skipped, {skipped}"
        sys.stdout.write(f"{path.relative_to(ROOT)}: {outcome}\n")
    sys.exit(vulnerable > 0)


def of_pip(requirements: Path) -> list[str]:
    pip_audit = TOOL / "bin" / "pip-audit"
    if not pip_audit.exists():
        _run(sys.executable, "-m", "venv", str(TOOL))
        if _run(str(TOOL / "bin" / "python"), "-m", "pip", "install", "pip-audit").returncode:
            raise Skipped("pip-audit cannot be installed")
    asked = ("-r", str(requirements), "--disable-pip", "--require-hashes", "-f", "json")
    dependencies = _answer(_run(str(pip_audit), *asked)).get("dependencies", [])
    if all("skip_reason" in dependency for dependency in dependencies):
        raise Skipped("nobody there knows of vulnerabilities of Python's packages")
    return [
        f"{dependency['name']} {dependency['version']} ({vulnerability['id']})"
        for dependency in dependencies
        for vulnerability in dependency.get("vulns", ())
    ]


def of_npm(lock: Path) -> list[str]:
    answer = _answer(_run("npm", "audit", "--package-lock-only", "--json", cwd=lock.parent))
    if "vulnerabilities" not in answer:
        raise Skipped("nobody there knows of vulnerabilities of npm's packages")
    return [f"{name} ({entry['severity']})" for name, entry in answer["vulnerabilities"].items()]


def _run(*command: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def _answer(run: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(run.stdout)
    except ValueError:
        raise Skipped("there is no network") from None
    return answer


if __name__ == "__main__":
    main()
