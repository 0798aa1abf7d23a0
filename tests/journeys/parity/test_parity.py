"""One order system in two homes: the same journeys, the same orders, money, mails and errors at their end."""

from typing import Any

import pytest

from tests.journeys.parity.houses import ANN, House, died, letters, message, new_id, own, until, workflow
from tests.support.patience import until as wait
from tests.support.town import Act
from tests.support.town import Town as Outside

ORDER = {"user_id": ANN, "restaurant_id": "Restaurant 4", "name": "Burger", "quantity": 3, "email": "ann@example.com"}
#: The same order at the other API.
INPUT = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4", "userId": ANN, "email": "ann@example.com"}
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
DONE, GIVEN_BACK = [("charge", 3000)], [("charge", 3000), ("refund", 3000)]
OTHER = "b0000000-0000-4000-8000-000000000002"


def place(house: House, **fields: Any) -> str:
    return place_under(house, new_id(), **fields)


def place_under(house: House, key: str, **fields: Any) -> str:
    house.post({**ORDER, **fields}, key)
    return own(key)


def scripted(house: House, outside: Outside, **calls: list[Act]) -> str:
    """Places an order whose bank and kitchen behave like this: charge, lookup, refund, handover, withdrawal."""
    key = new_id()
    order_id = own(key)
    for call, acts in calls.items():
        provider = outside.kitchen if call in {"handover", "withdrawal"} else outside.bank
        provider.script(call, *acts, order_id=order_id)
    return place_under(house, key)


def both(status: str) -> list[tuple[str, str]]:
    return [(status, "ann"), (status, "operators")]


def ends(house: House, outside: Outside, order_id: str, status: str, ledger: list[tuple[str, int]]) -> Any:
    order = until(house, order_id, *ENDED)
    assert (order["order_status"], house.ledger(order_id)) == (status, ledger)
    assert house.mails(order_id) == both(status)
    assert outside.taken(order_id) == held(ledger)
    return order


# ── the way through ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_by_rest(house: House, outside: Outside) -> None:
    order = ends(house, outside, place(house), "SUCCESS", DONE)
    shown = {
        name: order[name] for name in ("user_id", "restaurant_id", "name", "quantity", "items", "total", "currency")
    }
    assert shown == {
        "user_id": ANN,
        "restaurant_id": "Restaurant 4",
        "name": "Burger",
        "quantity": 3,
        "items": [{"name": "Burger", "quantity": 3, "unit_price": 1000}],
        "total": 3000,
        "currency": "USD",
    }
    assert order.keys() == {*shown, "id", "order_status", "error_message", "created_at", "updated_at", "metadata"}


def test_an_order_by_graphql(house: House, outside: Outside) -> None:
    placed = house.graphql("Mutation.postOrder", input=INPUT)
    assert (placed["userId"], placed["orderStatus"], placed["total"]) == (ANN, "PENDING", 3000)
    ends(house, outside, placed["id"], "SUCCESS", DONE)
    found = house.graphql("Query.order", id=placed["id"])
    assert (found["id"], found["orderStatus"], found["total"]) == (placed["id"], "SUCCESS", 3000)


def test_ten_orders_at_once_and_lists_of_them_by_status_in_pages(house: House, outside: Outside) -> None:
    restaurant = f"Restaurant-{new_id()}"
    keys = [new_id() for _ in range(10)]
    ids = list(map(own, keys))
    house.post({**ORDER, "restaurant_id": restaurant}, *keys)
    for order_id in ids:
        ends(house, outside, order_id, "SUCCESS", DONE)
    found, sizes, cursor = [], [], ""
    while cursor is not None:
        query = f"restaurant_id={restaurant}&order_status=SUCCESS&limit=4" + (f"&cursor={cursor}" if cursor else "")
        page = house.rest("GET", f"/orders?{query}").body
        found += page["items"]
        sizes.append(len(page["items"]))
        cursor = page["cursor"]
    assert sizes == [4, 4, 2]
    assert {order["id"] for order in found} == set(ids)
    times = [order["created_at"] for order in found]
    assert times == sorted(times, reverse=True)
    assert house.rest("GET", f"/orders?restaurant_id={restaurant}&order_status=FAILED").body["items"] == []
    for wrong in ("limit=0", "order_status=paid", "cursor=x", "status=PAID"):
        assert house.rest("GET", f"/orders?{wrong}").body["detail"].startswith("The list cannot be given")


