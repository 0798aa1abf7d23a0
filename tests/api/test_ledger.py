"""An order's ledger over REST."""

from expediter.app.ports import Outcome
from expediter.domain.ledger import EntryKind, LedgerEntry
from tests.api.conftest import Api, header, shown

PLAIN = {"user_id": "u", "quantity": 1, "restaurant_id": "r"}


def test_the_ledger_holds_every_movement_of_an_order_s_money(api: Api) -> None:
    order_id = header(api.rest("postOrder", PLAIN), "Order-Id") or ""
    assert shown(api.rest("getLedger", id=order_id)) == {"items": []}
    entry = LedgerEntry(order_id, EntryKind.CHARGE, f"{order_id}/charge", 3000, "USD", 0, "ch_1")
    api.take_in()
    order = api.work().orders.find(order_id)
    assert order is not None
    api.work().orders.apply(order, Outcome(order, (entry,)))
    assert shown(api.rest("getLedger", id=order_id))["items"] == [
        {
            "order_id": order_id,
            "kind": "charge",
            "key": f"{order_id}/charge",
            "amount": 3000,
            "currency": "USD",
            "at": "1970-01-01T00:00:00.000Z",
            "reference": "ch_1",
        }
    ]
