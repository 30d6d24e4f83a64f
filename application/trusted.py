"""Trusted documents: the files that list them."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from graphql import GraphQLError, OperationDefinitionNode, parse

_OF_OUR_CLIENT = Path(__file__).parent.parent / "client/dist/documents.json"

_FORM = "a JSON file that maps hashes to documents, or a folder of such"


def read_documents(path: Path) -> dict[str, str]:
    """Documents by their hash, as code generators write them (`persistedDocuments`).

    Raises ValueError, which says what the setting should be.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise ValueError(f"should name {_FORM}; there is none in {path}")
    return {name: text for file in files for name, text in _documents_in(file).items()}


def client_documents() -> dict[str, str]:
    """Those of the web client; none if it is not built."""
    return read_documents(_OF_OUR_CLIENT) if _OF_OUR_CLIENT.exists() else {}


def operation_names(texts: Iterable[str]) -> Iterator[str]:
    """The names of the operations in documents; of what is no document, none."""
    for text in texts:
        with suppress(GraphQLError):
            for definition in parse(text, no_location=True).definitions:
                if isinstance(definition, OperationDefinitionNode) and definition.name:
                    yield definition.name.value


def _documents_in(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise ValueError(f"should name {_FORM}; {file}: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"should name {_FORM}; {file} is not JSON") from None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ValueError(f"should name {_FORM}; {file} is none")
    return found
