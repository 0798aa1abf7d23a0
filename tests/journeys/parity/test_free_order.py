"""An order that costs nothing ends alike in both homes: no provider is asked for money, the ledger holds nothing."""

from tests.aws.local.town import ANN
from tests.journeys.parity.houses import House, new_id
from tests.journeys.parity.test_parity import ends
from tests.support.town import Act
from tests.support.town import Town as Outside

FREE = {
    "user_id": ANN,
    "restaurant_id": "Restaurant 4",
    "items": [{"name": "water", "quantity": 2, "unit_price": 0}],
    "email": "ann@example.com",
}


def test_it_is_handed_over_and_completed(house: House, outside: Outside) -> None:
    order_id = new_id()
    house.post(FREE, order_id)
    assert ends(house, outside, order_id, "SUCCESS", [])["total"] == 0
    assert outside.calls(order_id) == ["handover"]


def test_refused_by_the_restaurant_it_fails_and_no_refund_is_asked_for(house: House, outside: Outside) -> None:
    order_id = new_id()
    outside.kitchen.script("handover", Act.REFUSE, order_id=order_id)
    house.post(FREE, order_id)
    assert ends(house, outside, order_id, "FAILED", [])["error_message"] == "The restaurant is closed."
    assert not {"charge", "lookup", "refund"} & {*outside.calls(order_id)}
