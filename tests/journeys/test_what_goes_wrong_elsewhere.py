"""What the public code for this kind of system gets wrong, each as one sentence that holds here."""

import json
from functools import partial
from pathlib import Path

import msgspec
import pytest

from expediter import contracts
from expediter.app import intake, orders
from expediter.app.access import OwnerRefused
from expediter.app.drafts import Draft, convert
from expediter.app.gateways.gateway import GatewayName
from expediter.app.gateways.simulated import declines
from expediter.app.ports import Caller, Outcome, Query, Work
from expediter.app.tasks.order import TASKS
from expediter.domain.errors import IdempotencyKeyReused, OrderNotFound
from expediter.embedded.clock import new_id
from tests.support.stage import BURGERS, DAY, MINUTE, OPERATOR, SECOND, opened, story
from tests.support.town import Act, Town

WORKFLOWS = ["order.asl.json", "examples/four-tasks.asl.json", "examples/one-state-task.asl.json"]


def body(**fields: object) -> bytes:
    return msgspec.json.encode(convert({**BURGERS, **fields}, Draft))


# ── the queue ─────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_a_message_that_cannot_be_taken_in_reaches_the_dead_letter_queue_with_its_reason(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        await stage.send(b"no JSON", order_id=new_id())
        await stage.pass_time(MINUTE)

        (letter,) = stage.dead_letters()
        assert (letter.body, letter.receive_count) == (b"no JSON", 3)
        assert letter.reason.startswith("OrderInvalid: ")


