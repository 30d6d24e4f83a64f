"""Documents by their hash, instead of their text.

Apollo's protocol of persisted queries: a request has the extension
`{"persistedQuery": {"version": 1, "sha256Hash": "…"}}`, and its text only where it has to.
"""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from sys import getsizeof
from typing import Any, Protocol

from execution.errors import RequestError
from execution.request import PERSISTED_QUERY, GraphQLRequest

FORBIDDEN = "FORBIDDEN"
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"

_MAX_BYTES = 4 * 1024 * 1024

_PREFIX = "sha256:"
"""Some code generators write the algorithm in front of the hash."""


class Texts(Protocol):
    def of(self, request: GraphQLRequest) -> str:
        """The text of the document that a request asks for. Raises RequestError."""


class AutomaticTexts:
    """Learns each text that comes with its hash, and then knows it by the hash alone.

    The latest used ones are kept, up to `max_bytes` and in this process only: a client that hears
    PERSISTED_QUERY_NOT_FOUND sends the text along once more.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._texts: OrderedDict[str, str] = OrderedDict()

    def of(self, request: GraphQLRequest) -> str:
        """Raises RequestError: PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED for other
        versions of the protocol, BAD_USER_INPUT for a hash that is not the text's."""
        name = _hash(request)
        if name is None:
            return _given(request)
        if request.query is not None:
            if sha256(request.query.encode()).hexdigest() != name:
                raise RequestError.of("The 'sha256Hash' is not the hash of the query.")
            self._learn(name, request.query)
            return request.query
        text = self._texts.get(name)
        if text is None:
            raise RequestError.of("PersistedQueryNotFound", NOT_FOUND)
        self._texts.move_to_end(name)
        return text

    def _learn(self, name: str, text: str) -> None:
        if name in self._texts:
            self._texts.move_to_end(name)
        else:
            self._texts[name] = text
            self._bytes += getsizeof(text)
            while self._bytes > self._max_bytes:
                self._bytes -= getsizeof(self._texts.popitem(last=False)[1])


class TrustedTexts:
    """Knows the texts that it is given by their hash, or any other name, and no others."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._by_name = {name.removeprefix(_PREFIX): text for name, text in texts.items()}
        self._texts = frozenset(texts.values())

    def of(self, request: GraphQLRequest) -> str:
        """Raises RequestError (FORBIDDEN) for whatever is not among them."""
        name = _hash(request)
        text = request.query
        if text is None and name is not None:
            text = self._by_name.get(name.removeprefix(_PREFIX))
        if text is None or text not in self._texts:
            raise RequestError.of("This server only takes documents that it trusts.", FORBIDDEN)
        return text


def _hash(request: GraphQLRequest) -> str | None:
    if request.extensions is None:
        return None
    extension = request.extensions.get(PERSISTED_QUERY)
    if extension is None:
        return None
    if not isinstance(extension, dict):
        raise RequestError.of("The extension 'persistedQuery' must be an object.")
    return _hash_in(extension)


def _hash_in(extension: dict[str, Any]) -> str:
    version, name = extension.get("version"), extension.get("sha256Hash")
    if not isinstance(name, str):
        raise RequestError.of("The extension 'persistedQuery' must have a 'sha256Hash'.")
    if version != 1:
        raise RequestError.of("PersistedQueryNotSupported", NOT_SUPPORTED)
    return name


def _given(request: GraphQLRequest) -> str:
    if request.query is None:
        raise RequestError.of("The parameter 'query' must be a string.")
    return request.query
