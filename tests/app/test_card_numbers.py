"""Card numbers are found wherever they are written, and nothing else is taken for one."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.card_numbers import HIDDEN, MAYBE_CARD_NUMBER, holds_card_number, without_card_numbers
from expediter.app.drafts import ChangeDraft, Draft, change_of, convert, parse, read_new, terms_of, write
from expediter.domain.errors import OrderInvalid
from tests.support.values import SETTINGS, an_order

#: Numbers that providers publish for tests: of 13, 14, 15, 16 and 19 digits.
CARDS = ["4222222222222", "30569309025904", "378282246310005", "4242424242424242", "6205500000000000004"]
TERMS = terms_of(SETTINGS)
each_card = pytest.mark.parametrize("card", CARDS)


def draft(**fields: object) -> Draft:
    return convert({"user_id": "ann", "restaurant_id": "r", "quantity": 1, **fields}, Draft)


@each_card
def test_a_card_number_is_found_alone_in_groups_and_in_a_sentence(card: str) -> None:
    groups = " ".join(card[place : place + 4] for place in range(0, len(card), 4))
    for text in (card, groups, groups.replace(" ", "-"), f"take {card}, please", f"{card}@example.com"):
        assert holds_card_number(text)
        assert MAYBE_CARD_NUMBER(text.encode())
        assert card not in without_card_numbers(text).replace(" ", "").replace("-", "")
        assert HIDDEN in without_card_numbers(text)


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # its last digit is wrong
        "424242424242",  # 12 digits
        "42424242424242424242",  # 20 digits
        "pm_4242424242424242",
        "4242424242424242x",
        "4915112345679",  # a telephone number
        "Restaurant 4",
        "",
    ],
)
def test_what_is_none_is_taken_for_none(text: str) -> None:
    assert not holds_card_number(text)
    assert without_card_numbers(text) == text


@given(st.uuids())
def test_no_id_is_taken_for_a_card_number(id: uuid.UUID) -> None:
    assert not holds_card_number(str(id)) or id.hex.isdigit()


@given(st.text("0123456789 -", min_size=10, max_size=30))
def test_the_quick_look_misses_no_card_number(text: str) -> None:
    assert not holds_card_number(text) or MAYBE_CARD_NUMBER(text.encode())


@pytest.mark.parametrize("field", ["user_id", "restaurant_id", "name", "email"])
@each_card
def test_an_order_with_a_card_number_in_any_field_is_refused_and_does_not_repeat_it(field: str, card: str) -> None:
    text = f"{card}@example.com" if field == "email" else card
    with pytest.raises(OrderInvalid) as refused:
        write(draft(**{field: text}), "id", 1, TERMS)
    assert [fault.path for fault in refused.value.faults] == [field]
    assert card not in str(refused.value)


def test_a_card_number_in_the_name_of_an_item_is_refused() -> None:
    items = [{"name": "Tea", "quantity": 1}, {"name": CARDS[3], "quantity": 1}]
    with pytest.raises(OrderInvalid) as refused:
        write(draft(quantity=None, items=items), "id", 1, TERMS)
    assert [fault.path for fault in refused.value.faults] == ["items[1].name"]


@each_card
def test_a_payment_method_is_a_token_and_never_a_card_number(card: str) -> None:
    assert draft(payment_method="pm_card_visa").payment_method == "pm_card_visa"
    for text in (card, "", "pm card", "pm_ü", "4" * 30, "a" * 201):
        with pytest.raises(OrderInvalid) as refused:
            draft(payment_method=text)
        assert card not in str(refused.value)


def test_a_field_that_is_named_by_a_card_number_is_refused_without_it() -> None:
    with pytest.raises(OrderInvalid) as refused:
        parse(b'{"user_id": "ann", "restaurant_id": "r", "quantity": 1, "4242424242424242": 1}', Draft)
    assert "4242" not in str(refused.value)


def test_a_message_of_another_system_is_read_as_strictly() -> None:
    body = b'{"user_id": "ann", "restaurant_id": "r", "quantity": 1, "name": "\\u003424242424242 4242"}'
    with pytest.raises(OrderInvalid):
        read_new(body, "id", 1, TERMS)


def test_a_change_is_read_as_strictly() -> None:
    with pytest.raises(OrderInvalid) as refused:
        change_of(convert({"name": CARDS[3]}, ChangeDraft), an_order(), SETTINGS)
    assert [fault.path for fault in refused.value.faults] == ["name"]
