"""A customer is forgotten: nothing in the files says whose the orders were, and the money adds up as before."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.operator import actions
from expediter.app.operator.audit import Operator, record_operation
from expediter.app.operator.erasing import BULK, Erased, OrdersUnderWay, erase
from expediter.app.operator.reconcile import reconcile
from expediter.app.ports import Caller, Query
from expediter.domain.errors import IdempotencyKeyReused, OrderInvalid
from expediter.domain.order import ERASED
from expediter.embedded.clock import new_id
from expediter.embedded.settings import workflow
from expediter.embedded.sqlite.backup import back_up
from tests.support.stage import BURGERS, OPERATOR, SECOND, Stage, opened, story

WHO = Operator("operator")
ADA = {"user_id": "ada-lovelace", "email": "ada@lovelace.example", "name": "Ada's burger"}
BOB = {"user_id": "bob-babbage", "email": "bob@babbage.example", "name": "Bob's burger"}
TEXTS = (b"ada-lovelace", b"ada@lovelace.example", b"Ada's burger")
MAILS = {"NOTIFY": "ops@example.com"}


def bytes_of(folder: Path) -> bytes:
    """Everything that the database has on disk."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("expediter.db*")))


def held(stage: Stage, folder: Path) -> list[bytes]:
    """Which of the customer's texts can still be found."""
    found = bytes_of(folder)
    return [text for text in TEXTS if text in found]


async def ended(stage: Stage, **fields: Any) -> str:
    order_id = await stage.place(**fields)
    await stage.to_the_end(order_id)
    return order_id


@story
async def test_no_file_holds_the_customer_any_more_when_the_answer_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path, None, None, NOTIFY="ops@example.com") as stage:
        for place in range(120):
            await stage.accept(**(ADA if place % 3 == 0 else {**BOB, "email": f"bob{place}@babbage.example"}))
            if place % 7 == 0:
                await stage.quiet()
        await stage.pass_time(31 * SECOND)
        assert held(stage, tmp_path) == list(TEXTS)

        erased = await stage.home.erase("ada-lovelace", WHO)

        assert erased == Erased(orders=40, dead_letters=0, remaining=0)
        assert held(stage, tmp_path) == []
        assert b"bob-babbage" in bytes_of(tmp_path)
        assert not (tmp_path / "expediter.db-wal").read_bytes()
        assert stage.read("PRAGMA integrity_check") == [("ok",)]


@story
async def test_what_was_ordered_and_paid_stays_and_adds_up(tmp_path: Path) -> None:
    async with opened(tmp_path, None, None, NOTIFY="ops@example.com") as stage:
        paid, cancelled = await stage.place(**ADA), await stage.place(**ADA)
        await stage.cancel(cancelled)
        await stage.pass_time(31 * SECOND)
        before, entries = stage.order(paid), stage.entries(paid)

        await stage.home.erase("ada-lovelace", WHO)

        order = stage.order(paid)
        assert (order.user_id, order.email, order.name, order.error_message) == (ERASED, None, None, None)
        assert (order.total, order.currency, order.status) == (before.total, before.currency, before.status)
        assert (order.restaurant_id, order.created_at, order.effects) == (
            before.restaurant_id,
            before.created_at,
            before.effects,
        )
        assert stage.entries(paid) == entries != ()
        assert (stage.status(cancelled), stage.held(cancelled)) == ("CANCELLED", 0)
        assert stage.home.read(lambda work: reconcile(work.orders.with_entries())).clean
        page = stage.home.read(lambda work: work.orders.page(Query(user_id=ERASED)))
        assert {found.id for found in page.items} == {paid, cancelled}


@story
async def test_mails_histories_and_notes_go_and_others_keep_theirs(tmp_path: Path) -> None:
    async with opened(tmp_path, None, None, NOTIFY="ops@example.com") as stage:
        hers, his = new_id(), await stage.place(**BOB)
        draft = convert({**BURGERS, **ADA}, Draft)
        await stage.home.write_as_operator(
            lambda services: actions.place(services, Operator("eve", "console", "192.0.2.1"), draft, hers, "for Ada"),
            "place",
        )
        ada = Caller("ada-lovelace", operator=False, name="customer", via="REST", address="198.51.100.7")
        await stage.home.write_as_operator(
            lambda services: record_operation(services, ada, "cancelOrder", hers), "cancel"
        )
        await stage.pass_time(31 * SECOND)

        await stage.home.erase("ada-lovelace", WHO)

        assert (stage.mails(hers), stage.events(hers)) == ([], [])
        assert (len(stage.mails(his)), stage.events(his)[-1]) == (2, "ExecutionSucceeded")
        assert stage.order(his).email == "bob@babbage.example"
        audit = stage.home.read_as_operator(lambda services: services.audit.of(hers))
        assert [(entry.who, entry.kind, entry.detail, entry.address) for entry in audit] == [
            ("eve", "placed it", "", "192.0.2.1"),
            ("customer", "cancelled it", "", ""),
            ("operator", "erased its customer", "", ""),
        ]


