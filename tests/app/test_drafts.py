"""An order as it is sent: what is taken, what is refused and under which path, within the limits."""

import string
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.app.drafts import (
    MAX_ITEMS,
    ChangeDraft,
    Draft,
    change_of,
    convert,
    fingerprint,
    order_of,
    parse,
    terms_of,
)
from expediter.app.field_types import MAX_NAME
from expediter.app.ports import OrderSettings
from expediter.domain.errors import OrderInvalid
from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.order import LARGEST_QUANTITY, Item, Order
from tests.support.clock import NOON
from tests.support.values import ID, SETTINGS, an_order

PLAIN = {"user_id": "Burger_20", "restaurant_id": "Restaurant 4", "quantity": 3}
BASKET = {"user_id": "ann", "restaurant_id": "here", "items": [{"name": "Soup", "quantity": 2, "unit_price": 250}]}


def accepted(body: Any, settings: OrderSettings = SETTINGS) -> Order:
    return order_of(parse(msgspec.json.encode(body), Draft), ID, NOON, terms_of(settings))


def paths(body: Any) -> set[str]:
    """The paths of the faults of a body; both ways of parsing it find the same."""
    with pytest.raises(OrderInvalid) as refused:
        accepted(body)
    with pytest.raises(OrderInvalid) as converted:
        order_of(convert(body, Draft), ID, NOON, terms_of(SETTINGS))
    assert {fault.path for fault in converted.value.faults} == {fault.path for fault in refused.value.faults}
    return {fault.path for fault in refused.value.faults}


# ── what an order becomes ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_order_is_of_one_thing_at_the_default_price() -> None:
    order = accepted({**PLAIN, "name": "Burger", "quantity": "3"}, OrderSettings(default_price=7, currency="EUR"))

    assert order.items == (Item("Burger", 3, 7),)
    assert (order.name, order.currency, order.total, order.status) == ("Burger", "EUR", 21, "PENDING")
    assert (order.id, order.created_at, order.updated_at, order.version) == (ID, NOON, NOON, 0)


def test_an_order_without_a_name_is_of_an_item() -> None:
    assert accepted(PLAIN).items == (Item("item", 3, 1000),)


def test_a_basket_keeps_its_items_and_prices_those_without_a_price() -> None:
    order = accepted({**BASKET, "items": [*BASKET["items"], {"name": "Bread", "quantity": "1"}]})

    assert order.items == (Item("Soup", 2, 250), Item("Bread", 1, 1000))
    assert (order.name, order.total) == (None, 1500)


def test_a_thing_may_cost_nothing() -> None:
    assert accepted({**BASKET, "items": [{"name": "Water", "quantity": 1, "unit_price": 0}]}).total == 0


# ── what is refused, and where ────────────────────────────────────────────────────────────────────────────────────

LONG = "x" * (MAX_NAME + 1)
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quantity": 0}, "quantity"),
    ({"quantity": -1}, "quantity"),
    ({"quantity": "0"}, "quantity"),
    ({"quantity": "-3"}, "quantity"),
    ({"quantity": "3.0"}, "quantity"),
    ({"quantity": " 3"}, "quantity"),
    ({"quantity": "3\n"}, "quantity"),
    ({"quantity": "٣"}, "quantity"),
    ({"quantity": 3.5}, "quantity"),
    ({"quantity": True}, "quantity"),
    ({"quantity": None}, "quantity"),
    ({"quantity": "9" * 10_000}, "quantity"),
    ({"quantity": [3]}, "quantity"),
    ({"user_id": ""}, "user_id"),
    ({"user_id": 5}, "user_id"),
    ({"user_id": LONG}, "user_id"),
    ({"user_id": "a\x00b"}, "user_id"),
    ({"restaurant_id": "a\nb"}, "restaurant_id"),
    ({"restaurant_id": "a\n"}, "restaurant_id"),
    ({"restaurant_id": "a\x7f"}, "restaurant_id"),
    ({"name": ""}, "name"),
    ({"name": LONG}, "name"),
    ({"name": "\t"}, "name"),
    ({"currency": "usd"}, "currency"),
    ({"currency": "XXX"}, "currency"),
    ({"currency": "USD\n"}, "currency"),
    ({"email": "nobody"}, "email"),
    ({"email": "a@b\n"}, "email"),
    ({"email": "a@b, c@d"}, "email"),
    ({"email": "a@" + "b" * 254}, "email"),
    ({"items": []}, "items"),
    ({"items": [{"name": "a", "quantity": 1}]}, "items"),
]