# ── the bank ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_declined_order(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, charge=[Act.REFUSE])
    assert ends(house, outside, order_id, "FAILED", [])["error_message"] == "The card was declined."
    assert outside.calls(order_id) == ["charge"]


@pytest.mark.parametrize("act", [Act.LOSE, Act.DROP, Act.GARBLE, Act.FAIL])
def test_a_charge_whose_answer_is_lost_or_that_failed_is_made_once(house: House, outside: Outside, act: Act) -> None:
    order_id = scripted(house, outside, charge=[act])
    ends(house, outside, order_id, "SUCCESS", DONE)
    assert outside.moves(order_id) == ["charge"]


@pytest.mark.parametrize(("act", "moves"), [(Act.LOSE, ["charge", "refund"]), (Act.FAIL, [])], ids=["taken", "not"])
def test_a_charge_whose_result_stays_unknown_is_given_back_whether_it_was_taken_or_not(
    house: House, outside: Outside, act: Act, moves: list[str]
) -> None:
    order_id = scripted(house, outside, charge=[act] * 9, lookup=[Act.FAIL] * 9)
    order = until(house, order_id, *ENDED)
    assert (order["order_status"], order["error_message"]) == ("FAILED", "The payment could not be confirmed.")
    assert outside.moves(order_id) == moves
    assert (outside.taken(order_id), held(house.ledger(order_id))) == (0, 0)
    assert house.mails(order_id) == both("FAILED")


@pytest.mark.parametrize(("paid", "status"), [(True, "SUCCESS"), (False, "FAILED")])
def test_a_payment_that_waits_for_its_customer_goes_on_when_he_comes_back(
    house: House, outside: Outside, paid: bool, status: str
) -> None:
    order_id = scripted(house, outside, charge=[Act.PEND])
    customer = house.customer(ANN)

    def shown() -> Any:
        return customer.rest("GET", f"/orders/{order_id}").body.get("payment")

    waits = wait(shown, f"{order_id} waits for its customer")
    assert waits["redirect_url"] == f"https://bank.example/{order_id}/charge"
    outside.bank.complete(order_id, paid=paid)
    assert house.rest("POST", f"/orders/{order_id}/payment").status == 200
    order = until(house, order_id, *ENDED)
    assert (order["order_status"], outside.moves(order_id)) == (status, ["charge"] if paid else [])
    assert held(house.ledger(order_id)) == outside.taken(order_id)


def test_a_bank_that_is_down_and_comes_back(house: House, outside: Outside) -> None:
    ends(house, outside, scripted(house, outside, charge=[Act.FAIL] * 3), "SUCCESS", DONE)


def test_a_refund_that_is_down_for_long_is_owed_meanwhile_and_made_once(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, handover=[Act.REFUSE], refund=[*[Act.FAIL] * 5, Act.LOSE])
    until(house, order_id, "REFUND_PENDING")
    assert (house.ledger(order_id), house.mails(order_id)) == (DONE, [])
    ends(house, outside, order_id, "FAILED", GIVEN_BACK)
    assert outside.moves(order_id) == ["charge", "refund"]
    assert outside.calls(order_id).count("refund") == 7


# ── the restaurant ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restaurant_that_refuses(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, handover=[Act.REFUSE])
    assert ends(house, outside, order_id, "FAILED", GIVEN_BACK)["error_message"] == "The restaurant is closed."


def test_a_restaurant_that_is_down(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, handover=[Act.FAIL] * 9)
    order = ends(house, outside, order_id, "FAILED", GIVEN_BACK)
    assert order["error_message"] == "The restaurant could not be reached."
    calls = outside.calls(order_id)
    assert (calls.count("handover"), calls.count("withdrawal")) == (6, 1)


