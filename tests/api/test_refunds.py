"""Refunds in part over REST."""

from typing import Any

import msgspec
import pytest

from expediter.app.ports import Outcome
from expediter.domain.order import Effect, EffectKind, Order, Result, Status
from expediter.domain.refunds import Dispute
from tests.api.conftest import START, Api, header, shown
from tests.support.values import an_order

LINES: dict[str, Any] = {
    "user_id": "u",
    "restaurant_id": "r",
    "items": [{"name": "Burger", "quantity": 2, "unit_price": 900}, {"name": "Tea", "quantity": 1, "unit_price": 200}],
}


@pytest.fixture
def paid(api: Api) -> str:
    """An order of 20.00 USD that came to its good end."""
    order_id = header(api.rest("postOrder", LINES), "Order-Id") or ""
    api.take_in()
    order = api.work().orders.find(order_id)
    assert order is not None
    charged = {EffectKind.CHARGE: Effect(START, Result.DONE, "ch_1")}
    written(api, order, status=Status.SUCCESS, effects=charged)
    return order_id


def written(api: Api, order: Order, **fields: Any) -> None:

    after = msgspec.structs.replace(order, version=order.version + 1, **fields)
    api.work().orders.apply(order, Outcome(after))


def test_a_refund_is_asked_for_and_pending(api: Api, paid: str) -> None:
    answer = api.rest("refundOrder", {"amount": 500, "reason": "It was cold."}, id=paid, idempotency_key="r-1")

    assert answer.status == 202
    said = shown(answer)
    assert {**said, "id": "", "asked_at": ""} == {
        "id": "",
        "order_id": paid,
        "amount": 500,
        "currency": "USD",
        "status": "pending",
        "reason": "It was cold.",
        "error_message": None,
        "elsewhere": False,
        "reference": None,
        "asked_at": "",
    }
    assert shown(api.rest("listRefunds", id=paid)) == {"items": [said], "disputes": []}


def test_a_repeat_under_the_key_is_answered_as_the_first_and_another_request_is_refused(api: Api, paid: str) -> None:
    body = {"amount": 500, "reason": "It was cold."}
    first, again = [api.rest("refundOrder", body, id=paid, idempotency_key="r-1") for _ in range(2)]

    assert shown(first) == shown(again)
    assert (header(first, "Idempotent-Replayed"), header(again, "Idempotent-Replayed")) == (None, "true")
    other = api.rest("refundOrder", {**body, "amount": 501}, id=paid, idempotency_key="r-1")
    assert (other.status, shown(other)["error"]) == (422, "IdempotencyKeyReused")
    assert len(shown(api.rest("listRefunds", id=paid))["items"]) == 1


def test_items_are_given_back_at_their_price(api: Api, paid: str) -> None:
    items = [{"line": 1, "quantity": 1}, {"line": 2, "quantity": 1}]
    answer = api.rest("refundOrder", {"items": items, "reason": "Missing"}, id=paid, idempotency_key="r-1")

    assert shown(answer)["amount"] == 1100


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"reason": "x"}, "amount"),
        ({"amount": 1, "items": [{"line": 1, "quantity": 1}], "reason": "x"}, "amount"),
        ({"amount": 1}, ""),
        ({"amount": 0, "reason": "x"}, "amount"),
        ({"amount": 1.5, "reason": "x"}, "amount"),
        ({"amount": 1, "reason": "x", "currency": "EUR"}, ""),
        ({"amount": 1, "reason": "a\nb"}, "reason"),
        ({"amount": 1, "reason": "4242 4242 4242 4242"}, "reason"),
        ({"items": [], "reason": "x"}, "items"),
        ({"items": [{"line": 3, "quantity": 1}], "reason": "x"}, "items[0].line"),
        ({"items": [{"line": 1, "quantity": 3}], "reason": "x"}, "items[0].quantity"),
        ({"items": [{"line": 1, "quantity": 1}, {"line": 1, "quantity": 2}], "reason": "x"}, "items[1].quantity"),
    ],
)
def test_anything_else_is_refused_and_the_fault_is_named(api: Api, paid: str, body: object, path: str) -> None:
    refused = api.rest("refundOrder", body, id=paid, idempotency_key="r-1")

    assert (refused.status, shown(refused)["errors"][0]["path"]) == (422, path)
    assert b"4242" not in refused.body


def test_a_refund_needs_a_key(api: Api, paid: str) -> None:
    refused = api.rest("refundOrder", {"amount": 1, "reason": "x"}, id=paid)

    assert (refused.status, shown(refused)["errors"][0]["path"]) == (422, "Idempotency-Key")


def test_a_body_that_is_no_json_is_refused(api: Api, paid: str) -> None:
    for body in (b"{", b'{"amount": 1, "amount": 2, "reason": "x"}'):
        assert api.rest("refundOrder", body, id=paid, idempotency_key="r-1").status == 400


def test_never_more_than_was_captured_goes_back(api: Api, paid: str) -> None:
    api.rest("refundOrder", {"amount": 1500, "reason": "x"}, id=paid, idempotency_key="r-1")
    refused = api.rest("refundOrder", {"amount": 501, "reason": "x"}, id=paid, idempotency_key="r-2")

    assert (refused.status, shown(refused)["detail"]) == (409, "At most 5.00 USD can be given back.")


def test_what_a_dispute_took_cannot_be_given_back_and_is_shown(api: Api, paid: str) -> None:
    order = api.work().orders.find(paid)
    assert order is not None
    written(api, order, disputes=(Dispute("dp_1", 1800, START, "fraudulent", "needs_response", True),))

    (shown_dispute,) = shown(api.rest("listRefunds", id=paid))["disputes"]
    assert (shown_dispute["amount"], shown_dispute["withdrawn"]) == (1800, True)
    refused = api.rest("refundOrder", {"amount": 201, "reason": "x"}, id=paid, idempotency_key="r-1")

    assert (refused.status, shown(refused)["detail"]) == (409, "At most 2.00 USD can be given back.")


def test_an_order_that_is_not_charged_gives_nothing_back(api: Api) -> None:
    order_id = header(api.rest("postOrder", LINES), "Order-Id") or ""
    one = {"amount": 1, "reason": "x"}
    asked = [api.rest("refundOrder", one, id=it, idempotency_key="r-1") for it in (order_id, an_order().id)]

    assert [answer.status for answer in asked] == [409, 404]
