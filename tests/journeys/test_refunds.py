"""Refunds in part, refunds that come back, refunds made in the provider's own pages, and disputes: whatever comes in
whatever order, the money is what the order's state says.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.bank import Record
from demo.behaviour import LOSSES, Act
from expediter.app.operator.reconcile import Movement, expected, reconcile
from expediter.domain.errors import IdempotencyKeyReused, OrderAlreadyEnded, OrderAlreadySent, RefundNotPossible
from expediter.domain.refunds import RefundStatus
from expediter.embedded.clock import new_id
from tests.support.stage import DAY, MINUTE, Stage, opened, story
from tests.support.town import Town

FINANCE = "finance@example.com"


def booked(town: Town, order_id: str) -> Iterator[Movement]:
    """What the bank's books have about the order."""
    for move in town.bank.movements:
        if move.order_id == order_id:
            yield Movement(move.key, move.kind, move.order_id, move.amount, move.currency)


def balanced(stage: Stage, town: Town, order_id: str) -> bool:
    """Whether the bank, the ledger and the order's state say the same."""
    order, entries = stage.order(order_id), stage.entries(order_id)
    report = reconcile([(order, entries)], booked(town, order_id))
    assert report.offenders == ()
    return town.taken(order_id) == stage.held(order_id) == expected(order)


def refunds_of(town: Town, order_id: str) -> list[Record]:
    return [move for move in town.bank.movements if (move.order_id, move.kind) == (order_id, "refund")]


def statuses(stage: Stage, order_id: str) -> list[str]:
    return [str(refund.status) for refund in stage.order(order_id).refunds or ()]


async def paid(stage: Stage) -> str:
    """An order of 3000 that has come to its good end."""
    order_id = await stage.place()
    assert (await stage.to_the_end(order_id)).status == "SUCCESS"
    return order_id


