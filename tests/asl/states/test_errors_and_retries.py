"""Retry, Catch, timeouts: what a failed task leads to."""

from typing import Any

import pytest

from expediter.asl import (
    Execution,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TimerFired,
    advance,
    new_execution,
    parse,
)
from expediter.asl.states.retry import Retrier, matches
from tests.asl.helpers import run_state, run_states

BROKEN: dict[str, Any] = {"failed": True, "error": "Broken"}
DECLINED: dict[str, Any] = {"failed": True, "error": "Declined", "cause": "no money"}


def task(**fields: Any) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = {
        "Pay": {"Type": "Task", "Resource": "Bank", "TimeoutSeconds": 5, **fields, "Next": "Paid"},
        "Paid": {"Type": "Pass", "End": True},
    }
    return {**states, "Caught": {"Type": "Pass", "End": True}} if "Catch" in fields else states


@pytest.mark.parametrize(
    ("errors", "error", "matched"),
    [
        (("Declined",), "Declined", True),
        (("States.ALL",), None, True),
        (("States.TaskFailed",), "Declined", True),
        (("States.TaskFailed",), "States.Timeout", False),
        (("State.ALL",), "Declined", False),
        (("States.Timeout",), "Declined", False),
    ],
)
def test_errorequals_matches_names_exactly_and_knows_two_wildcards(
    errors: tuple[str, ...], error: str | None, matched: bool
) -> None:
    assert matches(errors, error) is matched


def test_the_delay_grows_to_its_cap_and_full_jitter_takes_a_part_of_it() -> None:
    retrier = Retrier(("States.ALL",), interval=2, backoff=3, max_delay=10)

    assert [retrier.delay(done, 0.5) for done in range(3)] == [2000, 6000, 10_000]
    assert retrier._replace(jitter=True).delay(1, 0.5) == 3000
    assert Retrier(("X",), backoff=1e300).delay(9, 0) > 0


def test_a_retry_waits_then_asks_again_under_a_new_number() -> None:
    machine = parse({"StartAt": "Pay", "States": task(Retry=[{"ErrorEquals": ["Declined"], "IntervalSeconds": 3}])})
    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input={}))

    execution, waiting = advance(machine, execution, TaskFailed(at=500, seed=1, task=1, error="Declined"))
    again = advance(machine, execution, TimerFired(at=3500, seed=1, timer=2))[1]

    assert waiting == (StartTimer(timer=2, at=3500),)
    assert commands == (ScheduleTask(1, "Pay", "Bank", {}, 0, timeout_seconds=5),)
    assert again == (ScheduleTask(3, "Pay", "Bank", {}, 1, timeout_seconds=5),)


def test_retries_do_not_enter_the_state_again_and_run_out() -> None:
    states = task(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "BackoffRate": 2}])

    done = run_states(states, mocks={"Bank": [DECLINED] * 3})

    assert (done.status, done.error, done.cause) == ("FAILED", "Declined", "no money")
    assert done.states_entered == ["Pay"]
    assert done.seconds == 3
    assert [event["type"] for event in done.events].count("LambdaFunctionScheduled") == 3


