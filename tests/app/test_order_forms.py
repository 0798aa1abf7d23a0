"""An order takes several forms on its way: none of them leaves a field out."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from expediter.app.drafts import (
    AcceptedDraft,
    AcceptedItem,
    Draft,
    DraftItem,
    convert,
    draft_of,
    encode,
    fingerprint,
    order_of,
    read_accepted,
    terms_of,
)
from expediter.app.intake import document, from_document
from expediter.app.operator.export import ExportedOrder, decode
from expediter.app.operator.export import encode as export
from expediter.domain.order import Item, Order
from tests.support.clock import NOON
from tests.support.values import ID, SETTINGS, an_order

TERMS = terms_of(SETTINGS)

ITEM = Item("Burger", 3, 700)
#: Every field that an accepted order brings along, with another value than ORDER has.
OTHERS: dict[str, Any] = {
    "id": ID[:-1] + "3",
    "user_id": "bob",
    "restaurant_id": "Restaurant 5",
    "name": "Cheeseburger",
    "items": (ITEM, ITEM),
    "currency": "USD",
    "email": None,
    "created_at": NOON + 1,
    "payment_method": "pm_2",
    "metadata": {"table": "8"},
}
#: The fields that change only afterwards; ``updated_at`` begins as ``created_at``.
LATER = {
    "updated_at",
    "status",
    "error_message",
    "cancel_requested_at",
    "hold_closed_at",
    "deleted_at",
    "effects",
    "version",
    "awaited_payment",
    "refunds",
    "disputes",
}
ORDER = an_order(items=(ITEM,), currency="EUR", email="ann@example.com")
#: An order of several items has no name, and an order that is placed again keeps its prices by naming its items.
NAMELESS = msgspec.structs.replace(ORDER, name=None)


def other(field: str) -> Order:
    value = OTHERS[field]
    return msgspec.structs.replace(ORDER, **{field: value}, **({"updated_at": value} if field == "created_at" else {}))


def exported(order: Order) -> Order:
    return decode(export(ExportedOrder(order, (), ""))).order


def through_the_input(order: Order) -> Order:
    return from_document(msgspec.json.decode(msgspec.json.encode(document(order))))


def test_every_field_of_an_order_is_either_accepted_with_it_or_changes_later() -> None:
    assert {*OTHERS, *LATER} == set(Order.__struct_fields__)
    assert not LATER.intersection(OTHERS)


@pytest.mark.parametrize("form", [through_the_input, exported])
@pytest.mark.parametrize("field", OTHERS)
def test_an_order_is_the_same_after_it_was_in_another_form(field: str, form: Callable[[Order], Order]) -> None:
    assert form(ORDER) == ORDER
    assert form(other(field)) == other(field)


@pytest.mark.parametrize("field", sorted(LATER - {"updated_at"}))
def test_an_execution_begins_with_the_order_as_it_was_accepted(field: str) -> None:
    assert field not in document(ORDER)


@pytest.mark.parametrize("field", OTHERS.keys() - {"id", "created_at", "name"})
def test_an_order_that_is_placed_again_asks_for_all_that_the_first_one_asked_for(field: str) -> None:
    for order in (NAMELESS, msgspec.structs.replace(other(field), name=None)):
        assert order_of(draft_of(order), order.id, order.created_at, TERMS) == order


DRAFT = {
    "user_id": "ann",
    "restaurant_id": "Restaurant 4",
    "quantity": 3,
    "name": "Burger",
    "currency": "EUR",
    "email": "ann@example.com",
    "payment_method": "pm_1",
    "metadata": {"table": "7"},
}
ANOTHER: dict[str, Any] = {
    "user_id": "bob",
    "restaurant_id": "Restaurant 5",
    "quantity": 4,
    "name": "Cheeseburger",
    "currency": "USD",
    "email": "bob@example.com",
    "payment_method": "pm_2",
    "metadata": {"table": "8"},
}
ITEMS: dict[str, Any] = {"name": "Burger", "quantity": 3, "unit_price": 700}
ANOTHER_ITEM: dict[str, Any] = {"name": "Cheeseburger", "quantity": 4, "unit_price": 800}


def test_the_fields_of_a_draft_are_all_tried_below() -> None:
    assert {*ANOTHER, "items"} == set(Draft.__struct_fields__)
    assert set(ANOTHER_ITEM) == set(DraftItem.__struct_fields__)


def variants() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of drafts that differ in one field."""
    base = {name: value for name, value in DRAFT.items() if name not in {"quantity", "name"}}
    of_items = [
        ({**base, "items": [ITEMS]}, {**base, "items": [{**ITEMS, name: value}]})
        for name, value in ANOTHER_ITEM.items()
    ]
    return of_items + [(DRAFT, {**DRAFT, name: value}) for name, value in ANOTHER.items()]


@pytest.mark.parametrize(("one", "two"), variants())
def test_drafts_that_differ_in_a_field_are_different_orders_with_different_fingerprints(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    drafts = [convert(given, Draft) for given in (one, two)]
    read_back = [read_accepted(encode(draft), ID, NOON, TERMS) for draft in drafts]

    assert len({fingerprint(draft) for draft in drafts}) == 2
    assert read_back[0].order != read_back[1].order
    assert [asked.fingerprint for asked in read_back] == [fingerprint(draft) for draft in drafts]


def test_a_draft_that_was_accepted_has_the_fields_of_a_draft() -> None:
    assert AcceptedDraft.__struct_fields__ == Draft.__struct_fields__
    assert AcceptedItem.__struct_fields__ == DraftItem.__struct_fields__


@pytest.mark.parametrize("given", [one for pair in variants() for one in pair])
def test_a_draft_that_was_accepted_is_read_as_it_was_given(given: dict[str, Any]) -> None:
    draft = convert(given, Draft)

    order, print_of_it, _ = read_accepted(encode(draft), ID, NOON, TERMS)

    assert (order, print_of_it) == (order_of(draft, ID, NOON, TERMS), fingerprint(draft))
