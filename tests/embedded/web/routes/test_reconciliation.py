"""GET /reconciliation: whether the money adds up, told to whom it concerns."""

import asyncio
from pathlib import Path

import pytest

from expediter.app.ports import Outcome, Work
from expediter.domain.errors import StoreUnavailable
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import Status
from expediter.embedded.operator.reconciler import Reconciler
from tests.console.shop import opened

pytestmark = pytest.mark.anyio


async def test_a_running_server_is_reconciled_and_an_order_that_does_not_add_up_is_named(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        one, two = [await shop.place() for _ in range(2)]
        for order_id in (one, two):
            await shop.until(order_id, Status.SUCCESS)
        sums = {"currency": "USD", "orders": 2, "charges": 6000, "refunds": 0, "disputed": 0}
        sums |= {"held": 6000, "expected": 6000}
        clean = {"clean": True, "currencies": [sums], "offenders": [], "offenders_count": 0}
        assert (await shop.client.get("/reconciliation")).json() == clean

        def charge_again(work: Work) -> None:
            order = work.orders.find(two)
            assert order is not None
            twice = LedgerEntry(two, EntryKind.CHARGE, f"{two}/charge/2", 3000, "USD", work.now)
            work.orders.apply(order, Outcome(order, (twice,)))

        await shop.home.write(charge_again, "twice")
        found = (await shop.client.get("/reconciliation")).json()

    assert (found["clean"], found["offenders_count"]) == (False, 1)
    problem = "SUCCESS should hold 30.00 USD, the ledger says 60.00 USD"
    assert found["offenders"] == [{"order_id": two, "problem": problem}]


async def test_they_are_added_up_once_at_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        answers = await asyncio.gather(*(shop.client.get("/reconciliation") for _ in range(3)))
        again = await shop.client.get("/reconciliation")

    assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 503} == {"TooBusy"}
    assert again.status_code == 200


async def test_a_process_that_cannot_read_them_is_no_fault_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await Reconciler(tmp_path / "gone").report()
