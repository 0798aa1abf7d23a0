"""JSON that two readers could read differently is refused, and told why."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.strict_json import decode, repeated_key

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_a_value_whose_keys_all_stand_once_is_read_as_it_is(value: Any) -> None:
    assert decode(json.dumps(value).encode(), object) == value


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":{"b":[{},{"c":1,"d":2,"c":3}]}}', "a.b[1].c"),
        (b'[[{"":1,"":2}]]', "[0][0]."),
        (b'{"a":1,"\\u0061":2}', "a"),
    ],
)
def test_a_key_that_is_given_twice_is_found_wherever_it_is(text: bytes, path: str) -> None:
    assert repeated_key(text) in {path, path.rstrip(".")}
    with pytest.raises(msgspec.DecodeError, match="is given twice"):
        decode(text, object)


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\uDC00abcdefgh"', b'{"a":"\\ud800\\u0041 more"}', b'{"\\udbff":1}'])
def test_half_a_character_is_refused_and_called_that(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError, match="half a character"):
        decode(text, object)


def test_a_whole_character_in_two_halves_is_taken() -> None:
    assert decode(b'"\\ud83d\\ude00"', object) == "\N{GRINNING FACE}"


def test_a_number_of_any_length_is_no_fault_of_the_keys() -> None:
    assert repeated_key(b'{"a":' + b"9" * 6_000 + b"}") is None