def test_a_restaurant_that_times_out_after_it_took_the_order_which_is_too_late_to_cancel_change_or_delete(
    house: House, outside: Outside
) -> None:
    order_id = scripted(house, outside, handover=[Act.HANG])
    wait(lambda: "handover" in outside.calls(order_id), "the restaurant is asked")
    for answer in (
        house.rest("POST", f"/orders/{order_id}/cancel"),
        house.rest("PUT", f"/orders/{order_id}", {"restaurant_id": "Elsewhere"}),
        house.rest("DELETE", f"/orders/{order_id}"),
    ):
        assert (answer.status, answer.error) == (409, "OrderAlreadySent")
    change = {"id": order_id, "restaurantId": "Elsewhere"}
    assert house.graphql("Mutation.updateOrder", input=change) == "OrderAlreadySent"
    for field in ("Mutation.cancelOrder", "Mutation.deleteOrder"):
        assert house.graphql(field, id=order_id) == "OrderAlreadySent"
    ends(house, outside, order_id, "SUCCESS", DONE)
    assert order_id in outside.kitchen.cooking


# ── cancel, change, delete ────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancel_before_the_charge_charges_nothing(house: House, outside: Outside) -> None:
    key = new_id()
    order_id = own(key)
    with house.saved(ORDER, key) as (there, goes_on):
        cancelled = there.rest("POST", f"/orders/{order_id}/cancel")
        assert (cancelled.status, cancelled.body["order_status"]) == (200, "CANCELLED")
        goes_on()
        wait(lambda: there.mails(order_id), "its workflow has ended")
        order = ends(there, outside, order_id, "CANCELLED", [])
        assert order["error_message"] == "The customer cancelled the order."
    assert outside.calls(order_id) == []


def test_a_cancel_in_the_hold_and_again(house: House, outside: Outside) -> None:
    with house.patient() as there:
        order_id = place(there)
        until(there, order_id, "PAID")
        assert there.graphql("Mutation.cancelOrder", id=order_id)["orderStatus"] == "REFUND_PENDING"
        assert there.rest("POST", f"/orders/{order_id}/cancel").status == 200
        assert outside.moves(order_id) == ["charge"]
        order = ends(there, outside, order_id, "CANCELLED", GIVEN_BACK)
        assert order["error_message"] == "The customer cancelled the order."
        assert outside.calls(order_id).count("handover") == 0


def test_a_change_in_the_hold(house: House, outside: Outside) -> None:
    with house.patient() as there:
        order_id = place(there)
        until(there, order_id, "PAID")
        assert there.rest("PUT", f"/orders/{order_id}", {"restaurant_id": "Elsewhere"}).status == 204
        frozen = there.rest("PUT", f"/orders/{order_id}", {"quantity": 4})
        assert (frozen.status, frozen.error) == (409, "OrderAlreadyCharged")
        assert ends(there, outside, order_id, "SUCCESS", DONE)["restaurant_id"] == "Elsewhere"


def test_a_delete_in_flight_cancels_and_one_of_an_ended_order_hides(house: House, outside: Outside) -> None:
    with house.patient() as there:
        key = new_id()
        order_id = place_under(there, key)
        until(there, order_id, "PAID")
        assert there.rest("DELETE", f"/orders/{order_id}").status == 204
        ends(there, outside, order_id, "CANCELLED", GIVEN_BACK)
        assert there.graphql("Mutation.deleteOrder", id=order_id) == order_id
        assert there.rest("GET", f"/orders/{order_id}").error == "OrderNotFound"
        assert there.graphql("Query.order", id=order_id) is None
        assert there.ledger(order_id) == GIVEN_BACK
        there.post(ORDER, key)
        assert outside.moves(order_id) == ["charge", "refund"]


# ── an order that costs nothing: no provider is asked for money, the ledger holds nothing ────────────────────────


FREE = {
    **{name: ORDER[name] for name in ("user_id", "restaurant_id", "email")},
    "items": [{"name": "water", "quantity": 2, "unit_price": 0}],
}


