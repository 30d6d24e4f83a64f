import pytest

from execution.encode import encode


def test_compact_utf8_in_one_line() -> None:
    assert encode({"data": {"text": "ü\n"}}) == '{"data":{"text":"ü\\n"}}'.encode()


def test_what_json_cannot_say() -> None:
    with pytest.raises(TypeError):
        encode({"data": object()})
