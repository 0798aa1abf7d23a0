"""An order that costs nothing: nobody is asked for money, nothing is owed, the books say 0, all else goes on."""

from pathlib import Path

import pytest

from expediter.app.operator.reconcile import reconcile
from expediter.domain.errors import OrderAlreadyCharged
from expediter.domain.order import EffectKind
from expediter.embedded.clock import new_id
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, Town

FREE = [{"name": "water", "quantity": 2, "unit_price": 0}]
MONEY = {"charge", "lookup", "refund"}


def nobody_paid(stage: Stage, town: Town, order_id: str) -> bool:
    """No provider was asked, the ledger says 0, and so does whoever adds up the books."""
    report = stage.home.read(lambda work: reconcile([(stage.order(order_id), work.orders.entries(order_id))], []))
    return not MONEY & {*town.calls(order_id)} and stage.held(order_id) == 0 and report.clean


@story
async def test_it_is_held_handed_over_and_completed(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = await stage.place(items=FREE, quantity=None)
        assert stage.status(order_id) == "PAID"
        await stage.advance(30 * SECOND)

        assert stage.status(order_id) == "SUCCESS"
        assert town.calls(order_id) == ["handover"]
        assert nobody_paid(stage, town, order_id)
        assert [mail.status for mail in stage.mails(order_id)] == ["SUCCESS"]


@story
async def test_a_default_price_of_0_makes_every_plain_order_free(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", DEFAULT_PRICE="0", **town.settings) as stage:
        order_id = await stage.place()

        assert stage.status(order_id) == "SUCCESS"
        assert nobody_paid(stage, town, order_id)


@story
async def test_cancelled_in_the_hold_it_is_cancelled_at_once_and_no_refund_is_owed(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = await stage.place(items=FREE, quantity=None)
        assert (await stage.cancel(order_id)).status == "CANCELLED"

        await stage.to_the_end(order_id)
        assert stage.status(order_id) == "CANCELLED"
        assert town.calls(order_id) == []
        assert nobody_paid(stage, town, order_id)
        assert [mail.status for mail in stage.mails(order_id)] == ["CANCELLED"]


@story
async def test_refused_by_the_restaurant_it_fails_with_the_reason_and_no_refund_is_owed(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
        await stage.place(order_id, items=FREE, quantity=None)

        order = stage.order(order_id)
        assert (order.status, order.error_message) == ("FAILED", "The restaurant is closed.")
        assert nobody_paid(stage, town, order_id)


@story
async def test_a_restaurant_that_took_it_but_never_said_so_has_it_withdrawn(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[Act.LOSE] * 20, order_id=order_id)
        await stage.place(order_id, items=FREE, quantity=None)
        order = await stage.to_the_end(order_id)

        assert (order.status, order.result(EffectKind.WITHDRAWAL)) == ("FAILED", "done")
        assert order_id not in town.kitchen.cooking
        assert order.error_message is not None
        assert nobody_paid(stage, town, order_id)


@story
async def test_it_costs_nothing_for_good_once_the_payment_was_looked_at(tmp_path: Path, town: Town) -> None:
    """Else a customer could order for nothing, make it dear, and be handed it unpaid."""
    async with opened(tmp_path, **town.settings) as stage:
        order_id = await stage.place(items=FREE, quantity=None)

        with pytest.raises(OrderAlreadyCharged):
            await stage.change(order_id, items=[{"name": "wine", "quantity": 2, "unit_price": 900}])


@story
async def test_an_order_that_is_made_free_on_the_queue_is_not_charged(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        stage.home.engine.dispatcher._stopping = True
        order_id = await stage.accept()
        await stage.change(order_id, items=FREE)
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        await stage.quiet()

        assert stage.status(order_id) == "SUCCESS"
        assert nobody_paid(stage, town, order_id)
