"""What a customer may do with an order on its way: cancel, change, delete; and what it is too late for."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from expediter.app import intake, orders
from expediter.app.drafts import ChangeDraft, Draft, convert
from expediter.app.ports import Work
from expediter.domain.errors import (
    OrderAlreadyCharged,
    OrderAlreadyEnded,
    OrderAlreadySent,
    OrderInvalid,
    OrderNotFound,
)
from expediter.embedded.clock import new_id
from tests.support.stage import BURGERS, MINUTE, OPERATOR, SECOND, Stage, opened, story
from tests.support.town import Act, Town


async def stuck_in_charge(stage: Stage, town: Town, tries: int = 1) -> str:
    """An order whose charge was tried, with no answer that settles it, waiting for the next try."""
    order_id = new_id()
    town.bank.script("charge", *[Act.LOSE] * tries, order_id=order_id)
    town.bank.script("lookup", *[Act.FAIL] * 2, order_id=order_id)
    await stage.place(order_id)
    while town.bank.calls[-1] != ("lookup", f"{order_id}/charge"):
        await stage.advance(100)
    assert stage.status(order_id) == "PENDING"
    return order_id


async def on_the_queue(stage: Stage, order_id: str, use: Callable[[Work], object]) -> None:
    """Accepts an order and does something to it before any workflow can have started, then lets it go on."""

    def both(work: Work) -> None:
        intake.accept(work, OPERATOR, convert(BURGERS, Draft), order_id)
        use(work)

    await stage.home.write(both, "both")
    await stage.quiet()


# ── cancel ────────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_an_order_still_on_the_queue_can_be_cancelled_and_is_never_charged(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = new_id()
        await on_the_queue(stage, order_id, lambda work: orders.cancel(work, OPERATOR, order_id))

        order = stage.order(order_id)
        assert (order.status, order.error_message) == ("CANCELLED", "The customer cancelled the order.")
        assert town.calls(order_id) == []
        assert [mail.status for mail in stage.mails(order_id)] == ["CANCELLED"]


@story
async def test_cancelled_during_the_charge_the_money_comes_back(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = await stuck_in_charge(stage, town)
        assert (await stage.cancel(order_id)).status == "REFUND_PENDING"

        order = await stage.to_the_end(order_id)

        assert order.status == "CANCELLED"
        assert town.moves(order_id) == ["charge", "refund"]
        assert stage.held(order_id) == 0


@story
async def test_cancelled_in_the_hold_it_is_owed_at_once_and_refunded_when_the_hold_ends(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = await stage.place()
        assert (await stage.cancel(order_id)).status == "REFUND_PENDING"
        await stage.quiet()
        assert town.moves(order_id) == ["charge"]

        await stage.advance(30 * SECOND)

        assert stage.status(order_id) == "CANCELLED"
        assert town.moves(order_id) == ["charge", "refund"]
        assert town.calls(order_id).count("handover") == 0
        assert [mail.status for mail in stage.mails(order_id)] == ["CANCELLED"]


@story
async def test_cancelling_twice_is_cancelling_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        first = await stage.cancel(order_id)

        assert await stage.cancel(order_id) == first


@story
async def test_an_order_at_the_restaurant_can_no_longer_be_cancelled_changed_or_deleted(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[Act.FAIL] * 4, order_id=order_id)
        await stage.place(order_id)
        assert stage.order(order_id).hold_closed_at is not None

        for late in (stage.cancel(order_id), stage.change(order_id, name="Soup"), stage.delete(order_id)):
            with pytest.raises(OrderAlreadySent):
                await late


@story
async def test_a_completed_order_can_no_longer_be_cancelled(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        order_id = await stage.place()

        with pytest.raises(OrderAlreadySent):
            await stage.cancel(order_id)


@story
async def test_a_failed_order_can_no_longer_be_cancelled(tmp_path: Path) -> None:
    async with opened(tmp_path, PAYMENTS="simulated:decline=1") as stage:
        order_id = await stage.place()

        with pytest.raises(OrderAlreadyEnded):
            await stage.cancel(order_id)


# ── change ────────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_an_order_changed_on_the_queue_is_charged_as_changed(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = new_id()
        double = convert({"quantity": 6}, ChangeDraft)
        await on_the_queue(stage, order_id, lambda work: orders.change(work, OPERATOR, order_id, double))

        assert stage.order(order_id).total == 6000
        assert town.taken(order_id) == stage.held(order_id) == 6000


@story
async def test_what_sets_the_total_is_frozen_once_the_charge_was_tried(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = await stuck_in_charge(stage, town)

        for fields in ({"quantity": 4}, {"items": [{"name": "a", "quantity": 1}]}, {"currency": "EUR"}):
            with pytest.raises(OrderAlreadyCharged):
                await stage.change(order_id, **fields)
        changed = await stage.change(order_id, name="Soup", restaurant_id="Restaurant 5", email="a@example.com")

        assert (changed.name, changed.restaurant_id, changed.total) == ("Soup", "Restaurant 5", 3000)
        assert (await stage.to_the_end(order_id)).restaurant_id == "Restaurant 5"


@story
async def test_a_changed_restaurant_is_found_under_its_new_name_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        await stage.change(order_id, restaurant_id="Elsewhere")

        listed = "SELECT count(*) FROM orders WHERE restaurant_id = ?"
        assert [stage.read(listed, name) for name in ("Elsewhere", "Restaurant 4")] == [[(1,)], [(0,)]]


@story
async def test_a_cancelled_order_takes_no_change(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)

        with pytest.raises(OrderAlreadyEnded):
            await stage.change(order_id, name="Soup")


@story
async def test_an_order_keeps_its_user(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()

        with pytest.raises(OrderInvalid, match="user_id"):
            await stage.change(order_id, user_id="somebody else")


# ── delete ────────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_deleting_an_order_in_flight_cancels_it_and_gives_the_money_back(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = await stage.place()
        await stage.delete(order_id)
        await stage.advance(30 * SECOND)

        assert stage.status(order_id) == "CANCELLED"
        assert town.taken(order_id) == 0


@story
async def test_a_deleted_order_is_gone_for_everybody_but_keeps_its_id_and_its_ledger(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        order_id = await stage.place()
        await stage.delete(order_id)

        for gone in (stage.cancel(order_id), stage.delete(order_id), stage.change(order_id, name="Soup")):
            with pytest.raises(OrderNotFound):
                await gone
        assert stage.held(order_id) == 3000
        assert stage.read("SELECT count(*) FROM claim WHERE id = ?", order_id) == [(1,)]


@story
async def test_a_late_redelivery_of_a_deleted_order_neither_orders_nor_charges_again(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await stage.place()
        body = msgspec.json.encode(convert(BURGERS, Draft))
        await stage.delete(order_id)
        events = stage.events(order_id)

        await stage.send(body, order_id=order_id)
        await stage.pass_time(MINUTE)

        assert stage.events(order_id) == events
        assert town.moves(order_id) == ["charge"]
        assert stage.dead_letters() == ()
        assert stage.order(order_id).deleted_at is not None