@pytest.mark.parametrize(("wrong", "path"), REFUSED)
def test_a_wrong_value_is_refused_under_its_path(wrong: dict[str, Any], path: str) -> None:
    assert paths({**PLAIN, **wrong}) == {path}


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"name": "a"}, "items[1]"),
        ({"name": "a", "quantity": 0}, "items[1].quantity"),
        ({"name": "", "quantity": 1}, "items[1].name"),
        ({"name": "a", "quantity": 1, "unit_price": -1}, "items[1].unit_price"),
        ({"name": "a", "quantity": 1, "unit_price": 1.5}, "items[1].unit_price"),
        ({"name": "a", "quantity": 1, "unit_price": "5"}, "items[1].unit_price"),
        ({"name": "a", "quantity": 1, "colour": "red"}, "items[1]"),
        ("Soup", "items[1]"),
    ],
)
def test_a_wrong_item_is_refused_under_its_place(item: Any, path: str) -> None:
    assert paths({**BASKET, "items": [*BASKET["items"], item]}) == {path}


@pytest.mark.parametrize("field", ["user_id", "restaurant_id", "quantity"])
def test_what_is_missing_is_named(field: str) -> None:
    with pytest.raises(OrderInvalid, match=field):
        accepted({name: value for name, value in PLAIN.items() if name != field})


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(OrderInvalid, match="colour"):
        accepted({**PLAIN, "colour": "red"})


@pytest.mark.parametrize("both", [{"quantity": 1}, {"name": "Soup"}, {"name": "Soup", "quantity": 1}])
def test_items_beside_a_name_or_quantity_are_refused(both: dict[str, Any]) -> None:
    with pytest.raises(OrderInvalid, match="not both"):
        accepted({**BASKET, **both})


def test_all_faults_of_a_well_formed_order_are_reported_at_once() -> None:
    assert paths({**BASKET, "quantity": 1, "currency": "XXX"}) == {"items", "currency"}


@pytest.mark.parametrize("body", [b"", b"{", b"no JSON", msgspec.json.encode(PLAIN) + b"x"])
def test_what_is_no_json_is_told_from_what_is_no_order(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        parse(body, Draft)


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"'])
def test_json_that_is_no_object_is_no_order(body: bytes) -> None:
    with pytest.raises(OrderInvalid) as refused:
        parse(body, Draft)
    assert [fault.path for fault in refused.value.faults] == [""]


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 3), st.integers(0, LARGEST_TOTAL))
def test_a_total_is_taken_exactly_up_to_its_limit(quantity: int, price: int) -> None:
    body = {**BASKET, "items": [{"name": "a", "quantity": quantity, "unit_price": price}]}
    if quantity * price <= LARGEST_TOTAL:
        assert accepted(body).total == quantity * price
    else:
        assert paths(body) == {""}


def test_the_total_of_many_items_counts_together() -> None:
    half = {"name": "a", "quantity": 1, "unit_price": LARGEST_TOTAL // 2}
    assert accepted({**BASKET, "items": [half, half]}).total == LARGEST_TOTAL - 1
    assert paths({**BASKET, "items": [half, half, {"name": "b", "quantity": 1, "unit_price": 2}]}) == {""}


def test_the_quantities_of_many_items_count_together_though_they_cost_nothing() -> None:
    free = {"name": "a", "quantity": LARGEST_QUANTITY, "unit_price": 0}
    one = {"name": "b", "quantity": 1, "unit_price": 0}
    assert accepted({**BASKET, "items": [free]}).quantity == LARGEST_QUANTITY
    assert paths({**BASKET, "items": [free, one]}) == {"items"}
    with pytest.raises(OrderInvalid, match="the quantities add up to 2147483648, more than 2147483647"):
        accepted({**BASKET, "items": [free, one]})


@pytest.mark.parametrize(("count", "fits"), [(MAX_ITEMS, True), (MAX_ITEMS + 1, False)])
def test_a_basket_holds_a_hundred_items(count: int, fits: bool) -> None:
    body = {**BASKET, "items": [{"name": "a", "quantity": 1}] * count}
    if fits:
        assert len(accepted(body).items) == MAX_ITEMS
    else:
        assert paths(body) == {"items"}


NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=MAX_NAME - 1)


@given(NAMES)
def test_a_name_may_be_any_text_that_can_be_seen(name: str) -> None:
    assert accepted({**PLAIN, "name": f"x{name}"}).name == unicodedata.normalize("NFC", f"x{name}")


def test_a_name_is_measured_in_letters_not_in_bytes() -> None:
    assert accepted({**PLAIN, "name": "日" * MAX_NAME}).name == "日" * MAX_NAME


