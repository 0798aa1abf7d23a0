"""Refunds in part, in both homes: given back once, never too much, and shown."""

from typing import Any

from tests.journeys.parity.houses import OPERATOR, House, new_id, until
from tests.journeys.parity.test_parity import DONE, place, scripted
from tests.support.patience import until as wait
from tests.support.town import Act
from tests.support.town import Town as Outside


def asked(house: House, order_id: str, amount: int, key: str) -> Any:
    body = {"amount": amount, "reason": "It was cold."}
    return house.clients(OPERATOR)[0].rest("POST", f"/orders/{order_id}/refunds", body, key)


def settled(house: House, order_id: str) -> list[tuple[int, str]]:
    """Waits until no refund of the order is pending; (amount, status) of each."""

    def found() -> list[tuple[int, str]] | None:
        house.settle()
        items = house.rest("GET", f"/orders/{order_id}/refunds").body["items"]
        rows = [(item["amount"], item["status"]) for item in items]
        return rows if rows and all(status != "pending" for _, status in rows) else None

    rows = wait(found, f"the refunds of {order_id} are done")
    assert rows
    return rows


def test_a_part_is_given_back_once_after_the_good_end(house: House, outside: Outside) -> None:
    order_id, key = place(house), new_id()
    until(house, order_id, "SUCCESS")
    first, again = asked(house, order_id, 1200, key), asked(house, order_id, 1200, key)
    assert (first.status, again.status, again.body["id"]) == (202, 202, first.body["id"])
    assert settled(house, order_id) == [(1200, "done")]
    assert house.ledger(order_id) == [*DONE, ("refund", 1200)]
    assert (outside.moves(order_id), outside.taken(order_id)) == (["charge", "refund"], 1800)
    assert house.rest("GET", f"/orders/{order_id}").body["order_status"] == "SUCCESS"


def test_another_amount_under_the_key_and_more_than_is_left_are_refused(house: House, outside: Outside) -> None:
    order_id, key = place(house), new_id()
    until(house, order_id, "SUCCESS")
    assert asked(house, order_id, 2000, key).status == 202
    assert settled(house, order_id) == [(2000, "done")]
    assert (asked(house, order_id, 900, key).error, asked(house, order_id, 1001, new_id()).status) == (
        "IdempotencyKeyReused",
        409,
    )
    assert outside.taken(order_id) == 1000


def test_a_refund_in_part_whose_answer_is_lost_is_made_once(house: House, outside: Outside) -> None:
    order_id = scripted(house, outside, refund=[Act.LOSE])
    until(house, order_id, "SUCCESS")
    assert asked(house, order_id, 500, new_id()).status == 202
    assert settled(house, order_id) == [(500, "done")]
    assert (outside.moves(order_id), outside.taken(order_id)) == (["charge", "refund"], 2500)
