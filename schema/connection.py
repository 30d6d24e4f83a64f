"""Connections, to the letter of the GraphQL Cursor Connections Specification."""

import base64
import binascii
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

import strawberry

from services.errors import BadUserInput

MAX_PAGE = 100
DEFAULT_PAGE = 50

T = TypeVar("T")
Record = TypeVar("Record")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow the page.")
    has_previous_page: bool = strawberry.field(description="Whether items precede the page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the page's first edge; null for an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the page's last edge; null for an empty page."
    )


@strawberry.type(description="An item of a list and its place in it.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The place of the item; opaque.")
    node: T = strawberry.field(description="The item.")


class Page(Generic[Record, T]):
    """Some records of a list; their nodes and cursors are made when a field asks for them."""

    def __init__(
        self,
        records: Sequence[Record],
        *,
        node: Callable[[Record], T],
        cursor: Callable[[Record], str],
        has_previous: bool,
        has_next: bool,
    ) -> None:
        self._records = records
        self._node = node
        self._cursor = cursor
        self._has_previous = has_previous
        self._has_next = has_next

    @cached_property
    def nodes(self) -> list[T]:
        return [self._node(record) for record in self._records]

    @cached_property
    def edges(self) -> list[Edge[T]]:
        pairs = zip(self._records, self.nodes, strict=True)
        return [Edge(cursor=self._cursor(record), node=node) for record, node in pairs]

    @property
    def info(self) -> PageInfo:
        records = self._records
        return PageInfo(
            has_next_page=self._has_next,
            has_previous_page=self._has_previous,
            start_cursor=self._cursor(records[0]) if records else None,
            end_cursor=self._cursor(records[-1]) if records else None,
        )


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    page: strawberry.Private[Page[Any, Any]]

    @strawberry.field(description="The page's items with their cursors.")
    def edges(self) -> list[Edge[T]]:
        return self.page.edges

    @strawberry.field(description="Where the page stands in the list.")
    def page_info(self) -> PageInfo:
        return self.page.info

    @strawberry.field(description="The page's items.")
    def nodes(self) -> list[T]:
        return self.page.nodes


def page_size(value: int | None, field: str = "first") -> int:
    """How many items are asked for, 50 by default. Raises BadUserInput outside of 1 to 100."""
    if value is None:
        return DEFAULT_PAGE
    if not 1 <= value <= MAX_PAGE:
        raise BadUserInput(f"`{field}` is from 1 to {MAX_PAGE}.", field)
    return value


@lru_cache(maxsize=10_000)
def encode_cursor(key: str) -> str:
    """The cursor of a list that is ordered by a key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def decode_cursor(cursor: str, is_key: Callable[[str], bool]) -> str:
    """The key behind a cursor. Raises BadUserInput for one that was never handed out."""
    try:
        key = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (ValueError, binascii.Error):
        key = ""
    if not is_key(key) or encode_cursor(key) != cursor:
        raise BadUserInput("This is not a cursor of this server.", "after")
    return key
