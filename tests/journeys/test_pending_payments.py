"""Payments that wait for their customer: whatever comes in whatever order, the money is what the order's state says."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.behaviour import Act
from expediter.app.payments.events import Event, Topic
from expediter.app.payments.following import follow
from expediter.domain.errors import OrderAlreadyEnded, OrderAlreadySent
from expediter.domain.order import AwaitedPayment
from expediter.embedded.clock import new_id
from tests.support.stage import HOUR, MINUTE, SECOND, Stage, opened, story
from tests.support.town import Town

CHARGE, REFUND = "charge", "refund"


def news(order_id: str) -> Event:
    return Event("evt_1", "payment.changed", Topic.PAYMENT, order_id)


async def pending(stage: Stage, town: Town) -> str:
    """An order whose payment waits for its customer."""
    order_id = new_id()
    town.bank.script("charge", Act.PEND, order_id=order_id)
    await stage.place(order_id)
    assert (stage.status(order_id), stage.states(order_id)[-1]) == ("PENDING", "AwaitPayment")
    return order_id


async def tell(stage: Stage, order_id: str) -> None:
    await stage.home.write(lambda work: follow(work, news(order_id)), "webhook")
    await stage.quiet()


@story
async def test_an_order_waits_for_its_customer_and_goes_on_with_the_providers_news(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        awaited = stage.order(order_id).awaited_payment
        assert isinstance(awaited, AwaitedPayment)
        assert awaited.redirect_url == f"https://bank.example/{order_id}/charge"

        town.bank.complete(order_id)
        await tell(stage, order_id)

        assert (stage.status(order_id), town.moves(order_id), stage.held(order_id)) == ("SUCCESS", [CHARGE], 3000)


@story
async def test_news_that_come_twice_early_and_late_settle_one_payment_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        await tell(stage, order_id)  # too early: nothing is paid yet
        assert stage.states(order_id)[-1] == "AwaitPayment"

        town.bank.complete(order_id)
        for _ in range(3):
            await tell(stage, order_id)

        assert (stage.status(order_id), town.moves(order_id), stage.held(order_id)) == ("SUCCESS", [CHARGE], 3000)


@story
async def test_a_payment_that_takes_too_long_is_closed_at_the_provider_and_nothing_is_kept(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", PAYMENT_WAIT_SECONDS="60", **town.settings) as stage:
        order_id = await pending(stage, town)
        await stage.pass_time(59 * SECOND)
        assert stage.status(order_id) == "PENDING"
        order = await stage.to_the_end(order_id)
        town.bank.complete(order_id)

        assert (order.status, order.error_message) == ("FAILED", "The payment was not completed in time.")
        assert (town.moves(order_id), stage.held(order_id)) == ([], 0)


@story
async def test_a_payment_whose_news_got_lost_is_found_when_its_time_is_over(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        town.bank.complete(order_id)
        await stage.pass_time(15 * MINUTE)

        assert (stage.status(order_id), town.moves(order_id), stage.held(order_id)) == ("SUCCESS", [CHARGE], 3000)


@story
async def test_a_customer_who_does_not_confirm_has_paid_nothing(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        town.bank.complete(order_id, paid=False)
        await tell(stage, order_id)

        order = stage.order(order_id)
        assert (order.status, order.error_message) == ("FAILED", "The customer did not confirm.")
        assert (town.moves(order_id), stage.held(order_id)) == ([], 0)


@pytest.mark.parametrize("paid", [True, False])
@story
async def test_a_cancelled_order_waits_for_no_payment(tmp_path: Path, town: Town, paid: bool) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        if paid:
            town.bank.complete(order_id)
        await stage.cancel(order_id)
        await stage.quiet()

        assert stage.status(order_id) == "CANCELLED"
        assert (town.moves(order_id), stage.held(order_id)) == ([CHARGE, REFUND] if paid else [], 0)
        assert stage.clock.now() < stage.order(order_id).created_at + HOUR


@story
async def test_a_server_that_starts_anew_waits_on(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await pending(stage, town)
        clock = stage.clock
    async with opened(tmp_path, clock, HOLD_SECONDS="0", **town.settings) as stage:
        await stage.quiet()
        assert town.calls(order_id) == ["charge"]
        town.bank.complete(order_id)
        await tell(stage, order_id)

        assert (stage.status(order_id), town.moves(order_id)) == ("SUCCESS", [CHARGE])


STEPS = ("news", "comes back", "pays", "gives up", "a minute", "five minutes", "cancels", "the answer is lost")


async def happens(stage: Stage, town: Town, order_id: str, step: str) -> None:
    if step == "news":
        await tell(stage, order_id)
    elif step == "comes back":
        await stage.come_back(order_id)
    elif step in {"pays", "gives up"}:
        town.bank.complete(order_id, paid=step == "pays")
    elif step == "cancels":
        with suppress(OrderAlreadySent, OrderAlreadyEnded):
            await stage.cancel(order_id)
    elif step == "the answer is lost":
        town.bank.script("lookup", Act.DROP, order_id=order_id)
    else:
        await stage.pass_time(MINUTE if step == "a minute" else 5 * MINUTE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=8))
def test_whatever_happens_in_whatever_order_the_money_is_what_the_orders_state_says(
    tmp_path_factory: pytest.TempPathFactory, town: Town, steps: list[str]
) -> None:
    """The law of the whole: never two charges, and nothing kept of an order that did not succeed."""

    @story
    async def told() -> None:
        async with opened(tmp_path_factory.mktemp("law"), HOLD_SECONDS="60", **town.settings) as stage:
            order_id = await pending(stage, town)
            for step in steps:
                await happens(stage, town, order_id, step)
            order = await stage.to_the_end(order_id)
            town.bank.complete(order_id)  # too late

            assert town.moves(order_id) in ([], [CHARGE], [CHARGE, REFUND])
            assert town.taken(order_id) == stage.held(order_id) == (3000 if order.status == "SUCCESS" else 0)

    told()