def test_the_first_retrier_that_names_the_error_decides_alone() -> None:
    retriers = [{"ErrorEquals": ["Declined"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]

    assert run_states(task(Retry=retriers), mocks={"Bank": [DECLINED]}).error == "Declined"


def test_each_visit_of_a_state_has_its_own_retries() -> None:
    states = {
        "Pay": {**task()["Pay"], "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}], "Next": "Again"},
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.again", "BooleanEquals": True, "Next": "Pay"}],
            "Default": "Paid",
        },
        "Paid": {"Type": "Succeed"},
    }
    answers = [DECLINED, {"result": {"again": True}}, DECLINED, {"result": {"again": False}}]

    assert run_states(states, mocks={"Bank": answers}).status == "SUCCEEDED"


def test_catch_puts_the_error_where_its_resultpath_says_and_skips_the_shaping_of_the_state() -> None:
    catchers = [{"ErrorEquals": ["Declined"], "ResultPath": "$.why", "Next": "Caught"}]

    done = run_states(task(Catch=catchers, OutputPath="$.no.such"), {"order": 1}, mocks={"Bank": [DECLINED]})

    assert done.output == {"order": 1, "why": {"Error": "Declined", "Cause": "no money"}}


def test_catch_assigns_and_shapes_in_jsonata() -> None:
    states = {
        "Pay": {
            "Type": "Task",
            "Resource": "Bank",
            "Catch": [
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "Assign": {"why": "{% $states.errorOutput.Cause %}"},
                    "Output": {"was": "{% $states.input %}"},
                    "Next": "Caught",
                }
            ],
            "End": True,
        },
        "Caught": {"Type": "Pass", "Output": "{% [$why, $states.input.was] %}", "End": True},
    }

    done = run_states(states, 7, language="JSONata", mocks={"Bank": [DECLINED]})

    assert done.output == ["no money", 7]


def test_a_timeout_is_an_error_without_cause_and_caught_an_empty_one() -> None:
    late = {"Bank": [{"timed_out": True}]}

    failed = run_states(task(), mocks=late)
    caught = run_states(task(Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Caught"}]), mocks=late)

    assert (failed.status, failed.error, failed.cause, failed.seconds) == ("FAILED", "States.Timeout", None, 5)
    assert caught.output == {"Error": "States.Timeout", "Cause": ""}


def test_a_failure_without_a_name_is_caught_by_states_all_only() -> None:
    nameless = {"Bank": [{"failed": True}]}

    caught = run_states(task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]), mocks=nameless)
    failed = run_states(task(Catch=[{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}]), mocks=nameless)

    assert caught.output == {"Error": None, "Cause": None}
    assert (failed.status, failed.error) == ("FAILED", None)


def test_a_late_answer_to_an_earlier_try_changes_nothing() -> None:
    machine = parse({"StartAt": "Pay", "States": task(Retry=[{"ErrorEquals": ["States.ALL"]}])})
    execution: Execution = advance(machine, new_execution(), Started(at=0, seed=1, input={}))[0]
    execution = advance(machine, execution, TaskFailed(at=1, seed=1, task=1, error="Declined"))[0]

    assert advance(machine, execution, TaskFailed(at=2, seed=1, task=1, error="Declined")) == (execution, ())


def test_a_group_that_is_entered_again_has_all_its_retries_again() -> None:
    work = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "Work", "End": True}}}
    rule = {"Variable": "$[0].again", "BooleanEquals": True, "Next": "P"}
    states = {
        "P": {
            "Type": "Parallel",
            "Branches": [work],
            "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}],
            "Next": "C",
        },
        "C": {"Type": "Choice", "Choices": [rule], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    }

    done = run_states(
        states, mocks={"Work": [BROKEN, {"result": {"again": True}}, BROKEN, {"result": {"again": False}}]}
    )

    assert done.output == [{"again": False}]


def test_every_retrier_counts_its_own_retries() -> None:
    state = {
        "Type": "Task",
        "Resource": "Work",
        "Retry": [{"ErrorEquals": ["One"], "MaxAttempts": 1}, {"ErrorEquals": ["Two"], "MaxAttempts": 1}],
    }
    fails = [{"failed": True, "error": name} for name in ("One", "Two")]

    assert run_state(state, mocks={"Work": [*fails, {"result": 1}]}).output == 1


def test_a_service_that_answers_states_runtime_is_neither_retried_nor_caught() -> None:
    states = {
        "T": {
            "Type": "Task",
            "Resource": "Work",
            "Retry": [{"ErrorEquals": ["States.ALL"]}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }

    done = run_states(states, mocks={"Work": [{"failed": True, "error": "States.Runtime", "cause": "no"}]})

    assert (done.status, done.error) == ("FAILED", "States.Runtime")
