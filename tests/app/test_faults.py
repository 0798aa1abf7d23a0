"""Whoever sends a body with several faults is told of all of them, each with its path."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.drafts import ChangeDraft, Draft, convert, parse
from expediter.app.faults import MOST
from expediter.domain.errors import OrderInvalid

#: A value for each field that its form does not allow.
BROKEN: dict[str, Any] = {
    "user_id": "",
    "restaurant_id": 4,
    "quantity": "many",
    "name": "two\nlines",
    "items": [],
    "currency": "dollars",
    "email": "nobody",
}
GOOD: dict[str, Any] = {"user_id": "ann", "restaurant_id": "here", "quantity": 3}


def told(body: bytes, form: Any = Draft) -> list[tuple[str, str]]:
    with pytest.raises(OrderInvalid) as refused:
        parse(body, form)
    return [(fault.path, fault.message) for fault in refused.value.faults]


def paths(value: Any, form: Any = Draft) -> list[str]:
    found = [path for path, _ in told(msgspec.json.encode(value), form)]
    with pytest.raises(OrderInvalid) as converted:
        convert(value, form)
    assert [fault.path for fault in converted.value.faults] == found
    return found


def test_every_wrong_field_is_told_in_the_order_of_the_form() -> None:
    assert paths(BROKEN) == [*Draft.__struct_fields__[:2], "quantity", "name", "items", "currency", "email"]


@given(st.sets(st.sampled_from(sorted(BROKEN)), min_size=1))
def test_no_fault_is_left_out_and_none_is_made_up(broken: set[str]) -> None:
    assert set(paths({**GOOD, **{name: BROKEN[name] for name in broken}})) == broken
    assert set(paths({name: BROKEN[name] for name in broken}, ChangeDraft)) == broken


def test_what_is_missing_and_what_is_unknown_are_told_beside_what_is_wrong() -> None:
    assert told(b'{"restaurant_id": "here", "quantity": 0, "size": 1, "hot": true}') == [
        ("", "Object missing required field `user_id`"),
        ("quantity", "Expected `int` >= 1"),
        ("", "Object contains unknown field `size`"),
        ("", "Object contains unknown field `hot`"),
    ]


def test_every_item_is_looked_at_and_every_field_of_it() -> None:
    items = [{"name": "Soup", "quantity": 2}, {"name": "", "quantity": 0}, {"quantity": 1, "unit_price": -1}, 7]
    assert paths({"user_id": "ann", "restaurant_id": "here", "items": items}) == [
        "items[1].name",
        "items[1].quantity",
        "items[2]",
        "items[2].unit_price",
        "items[3]",
    ]


def test_a_body_that_is_wrong_all_over_is_told_so_often_and_no_more() -> None:
    items = [{"name": ""}] * 100
    assert len(paths({**GOOD, "items": items})) == MOST


def test_a_body_that_is_no_object_or_no_json_behind_its_first_fault_is_told_of_that_one() -> None:
    assert told(b"[]") == [("", "Expected `object`, got `array`")]
    assert [path for path, _ in told(b'{"user_id": 1, "quantity": 0, ')] == ["user_id"]