@story
async def test_a_part_is_given_back_after_the_good_end_and_the_rest_stays(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await paid(stage)
        asked = await stage.refund(order_id, 1200)

        (made,) = stage.order(order_id).refunds or ()
        assert (asked.status, made.status, stage.status(order_id)) == ("pending", "done", "SUCCESS")
        assert made.reference == refunds_of(town, order_id)[0].reference
        assert stage.held(order_id) == 1800
        assert balanced(stage, town, order_id)


@story
async def test_never_more_is_given_back_than_was_captured(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await paid(stage)
        await stage.refund(order_id, 2000)
        with pytest.raises(RefundNotPossible, match=r"At most 10\.00 USD"):
            await stage.refund(order_id, 1001)
        await stage.refund(order_id, 1000)

        assert (stage.held(order_id), len(refunds_of(town, order_id))) == (0, 2)


@story
async def test_the_same_request_gives_back_once_and_another_one_under_its_key_is_refused(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id, key = await paid(stage), new_id()
        first, again = await stage.refund(order_id, 500, key), await stage.refund(order_id, 500, key)
        with pytest.raises(IdempotencyKeyReused):
            await stage.refund(order_id, 600, key)

        assert (first.id, len(refunds_of(town, order_id))) == (again.id, 1)


@pytest.mark.parametrize("loss", [*LOSSES, Act.FAIL, Act.BUSY])
@story
async def test_a_refund_whose_answer_gets_lost_is_made_once(tmp_path: Path, town: Town, loss: Act) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await paid(stage)
        town.bank.script("refund", loss, order_id=order_id)
        await stage.refund(order_id, 700)
        await stage.pass_time(5 * MINUTE)

        assert statuses(stage, order_id) == ["done"]
        assert [it.amount for it in refunds_of(town, order_id)] == [700]
        assert balanced(stage, town, order_id)


@story
async def test_a_refund_under_way_is_made_by_the_next_process(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id, clock = await paid(stage), stage.clock
        town.bank.script("refund", *[Act.FAIL] * 3, order_id=order_id)
        await stage.refund(order_id, 700)
        assert statuses(stage, order_id) == ["pending"]
    async with opened(tmp_path, clock, HOLD_SECONDS="0", **town.settings) as stage:
        await stage.pass_time(5 * MINUTE)

        assert statuses(stage, order_id) == ["done"]
        assert balanced(stage, town, order_id)


@story
async def test_an_order_that_is_cancelled_after_a_part_gets_only_the_rest(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="60", **town.settings) as stage:
        order_id = await stage.place()
        await stage.refund(order_id, 1000)
        await stage.cancel(order_id)
        order = await stage.to_the_end(order_id)

        assert order.status == "CANCELLED"
        assert [it.amount for it in refunds_of(town, order_id)] == [1000, 2000]
        assert balanced(stage, town, order_id)


@story
async def test_a_part_that_is_still_under_way_is_waited_for_before_the_rest_goes_back(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="1", **town.settings) as stage:
        order_id = await stage.place()
        town.bank.script("refund", Act.FAIL, Act.FAIL, Act.DROP, order_id=order_id)
        await stage.refund(order_id, 1000)
        await stage.cancel(order_id)
        await stage.to_the_end(order_id)

        assert [it.amount for it in refunds_of(town, order_id)] == [1000, 2000]
        assert balanced(stage, town, order_id)


@story
async def test_an_order_that_goes_back_as_a_whole_takes_no_refund_in_part(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="60", **town.settings) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)
        with pytest.raises(RefundNotPossible):
            await stage.refund(order_id, 1)
        await stage.to_the_end(order_id)
        with pytest.raises(RefundNotPossible):
            await stage.refund(order_id, 1)


@story
async def test_a_part_that_comes_back_is_owed_again_and_operators_are_told(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY=FINANCE, **town.settings) as stage:
        order_id = await paid(stage)
        await stage.refund(order_id, 1200)
        town.bank.fail_refund(order_id)
        for _ in range(2):
            await stage.news(order_id)

        assert (statuses(stage, order_id), stage.held(order_id)) == (["failed"], 3000)
        assert [it.recipient for it in stage.mails(order_id) if it.status == "REFUND_FAILED"] == [FINANCE]
        await stage.refund(order_id, 1200)
        assert (statuses(stage, order_id), stage.held(order_id)) == (["failed", "done"], 1800)
        assert balanced(stage, town, order_id)


@story
async def test_a_whole_refund_that_comes_back_is_owed_again_and_can_be_given_back(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="1", NOTIFY=FINANCE, **town.settings) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)
        await stage.to_the_end(order_id)
        town.bank.fail_refund(order_id)
        for _ in range(2):
            await stage.news(order_id)

        assert (stage.status(order_id), stage.held(order_id)) == ("CANCELLED", 3000)
        assert balanced(stage, town, order_id)
        assert "REFUND_FAILED" in [it.status for it in stage.mails(order_id)]
        await stage.refund(order_id, 3000)
        assert stage.held(order_id) == 0
        assert balanced(stage, town, order_id)


@story
async def test_a_refund_made_in_the_providers_pages_is_booked_once_and_flagged(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await paid(stage)
        town.bank.give_back(order_id, 900)
        for _ in range(3):
            await stage.news(order_id)

        (refund,) = stage.order(order_id).refunds or ()
        assert (refund.elsewhere, refund.status, refund.amount) == (True, RefundStatus.DONE, 900)
        assert balanced(stage, town, order_id)
        with pytest.raises(RefundNotPossible):
            await stage.refund(order_id, 2101)


@story
async def test_a_part_that_the_provider_does_not_make_is_refused_and_told(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY=FINANCE, **town.settings) as stage:
        order_id = await paid(stage)
        town.bank.give_back(order_id, 3000)  # and its news got lost
        await stage.refund(order_id, 500)

        (refund,) = stage.order(order_id).refunds or ()
        assert (refund.status, refund.error_message) == ("refused", "That is more than is left of the charge.")
        assert "REFUND_FAILED" in [it.status for it in stage.mails(order_id)]


@story
async def test_an_order_that_was_refunded_elsewhere_in_its_hold_is_cancelled_with_the_rest(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="60", **town.settings) as stage:
        order_id = await stage.place()
        town.bank.give_back(order_id, 900)
        await stage.cancel(order_id)
        await stage.pass_time(2 * MINUTE)
        assert stage.status(order_id) == "REFUND_PENDING"
        await stage.news(order_id)
        await stage.to_the_end(order_id)

        assert (stage.status(order_id), stage.held(order_id)) == ("CANCELLED", 0)
        assert balanced(stage, town, order_id)


@pytest.mark.parametrize("won", [True, False])
@story
async def test_a_dispute_takes_the_money_is_told_and_comes_back_when_it_is_won(
    tmp_path: Path, town: Town, won: bool
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY=FINANCE, **town.settings) as stage:
        order_id = await paid(stage)
        town.bank.dispute(order_id, 3000)
        await stage.news(order_id)
        assert stage.held(order_id) == 0
        assert [it.recipient for it in stage.mails(order_id) if it.status == "DISPUTED"] == [FINANCE]
        with pytest.raises(RefundNotPossible):
            await stage.refund(order_id, 1)

        if won:
            town.bank.win_dispute(order_id)
        await stage.news(order_id)
        assert stage.held(order_id) == (3000 if won else 0)
        assert balanced(stage, town, order_id)


@story
async def test_a_dispute_about_an_order_that_was_given_back_costs_our_own_money(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="1", **town.settings) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)
        await stage.to_the_end(order_id)
        charge = next(move for move in town.bank.movements if move.order_id == order_id)
        town.bank._add(charge, "dispute", "dp_late", 3000)
        await stage.news(order_id)

        assert stage.held(order_id) == -3000
        assert balanced(stage, town, order_id)


# ── the law ───────────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = (
    "pays",
    "gives up",
    "news",
    "cancels",
    "a refund in part",
    "a refund elsewhere",
    "a refund comes back",
    "a dispute",
    "a dispute is won",
    "a minute",
    "half an hour",
    "an answer is lost",
)


async def happens(stage: Stage, town: Town, order_id: str, step: str, amount: int) -> None:
    bank = town.bank
    if step in {"pays", "gives up"}:
        bank.complete(order_id, paid=step == "pays")
    elif step == "news":
        await stage.news(order_id)
    elif step == "cancels":
        with suppress(OrderAlreadySent, OrderAlreadyEnded):
            await stage.cancel(order_id)
    elif step == "a refund in part":
        with suppress(RefundNotPossible):
            await stage.refund(order_id, amount)
    elif step == "an answer is lost":
        bank.script("refund", Act.DROP, order_id=order_id)
    elif step in {"a minute", "half an hour"}:
        await stage.pass_time(MINUTE if step == "a minute" else 30 * MINUTE)
    else:
        await in_the_banks_pages(town, order_id, step, amount)


async def in_the_banks_pages(town: Town, order_id: str, step: str, amount: int) -> None:
    if step == "a refund elsewhere":
        town.bank.give_back(order_id, amount)
    elif step == "a refund comes back":
        town.bank.fail_refund(order_id)
    elif step == "a dispute":
        town.bank.dispute(order_id, amount)
    else:
        town.bank.win_dispute(order_id)


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 3000)), max_size=10))
def test_whatever_happens_in_whatever_order_the_money_is_what_the_orders_state_says(
    tmp_path_factory: pytest.TempPathFactory, town: Town, pends: bool, steps: list[tuple[str, int]]
) -> None:
    """Captured less refunded, and less what disputes took, is what the order's state says; never two captures."""

    @story
    async def told() -> None:
        async with opened(tmp_path_factory.mktemp("law"), HOLD_SECONDS="60", **town.settings) as stage:
            order_id = new_id()
            if pends:
                town.bank.script("charge", Act.PEND, order_id=order_id)
            await stage.place(order_id)
            for step, amount in steps:
                await happens(stage, town, order_id, step, amount)
            await stage.pass_time(20 * MINUTE)
            await stage.news(order_id)
            await stage.to_the_end(order_id, within=DAY)
            await stage.news(order_id)

            assert town.moves(order_id).count("charge") <= 1
            assert "pending" not in statuses(stage, order_id)
            assert balanced(stage, town, order_id)

    told()
