"""Connections, to the letter of the GraphQL Cursor Connections Specification."""

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

import strawberry

from services.errors import BadUserInput

MAX_PAGE = 100
DEFAULT_PAGE = 50

T = TypeVar("T")


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


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The page's items with their cursors.")
    has_previous: strawberry.Private[bool]
    has_next: strawberry.Private[bool]

    @strawberry.field(description="Where the page stands in the list.")
    def page_info(self) -> PageInfo:
        edges = self.edges
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )

    @strawberry.field(description="The page's items.")
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]


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
