"""How names are written down, and which look the same."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.names import spellings, usable, written
from services.errors import BadUserInput


def look_alike(one: str, other: str) -> bool:
    return not set(spellings(one)).isdisjoint(spellings(other))


@given(st.text(max_size=300))
def test_what_is_kept_is_kept_as_it_is(text: str) -> None:
    with suppress(BadUserInput):
        name = usable(text)
        assert usable(name) == name
        assert 1 <= len(name) <= 32


@given(st.text(max_size=300))
def test_every_text_has_a_spelling(text: str) -> None:
    assert spellings(text)
    assert written(written(text)) == written(text)


@given(st.text(min_size=1, max_size=32))
def test_case_makes_no_other_name(text: str) -> None:
    with suppress(BadUserInput):
        name = usable(text)
        for variant in (name.upper(), name.lower(), name.title(), name.swapcase()):
            if variant.casefold() == name.casefold():
                assert look_alike(name, variant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pabio", "PABIO"),
        ("Pablo", "PabIo"),
        ("Mary", "rnary"),
        ("Zoé", "Zoe\u0301"),
        ("Scope", "Ѕсоре"),
        ("ΣΙΣΥΦΟΣ", "Σίσυφος".replace("ί", "ι")),
        ("Straße", "STRASSE"),
        ("a b", "a \u00a0b"),
    ],
)
def test_look_alikes(one: str, other: str) -> None:
    assert look_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Neil", "Nell"), ("Zoe", "Zoé"), ("Ann", "Anna"), ("user2", "user3"), ("李雷", "李霆")],
)
def test_different_names(one: str, other: str) -> None:
    assert not look_alike(one, other)