# ── sameness ──────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 999_999_999), st.text("0", max_size=5))
def test_digits_are_the_number_they_spell(number: int, zeros: str) -> None:
    one = convert({**PLAIN, "quantity": number}, Draft)
    other = convert({**PLAIN, "quantity": f"{zeros}{number}"}, Draft)

    assert fingerprint(one) == fingerprint(other)


def test_null_is_the_same_as_nothing_and_the_order_of_fields_does_not_matter() -> None:
    nothing = dict.fromkeys(("name", "items", "currency", "email"))
    one, other = convert(PLAIN, Draft), convert({**nothing, **dict(reversed(PLAIN.items()))}, Draft)

    assert fingerprint(one) == fingerprint(other)


DIFFERENT = [{"quantity": 4}, {"user_id": "x"}, {"name": "x"}, {"email": "a@b"}, {"currency": "EUR"}]


@pytest.mark.parametrize("other", DIFFERENT)
def test_any_other_field_makes_another_order(other: dict[str, Any]) -> None:
    assert fingerprint(convert({**PLAIN, **other}, Draft)) != fingerprint(convert(PLAIN, Draft))


def test_digits_and_numbers_in_items_are_the_same_and_their_sequence_counts() -> None:
    items = [{"name": "a", "quantity": 1}, {"name": "b", "quantity": 2}]
    numbers = convert({**BASKET, "items": items}, Draft)
    digits = convert({**BASKET, "items": [{**item, "quantity": str(item["quantity"])} for item in items]}, Draft)

    assert fingerprint(numbers) == fingerprint(digits)
    assert fingerprint(numbers) != fingerprint(convert({**BASKET, "items": items[::-1]}, Draft))


@given(st.binary(max_size=40) | st.text(string.printable, max_size=40).map(str.encode))
def test_no_bytes_at_all_bring_up_anything_but_a_refusal(body: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, OrderInvalid)):
        parse(body, Draft)


# ── changes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def asked(order: Order, **fields: Any) -> Any:
    return change_of(convert(fields, ChangeDraft), order, SETTINGS)


def test_a_quantity_keeps_the_price_and_a_name_the_quantity() -> None:
    order = an_order(items=(Item("Burger", 3, 700),))

    assert asked(order, quantity="5").items == (Item("Burger", 5, 700),)
    assert asked(order, name="Soup").items == (Item("Soup", 3, 700),)
    assert asked(order, name="Soup").name == "Soup"


def test_items_take_the_place_of_name_and_quantity() -> None:
    change = asked(an_order(), items=[{"name": "Soup", "quantity": 2}])

    assert (change.name, change.items) == (None, (Item("Soup", 2, 1000),))


def test_what_is_absent_stays_and_an_email_can_be_taken_away() -> None:
    assert asked(an_order()).email is msgspec.UNSET
    assert asked(an_order(), email=None).email is None


@pytest.mark.parametrize(
    "fields",
    [
        {"items": [{"name": "a", "quantity": 1}], "quantity": 1},
        {"items": [{"name": "a", "quantity": 1}], "name": "a"},
        {"user_id": "bob"},
        {"currency": "XXX"},
        {"quantity": LARGEST_TOTAL},
        {"items": [{"name": "a", "quantity": LARGEST_QUANTITY, "unit_price": 0}, {"name": "b", "quantity": 1}]},
        {"name": None},
    ],
)
def test_a_change_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(OrderInvalid):
        asked(an_order(), **fields)


def test_a_basket_is_changed_as_a_basket() -> None:
    basket = an_order(name=None, items=(Item("a", 1, 1), Item("b", 1, 1)))
    with pytest.raises(OrderInvalid, match="change them with items"):
        asked(basket, quantity=2)


def test_naming_the_same_user_changes_nothing() -> None:
    assert asked(an_order(), user_id="ann") == asked(an_order())


def test_an_item_keeps_its_price_when_a_change_gives_none() -> None:
    """The default price is another one since."""
    order = accepted({**BASKET, "items": [{"name": "Soup", "quantity": 1}, {"name": "Bread", "quantity": 1}]})
    later = msgspec.structs.replace(SETTINGS, default_price=2000)
    wanted = [
        {"name": "Soup", "quantity": 3},
        {"name": "Bread", "quantity": 1, "unit_price": 5},
        {"name": "Tea", "quantity": 1},
    ]

    items = change_of(convert({"items": wanted}, ChangeDraft), order, later).items
    assert items == (Item("Soup", 3, SETTINGS.default_price), Item("Bread", 1, 5), Item("Tea", 1, 2000))
