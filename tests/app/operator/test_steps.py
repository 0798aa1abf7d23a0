"""An execution's history seen state by state."""

from pathlib import Path
from typing import Any

from expediter.app.operator.steps import END, START, Way, way
from tests.support.stage import SECOND, Stage, opened, story
from tests.support.town import Act, standing


def walked(stage: Stage, order_id: str) -> Way:
    history = stage.home.read(lambda work: work.workflows.history(order_id))
    return way(history or [])


@story
async def test_an_order_under_way_stands_in_its_current_state(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        found = walked(stage, order_id)
        assert {step.name: step.outcome for step in found.steps} == {
            "InitializeOrder": "done",
            "ProcessPayment": "done",
            "PaymentChoice": "done",
            "Hold": "current",
        }
        assert found.taken == {
            (START, "InitializeOrder"),
            ("InitializeOrder", "ProcessPayment"),
            ("ProcessPayment", "PaymentChoice"),
            ("PaymentChoice", "Hold"),
        }
        held = found.steps[-1]
        assert (held.left_at, held.kind, held.input["payment"]) == (None, "Wait", {"status": "ok"})


@story
async def test_an_order_that_ended_has_left_every_state(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        order_id = await stage.place()
        await stage.to_the_end(order_id)
        found = walked(stage, order_id)
        assert {step.outcome for step in found.steps} == {"done"}
        assert ("CompleteOrder", END) in found.taken
        hold = next(step for step in found.steps if step.name == "Hold")
        assert hold.left_at == hold.entered_at + 30 * SECOND


@story
async def test_a_failed_state_shows_its_tries_and_errors(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, **town.settings) as stage:
            order_id = "0198d2a0-0000-7000-8000-0000000000aa"
            town.bank.script("charge", *[Act.FAIL] * 6, order_id=order_id)
            await stage.place(order_id)
            await stage.to_the_end(order_id)
            found = walked(stage, order_id)
            paid = next(step for step in found.steps if step.name == "ProcessPayment")
            assert (paid.outcome, paid.tries, len(paid.errors)) == ("failed", 6, 6)
            assert {error.name for error in paid.errors} == {"PaymentUnavailable"}
            assert ("ProcessPayment", "OweRefund") in found.taken


def test_nothing_has_happened_before_the_first_event() -> None:
    assert way([]) == Way((), frozenset())


def test_the_states_of_branches_are_told_apart_by_the_line_their_events_belong_to() -> None:
    def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
        return {"id": number, "previous": previous, "at": number, "type": kind, "details": details}

    found = way(
        [
            event(1, 0, "ExecutionStarted"),
            event(2, 1, "ParallelStateEntered", name="Both", input={}),
            event(3, 2, "ParallelStateStarted"),
            event(4, 3, "TaskStateEntered", name="Left", input={}),
            event(5, 3, "TaskStateEntered", name="Right", input={}),
            event(6, 4, "LambdaFunctionScheduled"),
            event(7, 5, "LambdaFunctionScheduled"),
            event(8, 7, "LambdaFunctionFailed", error="Broken", cause="why"),
        ]
    )
    errors = {step.name: [error.name for error in step.errors] for step in found.steps}
    assert errors == {"Both": [], "Left": [], "Right": ["Broken"]}
