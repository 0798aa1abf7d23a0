"""An order that costs nothing, function by function: no provider is asked, the ledger stays empty."""

from uuid import uuid4

from tests.aws.stage import Functions

SAVED_AND_PAID = ("InitializeOrder", "ProcessPayment")
COMPLETED = (*SAVED_AND_PAID, "SendOrderToRestaurant", "CompleteOrder")
FREE = [{"name": "water", "quantity": 1, "unit_price": 0}]


def test_an_order_that_costs_nothing_is_completed_while_no_provider_answers(functions: Functions) -> None:
    functions.settings(EXPEDITER_PAYMENTS="http://127.0.0.1:9")
    order_id = str(uuid4())
    for name in COMPLETED:
        functions.call(name, functions.order(order_id, items=FREE))

    assert functions.rest("GET", f"/orders/{order_id}")["body"]["order_status"] == "SUCCESS"
    assert functions.scan("ledger") == []


def test_an_order_that_costs_nothing_is_cancelled_at_once_and_no_refund_is_asked_for(functions: Functions) -> None:
    functions.settings(EXPEDITER_PAYMENTS="http://127.0.0.1:9")
    order_id = str(uuid4())
    for name in SAVED_AND_PAID:
        functions.call(name, functions.order(order_id, items=FREE))
    answer = functions.rest("POST", f"/orders/{order_id}/cancel")
    for name in ("SendOrderToRestaurant", "OweRefund", "RefundPayment", "CancelFailedOrder"):
        functions.call(name, functions.order(order_id, items=FREE))

    assert answer["body"]["order_status"] == "CANCELLED"
    assert (functions.scan("ledger"), len(functions.scan("mail"))) == ([], 1)
