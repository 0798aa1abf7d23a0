"""A customer is told of every fault of a body, each with its path and in plain words."""

import re
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.drafts import ChangeDraft, Draft, convert, parse
from expediter.app.faults import MOST, explained
from expediter.app.intake import OrderDocument
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


def test_every_wrong_field_is_reported_in_the_order_of_the_form() -> None:
    assert paths(BROKEN) == [*Draft.__struct_fields__[:2], "quantity", "name", "items", "currency", "email"]


@given(st.sets(st.sampled_from(sorted(BROKEN)), min_size=1))
def test_no_fault_is_left_out_and_none_is_made_up(broken: set[str]) -> None:
    assert set(paths({**GOOD, **{name: BROKEN[name] for name in broken}})) == broken
    assert set(paths({name: BROKEN[name] for name in broken}, ChangeDraft)) == broken


def test_what_is_missing_and_what_is_unknown_are_told_beside_what_is_wrong() -> None:
    assert told(b'{"restaurant_id": "here", "quantity": 0, "size": 1, "hot": true}') == [
        ("", "the field user_id is missing"),
        ("quantity", "at least 1"),
        ("", "the field size is unknown"),
        ("", "the field hot is unknown"),
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


def test_a_body_with_very_many_faults_gets_a_limited_number_of_them() -> None:
    items = [{"name": ""}] * 100
    assert len(paths({**GOOD, "items": items})) == MOST


def test_a_body_that_is_no_object_or_no_json_after_its_first_fault_gets_that_fault() -> None:
    assert told(b"[]") == [("", "an object, not a list")]
    assert [path for path, _ in told(b'{"user_id": 1, "quantity": 0, ')] == ["user_id"]


# ── plain words ───────────────────────────────────────────────────────────────────────────────────────────────────

KINDS: list[tuple[str, Any, str]] = [
    ("user_id", 4, "text, not a whole number"),
    ("user_id", None, "text, not null"),
    ("user_id", "", "at least 1 character"),
    ("user_id", "a" * 201, "at most 200 characters"),
    ("user_id", "two\nlines", "text that can be seen, on one line from left to right"),
    ("quantity", 0, "at least 1"),
    ("quantity", 2**31, "at most 2147483647"),
    ("quantity", 2**70, "at most 2147483647"),
    ("quantity", 1.5, "a whole number or text or null, not a number with decimals"),
    ("quantity", True, "a whole number or text or null, not true or false"),
    ("quantity", "many", 'a whole number from 1, such as 3 or "3"'),
    ("quantity", "1" * 21, "at most 20 characters"),
    ("currency", "dollars", "an ISO 4217 code such as USD or EUR"),
    ("email", "nobody", "one e-mail address such as name@example.com"),
    ("items", {}, "a list or null, not an object"),
    ("items", [], "at least 1 entry"),
    ("items", [{"name": "a", "quantity": 1}] * 101, "at most 100 entries"),
]


@pytest.mark.parametrize(("field", "value", "message"), KINDS)
def test_a_fault_is_explained_in_plain_words(field: str, value: Any, message: str) -> None:
    assert told(msgspec.json.encode({**GOOD, field: value})) == [(field, message)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


class Others(msgspec.Struct, forbid_unknown_fields=True):
    """Kinds of fields that an order does not have."""

    flag: bool
    share: Annotated[float, msgspec.Meta(ge=0, le=1)]
    query: str | None
    variables: dict[str, Any] | None
    payload: Annotated[dict[str, int], msgspec.Meta(max_length=1)]


FORMS: list[type[msgspec.Struct]] = [Draft, ChangeDraft, OrderDocument, Others]
FIELDS = [(form, field.encode_name) for form in FORMS for field in msgspec.structs.fields(form)]


@given(st.sampled_from(FIELDS), JSON | st.lists(st.fixed_dictionaries({"name": JSON, "quantity": JSON}), min_size=1))
def test_no_kind_of_fault_names_a_type_of_python(field: tuple[type[msgspec.Struct], str], value: Any) -> None:
    form, name = field
    for given_ in ({name: value}, value):
        try:
            msgspec.json.decode(msgspec.json.encode(given_), type=form)
        except msgspec.ValidationError as error:
            message = explained(error).message
            assert message != "this value is not allowed"
            assert not re.search(r"`|Expected|regex|\b(str|int|float|bool|None|array)\b", message)
