"""One order system in two homes: the same journeys, the same orders, money, mails and errors at their end."""

from typing import Any

import pytest

from tests.aws.local.town import ANN
from tests.journeys.parity.houses import House, new_id, until
from tests.support.town import Act
from tests.support.town import Town as Outside

ORDER = {"user_id": ANN, "restaurant_id": "Restaurant 4", "quantity": 3, "email": "ann@example.com"}
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
DONE, GIVEN_BACK = [("charge", 3000)], [("charge", 3000), ("refund", 3000)]


def place(house: House, **fields: Any) -> str:
    order_id = new_id()
    house.post({**ORDER, **fields}, order_id)
    return order_id


def scripted(house: House, outside: Outside, call: str, *acts: Act) -> str:
    """Places an order whose bank (or kitchen) behaves like this."""
    order_id = new_id()
    party = outside.kitchen if call == "handover" else outside.bank
    party.script(call, *acts, order_id=order_id)
    house.post(ORDER, order_id)
    return order_id


def both(status: str) -> list[tuple[str, str]]:
    return [(status, "ann"), (status, "operators")]


def ends(house: House, outside: Outside, order_id: str, status: str, ledger: list[tuple[str, int]]) -> Any:
    order = until(house, order_id, *ENDED)
    assert (order["order_status"], house.ledger(order_id)) == (status, ledger)
    assert house.mails(order_id) == both(status)
    assert outside.taken(order_id) == sum(amount if kind == "charge" else -amount for kind, amount in ledger)
    return order


def test_an_order_by_rest(house: House, outside: Outside) -> None:
    order = ends(house, outside, place(house), "SUCCESS", DONE)
    shown = {
        name: order[name] for name in ("user_id", "restaurant_id", "name", "quantity", "items", "total", "currency")
    }
    assert shown == {
        "user_id": ANN,
        "restaurant_id": "Restaurant 4",
        "name": "item",
        "quantity": 3,
        "items": [{"name": "item", "quantity": 3, "unit_price": 1000}],
        "total": 3000,
        "currency": "USD",
    }


def test_an_order_by_graphql(house: House, outside: Outside) -> None:
    given = {"name": "Burger", "quantity": 3, "restaurantId": "Restaurant 4", "email": "ann@example.com", "userId": ANN}
    placed = house.graphql("postOrder", input=given)
    assert (placed["userId"], placed["orderStatus"], placed["total"]) == (ANN, "PENDING", 3000)
    ends(house, outside, placed["id"], "SUCCESS", DONE)


def test_a_declined_order(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, "charge", Act.REFUSE)
    assert ends(house, outside, order_id, "FAILED", [])["error_message"] == "The card was declined."


@pytest.mark.parametrize("act", [Act.LOSE, Act.DROP, Act.GARBLE, Act.FAIL])
def test_a_charge_whose_answer_is_lost_or_that_failed_is_made_once(house: House, outside: Outside, act: Act) -> None:
    order_id = scripted(house, outside, "charge", act)
    ends(house, outside, order_id, "SUCCESS", DONE)
    assert outside.moves(order_id) == ["charge"]


def test_a_bank_that_is_down_and_comes_back(house: House, outside: Outside) -> None:
    ends(house, outside, scripted(house, outside, "charge", *[Act.FAIL] * 3), "SUCCESS", DONE)


def test_a_restaurant_that_refuses(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, "handover", Act.REFUSE)
    assert ends(house, outside, order_id, "FAILED", GIVEN_BACK)["error_message"] == "The restaurant is closed."


def test_a_restaurant_that_is_down(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, "handover", *[Act.FAIL] * 9)
    order = ends(house, outside, order_id, "FAILED", GIVEN_BACK)
    assert order["error_message"] == "The restaurant could not be reached."
    assert "withdrawal" in outside.calls(order_id)


def test_a_restaurant_whose_answer_is_lost_after_it_took_the_order(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, "handover", Act.LOSE)
    ends(house, outside, order_id, "SUCCESS", DONE)
    assert order_id in outside.kitchen.cooking


