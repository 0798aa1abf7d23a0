"""An execution that ended unsuccessfully goes on at a state of its own, and its history stays one true line."""

from typing import Any

import msgspec

from expediter.asl import (
    Execution,
    Redriven,
    ScheduleTask,
    Started,
    TaskFailed,
    TaskSucceeded,
    advance,
    fixed_context,
    new_execution,
    parse,
    replay,
)

DEFINITION: dict[str, Any] = {
    "StartAt": "Save",
    "States": {
        "Save": {"Type": "Pass", "Assign": {"kept": "yes"}, "Next": "Pay"},
        "Pay": {
            "Type": "Task",
            "Resource": "Pay",
            "ResultPath": "$.paid",
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Alarm"}],
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Pass",
            "Parameters": {"kept.$": "$kept", "name.$": "$$.Execution.Name", "paid.$": "$.paid"},
            "End": True,
        },
        "Alarm": {"Type": "Fail", "Error": "NeedsSomebody"},
    },
}
MACHINE = parse(DEFINITION)
BEGUN = Started(at=1, seed=1, input={"amount": 3}, context=fixed_context({"Execution": {"Name": "one"}}))
REDRIVEN = Redriven(at=9, seed=4, state="Pay", input={"amount": 5})


def stored(execution: Execution) -> Execution:
    """The execution as it comes back from a file."""
    return msgspec.json.decode(msgspec.json.encode(execution), type=Execution)


def failed() -> tuple[Execution, int, list[Any]]:
    """An execution that failed, the number of its task, and the events so far."""
    execution, (task,) = advance(MACHINE, new_execution(), BEGUN)
    assert isinstance(task, ScheduleTask)
    event = TaskFailed(at=2, seed=2, task=task.task, error="Broken")
    execution, _ = advance(MACHINE, execution, event)
    assert execution.status == "FAILED"
    return stored(execution), task.task, [BEGUN, event]


def test_a_failed_execution_goes_on_at_the_state_with_the_input_it_is_given() -> None:
    execution, _, _ = failed()
    execution, (task,) = advance(MACHINE, execution, REDRIVEN)
    assert isinstance(task, ScheduleTask)
    assert (execution.status, task.state, task.input) == ("RUNNING", "Pay", {"amount": 5})
    execution, _ = advance(MACHINE, stored(execution), TaskSucceeded(at=10, seed=5, task=task.task, output="ok"))
    assert (execution.status, execution.output) == ("SUCCEEDED", {"kept": "yes", "name": "one", "paid": "ok"})


def test_an_answer_from_before_the_redrive_stays_late() -> None:
    execution, old, _ = failed()
    going, _ = advance(MACHINE, execution, REDRIVEN)
    assert advance(MACHINE, going, TaskSucceeded(at=10, seed=5, task=old, output="ok")) == (going, ())


def test_the_history_goes_on_in_one_line_and_can_be_derived_again() -> None:
    execution, _, events = failed()
    written: list[Any] = []
    going, _ = advance(MACHINE, execution, REDRIVEN, written)
    history = replay(MACHINE, [*events, REDRIVEN])
    assert [event.id for event in history] == list(range(1, going.events + 1))
    assert history[-len(written) :] == written
    assert [event.type for event in written][:3] == ["ExecutionRedriven", "TaskStateEntered", "LambdaFunctionScheduled"]


def test_only_an_execution_that_ended_unsuccessfully_is_redriven() -> None:
    running, _ = advance(MACHINE, new_execution(), BEGUN)
    assert advance(MACHINE, running, REDRIVEN) == (running, ())
    ended, _, _ = failed()
    nowhere = Redriven(at=9, seed=4, state="Elsewhere", input={})
    assert advance(MACHINE, ended, nowhere) == (ended, ())


def test_the_context_counts_redrives_and_says_when_the_last_one_was() -> None:
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "Pay", "ResultPath": None, "Next": "Tell"},
            "Tell": {"Type": "Pass", "Parameters": {"n.$": "$$.Execution.RedriveCount"}, "Next": "When"},
            "When": {"Type": "Pass", "Parameters": {"n.$": "$.n", "at.$": "$$.Execution.RedriveTime"}, "End": True},
        },
    }
    machine, context = parse(definition), fixed_context({"Execution": {"Name": "one", "RedriveCount": 0}})
    execution, (task,) = advance(machine, new_execution(), Started(at=1, seed=1, input={}, context=context))
    for at in (2, 3):
        assert isinstance(task, ScheduleTask)
        execution, _ = advance(machine, execution, TaskFailed(at=at, seed=at, task=task.task, error="Broken"))
        event = Redriven(at=1_000 * at, seed=at, state="Pay", input={})
        execution, (task,) = advance(machine, stored(execution), event)
    assert isinstance(task, ScheduleTask)
    ended, _ = advance(machine, execution, TaskSucceeded(at=9, seed=9, task=task.task, output=None))

    assert ended.output == {"n": 2, "at": "1970-01-01T00:00:03.000Z"}
