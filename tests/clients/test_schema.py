"""What tools say about schema.graphql, and what has changed in it since the last release."""

import json
from pathlib import Path

from tests.clients.workshop import SCHEMA, run_node
from tests.servers import ROOT

RELEASED = ROOT / "docs/releases/schema.graphql"
CHANGELOG = ROOT / "CHANGELOG.md"


def breaking_changes(before: Path, after: Path) -> dict[str, str]:
    """What breaks clients, by the path of what was changed."""
    changes = json.loads(run_node("changes.mjs", before, after))
    return {
        change["path"]: change["message"] for change in changes if change["level"] == "BREAKING"
    }


def test_the_schema_passes_the_rules_of_graphql_eslint() -> None:
    run_node("lint.mjs", SCHEMA)


def test_the_changelog_names_each_breaking_change() -> None:
    """Like `Query.users.first`, in the section of what is not released."""
    unreleased = CHANGELOG.read_text().split("\n## ")[1]
    assert unreleased.startswith("Unreleased")
    changes = breaking_changes(RELEASED, SCHEMA)
    unnamed = {path: text for path, text in changes.items() if f"`{path}`" not in unreleased}
    assert not unnamed


def test_a_breaking_change_is_found(tmp_path: Path) -> None:
    changed = tmp_path / "schema.graphql"
    text = SCHEMA.read_text()
    changed.write_text(
        text.replace("  eventCursor: String!\n", "  moment: String!\n").replace(
            "  replayed: Int!\n", "  replayed: Int\n"
        )
    )
    assert set(breaking_changes(SCHEMA, changed)) == {"Query.eventCursor", "CaughtUp.replayed"}
    assert not breaking_changes(SCHEMA, SCHEMA)