def test_a_refund_that_is_down_for_a_while(house: House, outside: Outside) -> None:
    order_id = new_id()
    outside.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    outside.bank.script("refund", Act.FAIL, Act.LOSE, order_id=order_id)
    house.post(ORDER, order_id)
    until(house, order_id, "REFUND_PENDING")
    ends(house, outside, order_id, "FAILED", GIVEN_BACK)
    assert outside.moves(order_id) == ["charge", "refund"]


def test_a_cancel_in_the_hold_and_again(house: House, outside: Outside) -> None:
    order_id = place(house)
    until(house, order_id, "PAID")
    assert house.graphql("cancelOrder", id=order_id)["orderStatus"] == "REFUND_PENDING"
    assert house.rest("POST", f"/orders/{order_id}/cancel").status == 200
    order = ends(house, outside, order_id, "CANCELLED", GIVEN_BACK)
    assert order["error_message"] == "The customer cancelled the order."


def test_a_cancel_and_a_change_that_come_too_late(house: House, outside: Outside) -> None:
    order_id = place(house)
    ends(house, outside, order_id, "SUCCESS", DONE)
    late = house.rest("POST", f"/orders/{order_id}/cancel")
    assert (late.status, late.error) == (409, "OrderAlreadySent")
    late = house.rest("PUT", f"/orders/{order_id}", {"restaurant_id": "Elsewhere"})
    assert (late.status, late.error) == (409, "OrderAlreadySent")
    assert house.graphql("updateOrder", input={"id": order_id, "restaurantId": "Elsewhere"}) == "OrderAlreadySent"


def test_a_change_in_the_hold(house: House, outside: Outside) -> None:
    order_id = place(house)
    until(house, order_id, "PAID")
    assert house.rest("PUT", f"/orders/{order_id}", {"restaurant_id": "Elsewhere"}).status == 204
    frozen = house.rest("PUT", f"/orders/{order_id}", {"quantity": 4})
    assert (frozen.status, frozen.error) == (409, "OrderAlreadyCharged")
    assert ends(house, outside, order_id, "SUCCESS", DONE)["restaurant_id"] == "Elsewhere"


def test_a_delete_in_flight_cancels_and_one_of_an_ended_order_hides(house: House, outside: Outside) -> None:
    order_id = place(house)
    until(house, order_id, "PAID")
    assert house.rest("DELETE", f"/orders/{order_id}").status == 204
    ends(house, outside, order_id, "CANCELLED", GIVEN_BACK)
    assert house.graphql("deleteOrder", id=order_id) == order_id
    assert house.rest("GET", f"/orders/{order_id}").error == "OrderNotFound"
    assert house.ledger(order_id) == GIVEN_BACK


def test_the_same_order_twice_under_its_key_is_one(house: House, outside: Outside) -> None:
    order_id = place(house)
    house.post(ORDER, order_id)
    ends(house, outside, order_id, "SUCCESS", DONE)
    house.post(ORDER, order_id)
    assert outside.moves(order_id) == ["charge"]


def test_another_order_or_another_caller_under_a_key_is_refused(house: House, outside: Outside) -> None:
    order_id = place(house)
    given = {"name": "Burger", "quantity": 4, "restaurantId": "Restaurant 4", "userId": ANN}
    assert house.graphql("postOrder", input=given, idempotencyKey=order_id) == "IdempotencyKeyReused"
    same = {"name": "item", "quantity": 3, "restaurantId": "Restaurant 4", "userId": "Bob", "email": "ann@example.com"}
    assert house.graphql("postOrder", input=same, idempotencyKey=order_id) == "IdempotencyKeyReused"
    ends(house, outside, order_id, "SUCCESS", DONE)


def test_ten_orders_at_once_and_lists_of_them_in_pages(house: House, outside: Outside) -> None:
    restaurant = f"Restaurant-{new_id()}"
    ids = [place(house, restaurant_id=restaurant) for _ in range(10)]
    for order_id in ids:
        ends(house, outside, order_id, "SUCCESS", DONE)
    found, cursor = [], ""
    while cursor is not None:
        query = f"restaurant_id={restaurant}&order_status=SUCCESS&limit=4" + (f"&cursor={cursor}" if cursor else "")
        page = house.rest("GET", f"/orders?{query}").body
        found += [order["id"] for order in page["items"]]
        cursor = page["cursor"]
    assert found == ids[::-1]
