"""The two smaller workflows that come along take every one of their branches, and the money balances in each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

import pytest

from expediter.app.operator.reconcile import reconcile
from expediter.embedded.clock import new_id
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, Town

FOUR = "four-tasks.asl.json"
ONE = "one-state-task.asl.json"


@asynccontextmanager
async def running(folder: Path, town: Town, example: str) -> AsyncIterator[Stage]:
    file = resources.files("expediter.contracts") / "examples" / example
    async with opened(folder, WORKFLOW=str(file), NOTIFY="ops@example.com", **town.settings) as stage:
        yield stage
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean


async def ended(stage: Stage, town: Town, order_id: str) -> str:
    """The status at the end; our ledger and the bank agree, and one mail tells of it."""
    order = await stage.to_the_end(order_id)
    assert stage.held(order_id) == town.taken(order_id) == (3000 if order.status == "SUCCESS" else 0)
    assert [mail.status for mail in stage.mails(order_id)] == [order.status]
    return str(order.status)


@pytest.mark.parametrize("example", [FOUR, ONE])
@story
async def test_a_good_order_succeeds(tmp_path: Path, town: Town, example: str) -> None:
    async with running(tmp_path, town, example) as stage:
        order_id = await stage.place()

        assert await ended(stage, town, order_id) == "SUCCESS"


@pytest.mark.parametrize("example", [FOUR, ONE])
@story
async def test_a_declined_order_fails_with_the_banks_reason(tmp_path: Path, town: Town, example: str) -> None:
    async with running(tmp_path, town, example) as stage:
        order_id = new_id()
        town.bank.script("charge", Act.REFUSE, order_id=order_id)
        await stage.place(order_id)

        assert await ended(stage, town, order_id) == "FAILED"
        assert stage.order(order_id).error_message == "The card was declined."
        assert town.moves(order_id) == []


@pytest.mark.parametrize("example", [FOUR, ONE])
@pytest.mark.parametrize("act", [Act.FAIL, Act.LOSE])
@story
async def test_an_unknown_charge_is_given_back(tmp_path: Path, town: Town, example: str, act: Act) -> None:
    async with running(tmp_path, town, example) as stage:
        order_id = new_id()
        town.bank.script("charge", *[act] * 6, order_id=order_id)
        town.bank.script("lookup", *[Act.FAIL] * 5, order_id=order_id)
        await stage.place(order_id)

        assert await ended(stage, town, order_id) == "FAILED"
        assert stage.order(order_id).error_message == "The payment could not be confirmed."


@pytest.mark.parametrize("act", [Act.REFUSE, Act.FAIL, Act.LOSE])
@story
async def test_an_order_the_restaurant_refuses_or_leaves_open_is_given_back(
    tmp_path: Path, town: Town, act: Act
) -> None:
    async with running(tmp_path, town, ONE) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[act] * 6, order_id=order_id)
        await stage.place(order_id)

        assert await ended(stage, town, order_id) == "FAILED"
        assert town.moves(order_id) == ["charge", "refund"]
        assert stage.states(order_id)[-2:] == ["RefundPayment", "UpdateRefundedOrder"]
        assert ("withdrawal" in town.calls(order_id)) == (act is not Act.REFUSE)


@story
async def test_cancelled_in_the_wait_nothing_goes_to_the_restaurant(tmp_path: Path, town: Town) -> None:
    async with running(tmp_path, town, ONE) as stage:
        order_id = await stage.place()
        await stage.cancel(order_id)
        await stage.advance(30 * SECOND)

        assert await ended(stage, town, order_id) == "CANCELLED"
        assert "handover" not in town.calls(order_id)


@story
async def test_cancelled_during_the_charge_the_smallest_workflow_completes_nothing(tmp_path: Path, town: Town) -> None:
    async with running(tmp_path, town, FOUR) as stage:
        order_id = new_id()
        town.bank.script("charge", Act.LOSE, order_id=order_id)
        town.bank.script("lookup", Act.FAIL, order_id=order_id)
        await stage.place(order_id)
        await stage.cancel(order_id)

        assert await ended(stage, town, order_id) == "CANCELLED"
        assert stage.states(order_id)[-2:] == ["CompleteOrder", "CancelFailedOrder"]