@story
async def test_orders_under_way_are_named_and_nothing_is_erased_until_they_have_ended(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        first = await ended(stage, **ADA)
        second = await stage.place(**ADA)
        with pytest.raises(OrdersUnderWay, match=second):
            await stage.home.erase("ada-lovelace", WHO)
        assert stage.order(first).email == "ada@lovelace.example"
        await stage.pass_time(31 * SECOND)

        assert (await stage.home.erase("ada-lovelace", WHO)).orders == 2


@story
async def test_an_order_on_the_queue_is_under_way(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        stage.home.engine.dispatcher._stopping = True
        order_id = await stage.accept(**ADA)

        with pytest.raises(OrdersUnderWay, match=order_id):
            await stage.home.erase("ada-lovelace", WHO)


def failing_before(state: str) -> dict[str, Any]:
    """The order's workflow, which ends in an error where it should come to this state."""
    text = json.dumps(workflow(None)).replace(f'"{state}"', '"Check"')
    definition: dict[str, Any] = json.loads(text)
    definition["States"][state] = {**definition["States"].pop("Check"), "Resource": state}
    always = {"Variable": "$.order.id", "IsPresent": True, "Next": "Broken"}
    definition["States"]["Check"] = {"Type": "Choice", "Choices": [always], "Default": state}
    definition["States"]["Broken"] = {"Type": "Fail", "Error": "Broken"}
    return definition


@pytest.mark.parametrize("state", ["InitializeOrder", "RefundPayment"])
@story
async def test_an_order_that_needs_an_operator_is_under_way(tmp_path: Path, state: str) -> None:
    """Before its row was written, and after."""
    (tmp_path / "mine.asl.json").write_text(json.dumps(failing_before(state)))
    mine = str(tmp_path / "mine.asl.json")
    async with opened(tmp_path / "data", None, None, WORKFLOW=mine, RESTAURANT="simulated:decline=1") as stage:
        order_id = await stage.place(**ADA)
        await stage.pass_time(31 * SECOND)
        assert stage.events(order_id)[-1] == "ExecutionFailed"

        with pytest.raises(OrdersUnderWay, match=order_id):
            await stage.home.erase("ada-lovelace", WHO)


@story
async def test_an_order_whose_workflow_waits_before_it_saved_the_order_is_under_way(tmp_path: Path) -> None:
    definition = workflow(None)
    first = definition["StartAt"]
    definition["States"]["Sit"] = {"Type": "Wait", "Seconds": 60, "Next": first}
    (tmp_path / "mine.asl.json").write_text(json.dumps({**definition, "StartAt": "Sit"}))
    async with opened(tmp_path / "data", None, None, WORKFLOW=str(tmp_path / "mine.asl.json")) as stage:
        order_id = await stage.place(**ADA)

        with pytest.raises(OrdersUnderWay, match=order_id):
            await stage.home.erase("ada-lovelace", WHO)


@story
async def test_erasing_again_does_nothing_and_an_unknown_customer_is_no_error(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await ended(stage, **ADA)
        await stage.home.erase("ada-lovelace", WHO)
        before = stage.order(order_id)

        assert await stage.home.erase("ada-lovelace", WHO) == Erased(0, 0, 0)
        assert await stage.home.erase("never seen", WHO) == Erased(0, 0, 0)
        assert stage.order(order_id) == before
        with pytest.raises(OrderInvalid, match="everybody who was erased"):
            await stage.home.erase(ERASED, WHO)


@story
async def test_many_orders_are_erased_a_bounded_number_a_call(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        for _ in range(BULK + 3):
            await stage.accept(**ADA)
        await stage.quiet()

        assert await stage.home.erase("ada-lovelace", WHO) == Erased(BULK, 0, 3)
        assert await stage.home.erase("ada-lovelace", WHO) == Erased(3, 0, 0)


@story
async def test_a_deleted_order_is_erased_too_and_stays_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await ended(stage, **ADA)
        await stage.delete(order_id)

        assert (await stage.home.erase("ada-lovelace", WHO)).orders == 1
        assert stage.order(order_id).deleted_at is not None
        assert held(stage, tmp_path) == []


@story
async def test_her_key_stays_taken_and_recognises_her_order_no_more(tmp_path: Path) -> None:
    """The hash under a key is of her name and order: whoever guesses them could have compared it."""
    async with opened(tmp_path) as stage:
        order_id = await ended(stage, **ADA)
        ((before,),) = stage.read("SELECT fingerprint FROM claim WHERE id = ?", order_id)
        await stage.home.erase("ada-lovelace", WHO)

        draft = convert({**BURGERS, **ADA}, Draft)
        with pytest.raises(IdempotencyKeyReused):
            await stage.home.write(lambda work: intake.accept(work, OPERATOR, draft, order_id), "accept")
        assert before.encode() not in bytes_of(tmp_path)


@story
async def test_the_customers_dead_letters_are_removed_and_the_order_whose_key_one_used_is_not_changed(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com") as stage:
        his, free = await ended(stage, **BOB), new_id()
        hers = json.dumps({**BURGERS, **ADA}).encode()
        await stage.send(hers, order_id=his)
        await stage.send(hers[:-1] + b', "currency": "XXX"}', order_id=free)
        await stage.send(b"ada-lovelace, but no JSON", order_id=new_id())
        await stage.pass_time(20 * SECOND)
        assert len(stage.dead_letters()) == 3
        before = stage.order(his)

        assert await stage.home.erase("ada-lovelace", WHO) == Erased(0, 2, 0)

        assert [letter.body for letter in stage.dead_letters()] == [b"ada-lovelace, but no JSON"]
        assert (stage.order(his), stage.events(his)[-1]) == (before, "ExecutionSucceeded")
        again = convert({**BURGERS, **BOB}, Draft)
        assert (await stage.home.write(lambda work: intake.accept(work, OPERATOR, again, his), "accept")).replayed


@story
async def test_workflows_that_hers_started_forget_her_too(tmp_path: Path) -> None:
    definition = workflow(None)
    definition["States"]["Call"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "child", "Name.$": "$$.Execution.Name", "Input.$": "$"},
        "ResultPath": None,
        "Next": definition["StartAt"],
    }
    (tmp_path / "main.asl.json").write_text(json.dumps({**definition, "StartAt": "Call"}))
    (tmp_path / "child.asl.json").write_text('{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}')
    async with opened(tmp_path / "data", None, None, WORKFLOW=str(tmp_path / "main.asl.json")) as stage:
        await ended(stage, **ADA)
        await ended(stage, **BOB)
        await stage.home.erase("ada-lovelace", WHO)

        assert held(stage, tmp_path / "data") == []
        assert len(stage.read("SELECT no FROM execution WHERE history <> ''")) == 2


@story
async def test_a_backup_under_way_holds_up_only_the_end_of_the_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await ended(stage, **ADA)
        reader = stage._reading.connection
        with reader:
            reader.execute("SELECT count(*) FROM orders").fetchall()
            assert (await stage.home.erase("ada-lovelace", WHO)).orders == 1
            assert held(stage, tmp_path) == list(TEXTS)

        stage.home._scrub._checkpoints._next_try = 0.0
        await stage.quiet()

        assert held(stage, tmp_path) == []
        back_up(tmp_path, tmp_path / "copy.db", lambda done, total: None)
        assert not [text for text in TEXTS if text in (tmp_path / "copy.db").read_bytes()]


@story
async def test_a_process_that_died_before_the_bytes_were_gone_does_it_when_asked_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", None, None, NOTIFY="ops@example.com") as stage:
        for _ in range(20):
            await stage.accept(**ADA)
        await stage.pass_time(31 * SECOND)
        await stage.home.write_as_operator(
            lambda services: erase(services, Operator("eve"), "ada-lovelace"), "eraseUser"
        )
        (tmp_path / "left").mkdir()
        for file in (tmp_path / "data").glob("expediter.db*"):
            shutil.copy(file, tmp_path / "left")
    async with opened(tmp_path / "left") as stage:
        assert held(stage, tmp_path / "left") != []

        assert await stage.home.erase("ada-lovelace", WHO) == Erased(0, 0, 0)

        assert held(stage, tmp_path / "left") == []
