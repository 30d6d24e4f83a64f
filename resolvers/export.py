"""`python -m resolvers.export` writes schema.graphql anew."""

from pathlib import Path

from resolvers.root import build_schema

SCHEMA_FILE = Path(__file__).parents[1] / "schema.graphql"


def main() -> None:
    SCHEMA_FILE.write_text(f"{build_schema().as_str()}\n")


if __name__ == "__main__":
    main()
