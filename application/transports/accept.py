"""The `Accept` header (RFC 9110, section 12.5.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_KEPT_LENGTH = 256


@dataclass(frozen=True, slots=True)
class _Range:
    main: str
    sub: str
    quality: float
    parameters: Mapping[str, str]
    position: int

    def specificity(self, media_type: str) -> int:
        """0 for a range without the media type, else more for narrower ones."""
        main, _, sub = media_type.partition("/")
        if self.main == "*":
            return 1
        if self.main != main:
            return 0
        if self.sub == "*":
            return 2
        return 3 if self.sub == sub else 0


class Accept:
    """What a client takes. Nearly all clients send one of a few headers: use `of`."""

    def __init__(self, header: str) -> None:
        items = enumerate(header.split(","))
        ranges = (_parse_range(item, position) for position, item in items)
        self._ranges = [range_ for range_ in ranges if range_ is not None]
        if not header.strip():
            self._ranges = [_Range("*", "*", 1.0, {}, 0)]
        self._best: dict[tuple[str, ...], str | None] = {}

    @classmethod
    def of(cls, header: str) -> "Accept":
        return _parsed(header) if len(header) <= _KEPT_LENGTH else cls(header)

    def best(self, offers: tuple[str, ...]) -> str | None:
        """The offer with the highest quality; None if no offer will do.

        Among equals the client's order counts, and for wildcards the order of the offers: urql
        appends `text/event-stream` to every request, after the JSON that it wants.
        """
        if offers not in self._best:
            self._best[offers] = self._find_best(offers)
        return self._best[offers]

    def _find_best(self, offers: tuple[str, ...]) -> str | None:
        ranked = [
            (range_.quality, -range_.position, -index, offer)
            for index, offer in enumerate(offers)
            if (range_ := self._matching(offer)) is not None and range_.quality > 0
        ]
        return max(ranked)[-1] if ranked else None

    def names(self, media_type: str, **parameters: str) -> bool:
        """Whether the client asks for just this, with these parameters, and not by a wildcard."""
        return any(
            range_.specificity(media_type) == 3
            and range_.quality > 0
            and parameters.items() <= range_.parameters.items()
            for range_ in self._ranges
        )

    def _matching(self, media_type: str) -> _Range | None:
        matching = [range_ for range_ in self._ranges if range_.specificity(media_type)]
        return max(matching, key=lambda range_: range_.specificity(media_type), default=None)


@lru_cache(maxsize=256)
def _parsed(header: str) -> Accept:
    return Accept(header)


def _parse_range(item: str, position: int) -> _Range | None:
    media_type, *rest = item.split(";")
    main, slash, sub = media_type.strip().lower().partition("/")
    if not (main and slash and sub):
        return None
    parameters = dict(map(_parse_parameter, rest))
    return _Range(main, sub, _quality(parameters), parameters, position)


def _parse_parameter(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return min(max(float(parameters.get("q", "1")), 0.0), 1.0)
    except ValueError:
        return 0.0