@story
async def test_one_bad_message_in_a_batch_holds_up_none_of_the_others(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        good = [new_id() for _ in range(4)]

        def five(work: Work) -> None:
            for place, order_id in enumerate(good):
                work.queue.send(body(), {"order_id": order_id}, work.now)
                if place == 1:
                    work.queue.send(b'{"user_id": "poison"}', {"order_id": new_id()}, work.now)

        await stage.home.write(five, "five")
        await stage.quiet()

        assert [stage.status(order_id) for order_id in good] == ["SUCCESS"] * 4
        assert stage.read("SELECT receive_count FROM message") == [(1,)]


@story
async def test_every_record_of_a_large_batch_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        many = [await stage.accept() for _ in range(23)]
        await stage.quiet()

        assert {stage.status(order_id) for order_id in many} == {"SUCCESS"}


@story
async def test_a_redelivered_message_starts_nothing_twice_however_late_it_comes(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY="ops@example.com") as stage:
        order_id = await stage.place()
        events = stage.events(order_id)
        await stage.advance(5 * MINUTE)

        await stage.send(body(), order_id=order_id)
        await stage.pass_time(MINUTE)

        assert stage.events(order_id) == events
        assert stage.dead_letters() == ()
        assert len(stage.mails(order_id)) == 1


@story
async def test_another_order_under_a_taken_id_is_a_dead_letter_that_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        order_id = await stage.place()
        await stage.send(body(quantity=4), order_id=order_id)
        await stage.pass_time(MINUTE)

        (letter,) = stage.dead_letters()
        assert letter.reason.startswith("IdempotencyKeyReused: ")
        assert stage.order(order_id).quantity == 3


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_the_workflows_input_is_json_not_json_inside_json(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        (started, *_) = stage.home.read(lambda work: work.workflows.history(order_id)) or []

        assert started["details"]["input"]["order"]["items"][0]["quantity"] == 3
        assert started["details"]["input"]["hold_seconds"] == 30


@story
async def test_an_accepted_order_has_its_id_and_a_status_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = new_id()
        draft = convert(BURGERS, Draft)
        accepted = await stage.home.write(lambda work: intake.accept(work, OPERATOR, draft, order_id), "accept")

        assert (accepted.order.id, accepted.order.status) == (order_id, "PENDING")
        assert stage.home.read(lambda work: orders.find(work, OPERATOR, order_id)).id == order_id


def test_a_fresh_order_has_a_status_that_the_graphql_enum_knows() -> None:
    assert "PENDING" in contracts.read("schema.graphql").decode()


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_a_failed_payment_is_saved_as_failed_and_mails_say_so(tmp_path: Path) -> None:
    async with opened(tmp_path, PAYMENTS="simulated:decline=1") as stage:
        order_id = await stage.place(email="guest@example.com")

        assert stage.status(order_id) == "FAILED"
        assert [mail.recipient for mail in stage.mails(order_id)] == ["guest@example.com"]


def test_trying_again_does_not_roll_the_dice_again() -> None:
    order_id = new_id()
    said = {declines(GatewayName.PAYMENTS, order_id, 0.5) for _ in range(100)}

    assert len(said) == 1


@story
async def test_every_charge_has_a_key_and_a_repeat_has_the_same(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = new_id()
        town.bank.script("charge", Act.FAIL, Act.FAIL, order_id=order_id)
        await stage.accept(order_id)
        await stage.to_the_end(order_id)

        assert {key for call, key in town.bank.calls if key.startswith(order_id)} == {f"{order_id}/charge"}


@story
async def test_a_failure_after_the_charge_never_keeps_the_customers_money(tmp_path: Path, town: Town) -> None:
    for acts in ([Act.REFUSE], [Act.FAIL] * 6, [Act.LOSE] * 6, [Act.GARBLE] * 6):
        async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
            order_id = new_id()
            town.kitchen.script("handover", *acts, order_id=order_id)
            await stage.accept(order_id)

            assert (await stage.to_the_end(order_id)).status == "FAILED"
            assert town.taken(order_id) == stage.held(order_id) == 0


@story
async def test_a_refund_that_failed_is_never_shown_as_done(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
        town.bank.script("refund", *[Act.FAIL] * 50, order_id=order_id)
        await stage.place(order_id)
        await stage.pass_time(10 * MINUTE)

        assert stage.status(order_id) == "REFUND_PENDING"
        assert town.moves(order_id) == ["charge"]


@story
async def test_a_charge_that_timed_out_is_not_taken_for_a_failure(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.bank.script("charge", Act.DROP, order_id=order_id)
        await stage.accept(order_id)

        assert (await stage.to_the_end(order_id)).status == "SUCCESS"
        assert town.taken(order_id) == 3000


# ── idempotency ───────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_two_real_identical_orders_are_two_orders(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as stage:
        one, other = await stage.place(), await stage.place()

        assert stage.held(one) == stage.held(other) == 3000


@story
async def test_a_key_is_compared_with_the_order_and_its_user(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        assert await stage.accept(order_id) == order_id

        for other in ({"quantity": 4}, {"user_id": "somebody else"}, {"email": "a@example.com"}):
            with pytest.raises(IdempotencyKeyReused):
                await stage.accept(order_id, **other)


@story
async def test_digits_in_a_text_and_the_number_are_the_same_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place(quantity="3")

        assert await stage.accept(order_id, quantity=3) == order_id


# ── whose order ───────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_nobody_reads_lists_or_alters_anothers_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place(user_id="ann")
        ann, bob = Caller("ann", operator=False), Caller("bob", operator=False)

        assert stage.home.read(lambda work: orders.page(work, bob, Query(user_id="ann"))).items == ()
        assert len(stage.home.read(lambda work: orders.page(work, ann, Query())).items) == 1
        for use in (orders.find, orders.cancel, orders.delete):
            with pytest.raises(OrderNotFound):
                stage.home.read(partial(use, caller=bob, order_id=order_id))


@story
async def test_a_known_customer_orders_for_nobody_else(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id, draft = new_id(), convert({**BURGERS, "user_id": "demo_user"}, Draft)
        ann = Caller("ann", operator=False)
        with pytest.raises(OwnerRefused):
            await stage.home.write(lambda work: intake.accept(work, ann, draft, order_id), "accept")

        assert stage.home.read(lambda work: work.orders.accepted(order_id)) is None


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────────────


@story
async def test_no_status_of_the_restaurant_leaves_the_order_waiting_for_ever(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[Act.FAIL, Act.LOSE, Act.GARBLE, Act.DROP] * 3, order_id=order_id)
        await stage.accept(order_id)

        assert (await stage.to_the_end(order_id, within=10 * MINUTE)).ended


@pytest.mark.parametrize("file", WORKFLOWS)
def test_every_task_has_a_timeout_a_retry_of_everything_and_a_catch_of_everything(file: str) -> None:
    definition = json.loads(contracts.read(file))
    assert "TimeoutSeconds" not in definition
    for name, state in definition["States"].items():
        if state["Type"] == "Task":
            assert "TimeoutSecondsPath" in state or state["TimeoutSeconds"] > 0, name
            assert state["Retry"][-1]["ErrorEquals"] == state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
            assert {"BackoffRate", "MaxDelaySeconds", "JitterStrategy"} <= state["Retry"][-1].keys(), name


@pytest.mark.parametrize("file", WORKFLOWS)
def test_the_workflow_is_valid_json_whose_placeholders_are_our_tasks(file: str) -> None:
    tasks = [it for it in json.loads(contracts.read(file))["States"].values() if it["Type"] == "Task"]
    named = {state.get("Parameters", {}).get("FunctionName", state["Resource"]) for state in tasks}

    assert named <= {f"${{{name}}}" for name in TASKS}


@story
async def test_stuck_work_ends_at_the_operator_and_says_which_step_failed(tmp_path: Path) -> None:
    """Every other way out of the workflow is taken, and the refund tried for weeks; only then the alarm."""
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        # As if another program had written a status that no workflow can go on from.
        await stage.home.write(lambda work: broken(work, order_id), "break")
        await stage.advance(30 * SECOND)
        await stage.pass_time(45 * DAY)

        assert stage.states(order_id)[-1] == "OrderNeedsOperator"
        assert stage.events(order_id)[-1] == "ExecutionFailed"


def broken(work: Work, order_id: str) -> None:
    order = work.orders.find(order_id)
    assert order is not None
    ended = msgspec.structs.replace(order, status="FAILED", version=order.version + 1)
    work.orders.apply(order, Outcome(msgspec.convert(msgspec.to_builtins(ended), type(order))))