def test_what_costs_nothing_is_handed_over_and_completed(house: House, outside: Outside) -> None:
    key = new_id()
    order_id = own(key)
    house.post(FREE, key)
    assert ends(house, outside, order_id, "SUCCESS", [])["total"] == 0
    assert outside.calls(order_id) == ["handover"]


def test_what_costs_nothing_and_is_refused_by_the_restaurant_fails_and_no_refund_is_asked_for(
    house: House, outside: Outside
) -> None:
    key = new_id()
    order_id = own(key)
    outside.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    house.post(FREE, key)
    assert ends(house, outside, order_id, "FAILED", [])["error_message"] == "The restaurant is closed."
    assert not {"charge", "lookup", "refund"} & {*outside.calls(order_id)}


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_order_twice_under_its_key_is_one(house: House, outside: Outside) -> None:
    key = new_id()
    order_id = place_under(house, key)
    house.post(ORDER, key)
    ends(house, outside, order_id, "SUCCESS", DONE)
    house.post(ORDER, key)
    assert house.graphql("Mutation.postOrder", input=INPUT, idempotencyKey=key)["id"] == order_id
    assert house.rest("GET", f"/orders/{key}").body["id"] == order_id
    assert outside.moves(order_id) == ["charge"]


def test_another_order_under_a_key_is_refused(house: House, outside: Outside) -> None:
    key = new_id()
    order_id = place_under(house, key)
    assert house.refused(key, {**ORDER, "quantity": 4}, {**ORDER, "user_id": OTHER}) == ["IdempotencyKeyReused"] * 2
    told = house.graphql("Mutation.postOrder", input={**INPUT, "quantity": 4}, idempotencyKey=key)
    told_bob = house.customer(OTHER).graphql("Mutation.postOrder", input=INPUT, idempotencyKey=key)
    assert (told, told_bob) == ("IdempotencyKeyReused", "OwnerRefused")
    ends(house, outside, order_id, "SUCCESS", DONE)


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_that_comes_twice_is_one_order(house: House, outside: Outside) -> None:
    twice = message(ORDER)
    with house.holding(twice, twice) as there:
        ends(there, outside, twice.order_id, "SUCCESS", DONE)
        assert outside.moves(twice.order_id) == ["charge"]
        assert letters(there, twice.order_id) == []


def test_a_poisoned_message_in_a_batch_of_five_dies_alone(house: House, outside: Outside) -> None:
    good = [message(ORDER) for _ in range(4)]
    poison = message("no order")
    with house.holding(*good[:2], poison, *good[2:]) as there:
        for one in good:
            ends(there, outside, one.order_id, "SUCCESS", DONE)
        (letter,) = died(there, poison.order_id)
        assert letter["reason"].startswith("OrderInvalid: ")
        assert (letter["body"], letter["receive_count"]) == ('"no order"', 3)
        assert there.rest("DELETE", f"/dlq/{letter['id']}").status == 204
        assert there.rest("GET", f"/dlq/{letter['id']}").error == "MessageNotFound"
        assert outside.calls(poison.order_id) == []


def test_a_dead_letter_that_is_redriven_becomes_its_order(house: House, outside: Outside) -> None:
    dead = message(ORDER)
    with house.holding(dead=(dead,)) as there:
        (letter,) = died(there, dead.order_id)
        assert there.rest("POST", f"/dlq/{letter['id']}/redrive").status == 204
        there.settle()
        ends(there, outside, dead.order_id, "SUCCESS", DONE)
        assert letters(there, dead.order_id) == []


def test_a_workflow_with_an_unknown_task_is_refused_before_any_order(house: House) -> None:
    other = workflow()
    other["States"]["InitializeOrder"]["Resource"] = "${ChargeTwice}"
    assert "ChargeTwice" in house.refuses(other)


# ── what journeys need ────────────────────────────────────────────────────────────────────────────────────────────


def held(ledger: list[tuple[str, int]]) -> int:
    return sum(amount if kind == "charge" else -amount for kind, amount in ledger)
