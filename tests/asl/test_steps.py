"""A row of steps leads where the same steps lead one by one, also where several of them concern one line."""

from collections.abc import Callable
from typing import Any

from expediter.asl import (
    AnyEvent,
    Command,
    End,
    ScheduleTask,
    Started,
    StartTimer,
    Steps,
    Stopped,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    parse,
)

CHARGE = {"Type": "Task", "Resource": "Charge"}


def led_alike(definition: dict[str, Any], given: Any, answer: Callable[[Command], AnyEvent | None]) -> str:
    """The status that both ways lead to, with the same value and the same commands."""
    machine = parse(definition)
    steps, stored = Steps(machine, new_execution()), new_execution()
    row: list[AnyEvent] = [Started(at=0, seed=1, input=given)]
    for event in row:
        stored, asked = advance(machine, stored, event)
        assert tuple(steps.take(event)) == asked
        row.extend(follows for command in asked if (follows := answer(command)) is not None)
    assert steps.freeze() == stored
    return stored.status


PROCESSOR = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "First",
    "States": {"First": {**CHARGE, "Next": "Second"}, "Second": {**CHARGE, "End": True}},
}
EACH = {"Type": "Map", "ItemProcessor": PROCESSOR, "Next": "Last"}
CHILDREN = {"StartAt": "Each", "States": {"Each": EACH, "Last": {**CHARGE, "End": True}}}


def test_the_events_of_a_child_execution_are_counted_in_its_own_numbers_at_each_step() -> None:
    def done(command: Command) -> AnyEvent | None:
        return TaskSucceeded(at=1, seed=2, task=command.task, output={}) if isinstance(command, ScheduleTask) else None

    assert led_alike(CHILDREN, ["an item"], done) == "SUCCEEDED"


def test_an_execution_that_is_stopped_after_a_step_of_a_child_ends_in_its_own_numbers() -> None:
    def stopped(command: Command) -> AnyEvent | None:
        if isinstance(command, ScheduleTask) and command.state == "First":
            return TaskSucceeded(at=1, seed=2, task=command.task, output={})
        return Stopped(at=2, seed=3) if isinstance(command, ScheduleTask) else None

    assert led_alike(CHILDREN, ["an item"], stopped) == "ABORTED"


def test_an_answer_that_comes_after_the_end_of_the_execution_changes_nothing() -> None:
    definition = {"StartAt": "Only", "States": {"Only": {**CHARGE, "End": True}}}
    asked: list[int] = []

    def late(command: Command) -> AnyEvent | None:
        if isinstance(command, ScheduleTask):
            asked.append(command.task)
            return Stopped(at=1, seed=2)
        return TaskSucceeded(at=2, seed=3, task=asked[0], output={}) if isinstance(command, End) else None

    assert led_alike(definition, {}, late) == "ABORTED"


def test_chance_begins_anew_with_each_step() -> None:
    jittered = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "JitterStrategy": "FULL"}
    definition = {"StartAt": "Only", "States": {"Only": {**CHARGE, "Retry": [jittered], "End": True}}}

    def failed(command: Command) -> AnyEvent | None:
        if isinstance(command, StartTimer):
            return TimerFired(at=command.at, seed=3, timer=command.timer)
        return TaskFailed(at=1, seed=2, task=command.task, error="Busy") if isinstance(command, ScheduleTask) else None

    assert led_alike(definition, {}, failed) == "FAILED"
