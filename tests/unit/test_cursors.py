import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import cursors
from services.errors import BadUserInput

scores = st.floats(allow_nan=False, allow_infinity=False)
positions = st.integers(0, (1 << 53) - 1)


@given(scores, positions)
def test_round_trip(score: float, position: int) -> None:
    text = cursors.encode(score, position, "0a1b2c3d")
    cursor = cursors.decode(text, "after")
    assert cursor == cursors.Cursor(score, position, "0a1b2c3d")
    assert math.copysign(1, cursor.score) == math.copysign(1, score)


@given(positions, st.integers(0, 1 << 40))
def test_doubt_is_kept_to_the_millisecond(position: int, doubt: int) -> None:
    text = cursors.doubtful(cursors.encode(1.5, position, "0a1b2c3d"), doubt)
    cursor = cursors.decode(text, "after")
    assert 0 <= cursor.doubt - doubt < 1_000
    assert (cursor.position, cursor.epoch) == (position, "0a1b2c3d")


@given(scores, scores, positions, positions)
def test_cursors_sort_as_the_history(a: float, b: float, p: int, q: int) -> None:
    if (a, p) < (b, q) and not (a == b == 0):
        assert cursors.encode(a, p, "00000000") < cursors.encode(b, q, "00000000")


@given(st.text() | st.text("0123456789abcdefABCDEF ", min_size=38, max_size=50))
def test_forged_cursors_are_bad_user_input(text: str) -> None:
    try:
        cursor = cursors.decode(text, "after")
    except BadUserInput as error:
        assert error.field == "after"
    else:
        made = cursors.encode(cursor.score, cursor.position, cursor.epoch)
        assert cursors.doubtful(made, cursor.doubt) == text


@pytest.mark.parametrize(
    "text", ["f" * 40, "fff0000000000000" + "0" * 24, "0007" + "f" * 12 + "0" * 24]
)
def test_absurd_numbers_are_bad_user_input(text: str) -> None:
    with pytest.raises(BadUserInput):
        cursors.decode(text, "before")
