"""The key of a request: any printable text, in quotes or not, once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.api.errors import RequestUnparsable
from expediter.api.keys import key_uuid, key_uuid_in_header
from expediter.app.idempotency import uuid_of
from expediter.domain.errors import OrderInvalid
from tests.api.conftest import Api, header, shown

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)
KEYS = PRINTABLE.filter(lambda text: text == text.strip(" "))
PLAIN = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}
UUID = "7c0f1a52-6a4e-4bb6-9d0b-3f7e1a2b4c5d"


def quoted(key: str) -> str:
    """A string of a structured field (RFC 8941, 3.3.3)."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@given(KEYS)
def test_any_printable_key_stands_for_the_same_uuid_whether_it_is_quoted_or_sent_twice(key: str) -> None:
    found = uuid_of(key)
    assert key_uuid_in_header(quoted(key)) == found
    assert key_uuid_in_header(f"{quoted(key)}, {quoted(key)}") == found
    assert key_uuid(quoted(key), "idempotencyKey") == found


@given(KEYS, KEYS)
def test_two_keys_stand_for_two_uuids_and_are_refused_together(one: str, other: str) -> None:
    assert (uuid_of(one) == uuid_of(other)) == (one == other or one.lower() == other.lower() == uuid_of(one))
    if uuid_of(one) != uuid_of(other):
        with pytest.raises(RequestUnparsable):
            key_uuid_in_header(f"{quoted(one)}, {quoted(other)}")


@pytest.mark.parametrize("key", ["my-cart-42", "till-4/10023", "a b", "\\", 'say "hi"', "x" * 255])
def test_a_key_without_a_comma_needs_no_quotes(key: str) -> None:
    assert key_uuid_in_header(key) == uuid_of(key)


@pytest.mark.parametrize("key", ["x" * 256, "caf\u00e9", "a\tb", "a\x7f", '" "', '" a"', "\x00"])
def test_a_key_that_is_too_long_or_not_printable_is_refused_with_its_place(key: str) -> None:
    with pytest.raises(OrderInvalid) as refused:
        key_uuid_in_header(key)
    assert [fault.path for fault in refused.value.faults] == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["", '""', ", ", '"", ""'])
def test_an_empty_key_is_none(key: str) -> None:
    assert key_uuid_in_header(key) is None


def test_a_uuid_is_the_same_key_in_capitals() -> None:
    assert key_uuid_in_header(f"{UUID}, {UUID.upper()}") == UUID


def test_a_comma_without_quotes_separates_two_keys() -> None:
    with pytest.raises(RequestUnparsable, match="a key with a comma in quotes"):
        key_uuid_in_header("a,b")
    assert key_uuid_in_header('"a,b"') == uuid_of("a,b")


def test_any_printable_key_stands_for_one_order_which_is_found_under_it(api: Api) -> None:
    first, again = [api.rest("postOrder", PLAIN, idempotency_key=key) for key in ("my-cart-42", '"my-cart-42"')]
    order_id = header(first, "Order-Id")
    assert (header(again, "Order-Id"), header(again, "Idempotent-Replayed")) == (order_id, "true")
    assert shown(api.rest("getOrder", id="my-cart-42"))["id"] == order_id
    assert api.rest("getOrder", id="My-Cart-42").status == 404
    other = api.rest("postOrder", {**PLAIN, "quantity": 9}, idempotency_key="my-cart-42")
    assert (other.status, shown(other)["error"]) == (422, "IdempotencyKeyReused")
