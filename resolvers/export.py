"""`python -m resolvers.export` writes schema.graphql and docs/api.md anew."""

from pathlib import Path

from resolvers.reference import write_reference
from resolvers.root import build_schema

_ROOT = Path(__file__).parents[1]
SCHEMA_FILE = _ROOT / "schema.graphql"
REFERENCE_FILE = _ROOT / "docs/api.md"


def main() -> None:
    schema = build_schema()
    SCHEMA_FILE.write_text(f"{schema.as_str()}\n")
    REFERENCE_FILE.write_text(write_reference(schema._schema))


if __name__ == "__main__":
    main()
