"""One execution from its start to its end: time, stops, limits, what is stored."""

from typing import Any

import msgspec
import pytest

from expediter.asl import (
    AnyEvent,
    Command,
    End,
    Execution,
    ScheduleTask,
    Started,
    StartTimer,
    Stopped,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    outstanding,
    parse,
    replay,
)
from tests.asl.helpers import run_state, run_states

WAITING = {"StartAt": "W", "TimeoutSeconds": 60, "States": {"W": {"Type": "Wait", "Seconds": 100, "End": True}}}


def begun(definition: dict[str, Any], given: Any = None) -> tuple[Any, Execution, tuple[Any, ...]]:
    machine = parse(definition)
    execution, commands = advance(machine, new_execution(), Started(at=1000, seed=1, input=given))
    return machine, execution, commands


def test_an_execution_that_runs_out_of_its_own_time_is_timed_out_without_error_or_cause() -> None:
    machine, execution, commands = begun(WAITING)
    deadline, wait = commands

    ended, last = advance(machine, execution, TimerFired(at=61_000, seed=1, timer=deadline.timer))

    assert (deadline.at, wait.at) == (61_000, 101_000)
    assert last == (End("TIMED_OUT"),)
    assert ended.status == "TIMED_OUT"
    assert set(outstanding(machine, execution)) == {deadline, wait}


def test_a_stopped_execution_is_aborted_with_what_the_stopper_said() -> None:
    machine, execution, _ = begun(WAITING)

    ended, (end,) = advance(machine, execution, Stopped(at=2000, seed=1, error="Mine", cause="enough"))

    assert end == End("ABORTED", error="Mine", cause="enough")
    assert (ended.status, ended.error, ended.cause) == ("ABORTED", "Mine", "enough")


@pytest.mark.parametrize("event", [Stopped(at=2000, seed=1), TimerFired(at=61_000, seed=1, timer=1)])
def test_an_execution_that_is_ended_from_outside_is_as_it_was_for_the_caller(event: AnyEvent) -> None:
    machine, execution, _ = begun(WAITING)
    before = msgspec.json.encode(execution)

    ended, _ = advance(machine, execution, event)

    assert ended.status in {"ABORTED", "TIMED_OUT"}
    assert msgspec.json.encode(execution) == before


@pytest.mark.parametrize(
    ("fields", "given", "due"),
    [
        ({"Seconds": 0}, {}, 1000),
        ({"Seconds": 2}, {}, 3000),
        ({"SecondsPath": "$.s"}, {"s": 3}, 4000),
        ({"SecondsPath": "$.s"}, {"s": 0}, 1000),
        ({"InputPath": "$.a", "SecondsPath": "$.s"}, {"a": {"s": 3}}, 4000),
        ({"SecondsPath": "$.s"}, {"s": 99_999_999}, 99_999_999_000 + 1000),
        ({"Timestamp": "1970-01-01T01:00:05.5+01:00"}, {}, 5500),
        ({"TimestampPath": "$.t"}, {"t": "1970-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_wait_always_starts_a_timer_even_for_no_time(fields: dict[str, Any], given: Any, due: int) -> None:
    _, _, commands = begun({"StartAt": "W", "States": {"W": {"Type": "Wait", **fields, "End": True}}}, given)

    assert commands == (StartTimer(timer=1, at=due),)


@pytest.mark.parametrize(
    ("fields", "given", "words"),
    [
        ({"SecondsPath": "$.s"}, {}, "The SecondsPath parameter does not reference an input value: $.s"),
        ({"SecondsPath": "$.s"}, {"s": 1.5}, "The SecondsPath parameter cannot be parsed as a long value: $.s == 1.5"),
        ({"SecondsPath": "$.s"}, {"s": -1}, "The SecondsPath parameter references a negative value: $.s == -1"),
        ({"TimestampPath": "$.t"}, {"t": "2026-01-01T00:00:00"}, "$.t == 2026-01-01T00:00:00"),
    ],
)
def test_a_wait_for_what_is_no_time_says_what_it_found(fields: dict[str, Any], given: Any, words: str) -> None:
    done = run_state({"Type": "Wait", **fields}, given)

    assert done.error == "States.Runtime"
    assert str(done.cause).endswith(words)


def test_times_of_a_task_by_path_begin_at_its_effective_input() -> None:
    task = {"Type": "Task", "Resource": "W", "InputPath": "$.a", "TimeoutSecondsPath": "$.t", "End": True}
    task["HeartbeatSecondsPath"] = "$.h"

    _, _, (asked,) = begun({"StartAt": "T", "States": {"T": task}}, {"a": {"t": 9, "h": 2}})
    wrong = run_state(task, {"a": {"t": "soon", "h": 2}})

    assert isinstance(asked, ScheduleTask)
    assert (asked.timeout_seconds, asked.heartbeat_seconds) == (9, 2)
    assert "The TimeoutSecondsPath parameter cannot be parsed as a positive integer: $.t == soon" in str(wrong.cause)


@pytest.mark.parametrize("field", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
def test_a_time_by_a_path_that_leads_nowhere_fails_as_in_a_template(field: str) -> None:
    done = run_state({"Type": "Task", "Resource": "W", "InputPath": "$.a", field: "$.t"}, {"a": {"x": 1}})

    assert done.error == "States.Runtime"
    told = f"The JSONPath '$.t' specified for the field '{field}' could not be found in the input '{{\"x\":1}}'"
    assert str(done.cause).endswith(told)


def test_what_a_service_is_asked_with_is_looked_at_also_where_it_is_the_input_as_it_came() -> None:
    resource = "arn:aws:states:::apigateway:invoke"

    done = run_state({"Type": "Task", "Resource": resource}, {"Headers": {"Accept": "no list"}})

    assert (done.status, done.error) == ("FAILED", "States.Runtime")
    assert "'Headers' has an invalid format" in (done.cause or "")


def test_fail_names_its_error_by_field_by_path_and_by_function() -> None:
    assert run_state({"Type": "Fail", "Error": "E"}).error == "E"
    assert run_state({"Type": "Fail", "Error": "E"}).cause is None
    by_path = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}!', $.c)"}
    done = run_state(by_path, {"e": "E", "c": "why"})
    assert (done.error, done.cause) == ("E", "why!")
    missing = run_state({"Type": "Fail", "ErrorPath": "$.no"}, {"x": 1})
    assert "The JSONPath '$.no' specified for the field 'ErrorPath' could not be found" in str(missing.cause)


def test_an_execution_is_a_few_hundred_bytes_of_json_and_comes_back_equal() -> None:
    states = {
        "One": {"Type": "Pass", "Result": {"ok": True}, "ResultPath": "$.r", "Assign": {"v": 1}, "Next": "Two"},
        "Two": {"Type": "Task", "Resource": "Work", "TimeoutSeconds": 5, "End": True},
    }
    _, execution, _ = begun({"StartAt": "One", "States": states}, {"order": {"id": "x" * 36}})

    stored = msgspec.json.encode(execution)

    assert len(stored) < 300
    assert msgspec.json.decode(stored, type=Execution) == execution


def test_the_input_of_the_execution_is_kept_only_for_machines_that_look_at_it() -> None:
    task = {"Type": "Task", "Resource": "Work", "InputPath": None, "End": True}
    looks = {**task, "Parameters": {"x.$": "$$.Execution.Input.secret"}}

    blind = begun({"StartAt": "T", "States": {"T": task}}, {"secret": "s" * 500})[1]
    seeing = begun({"StartAt": "T", "States": {"T": looks}}, {"secret": "s" * 500})[1]

    assert len(msgspec.json.encode(seeing)) > len(msgspec.json.encode(blind)) + 450


def test_a_token_is_unguessable_from_outside_and_the_same_after_a_crash() -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"token.$": "$$.Task.Token"},
        "End": True,
    }
    machine, execution, (asked,) = begun({"StartAt": "T", "States": {"T": task}})
    other = advance(machine, new_execution(), Started(at=1000, seed=2, input=None))[1][0]

    assert isinstance(asked, ScheduleTask)
    assert asked.token is not None
    assert asked.input == {"token": asked.token}
    assert len(asked.token) == 64
    assert isinstance(other, ScheduleTask)
    assert other.token != asked.token
    assert outstanding(machine, execution) == (asked,)


def test_an_endless_loop_ends_at_the_limit_of_history_events() -> None:
    states = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$$.State.Name", "StringEquals": "C", "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    }

    done = run_states(states)

    assert (done.status, done.error) == ("FAILED", "States.Runtime")
    assert done.cause == "The execution reached the maximum number of history events (25000)."
    assert done.events[-1]["id"] == 25_000


def test_history_has_the_types_numbers_and_texts_that_aws_gives() -> None:
    history = run_states(
        {
            "Pay": {"Type": "Task", "Resource": "Bank", "ResultPath": "$.r", "Assign": {"v.$": "$"}, "Next": "Send"},
            "Send": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True},
        },
        {"a": 1},
        mocks={"Bank": [{"result": "ok"}], "arn:aws:states:::sns:publish": [{"result": {}}]},
    ).events

    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert history[5] == {
        "timestamp": "2026-01-01T00:00:00.000Z",
        "type": "TaskStateExited",
        "id": 6,
        "previousEventId": 5,
        "stateExitedEventDetails": {
            "name": "Pay",
            "output": '{"a":1,"r":"ok"}',
            "outputDetails": {"truncated": False},
            "assignedVariables": {"v": '"ok"'},
            "assignedVariablesDetails": {"truncated": False},
        },
    }
    assert history[7]["taskScheduledEventDetails"]["resourceType"] == "sns"
    assert "lambdaFunctionStartedEventDetails" not in history[3]


@pytest.mark.parametrize(
    ("resource", "answer", "kinds"),
    [
        ("arn:aws:states:::states:startExecution.sync:2", {"result": 1}, ["TaskSubmitted", "TaskSucceeded"]),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", {"timed_out": True}, ["TaskSubmitted", "TaskTimedOut"]),
        ("arn:aws:states:::states:startExecution.sync", {"failed": True}, ["TaskFailed"]),
        (
            "arn:aws:states:::states:startExecution.sync",
            {"failed": True, "submitted": {}},
            ["TaskSubmitted", "TaskFailed"],
        ),
        ("arn:aws:states:us-east-1:111111111111:activity:a", {"result": 1}, ["ActivityStarted", "ActivitySucceeded"]),
        ("Work", {"failed": True}, ["LambdaFunctionFailed"]),
    ],
)
def test_the_kind_of_a_task_shows_in_its_history(resource: str, answer: dict[str, Any], kinds: list[str]) -> None:
    done = run_state({"Type": "Task", "Resource": resource}, mocks={resource: [answer]})

    types = [event["type"] for event in done.events]
    scheduled = next(index for index, kind in enumerate(types) if kind.endswith("Scheduled"))
    answered = [kind for kind in types[scheduled + 1 :] if kind not in {"TaskStarted", "LambdaFunctionStarted"}]
    assert answered[: len(kinds)] == kinds


def test_events_and_commands_are_values_that_can_be_stored_as_json() -> None:
    events: list[AnyEvent] = [Started(at=1, seed=1, input={}), TimerFired(at=2, seed=2, timer=3), Stopped(at=3, seed=3)]
    commands: list[Command] = [ScheduleTask(1, "S", "R", {"a": 1}), StartTimer(2, 5), End("SUCCEEDED", 1)]

    assert msgspec.json.decode(msgspec.json.encode(events), type=list[AnyEvent]) == events
    assert msgspec.json.decode(msgspec.json.encode(commands), type=list[Command]) == commands


def test_history_is_derived_again_from_the_events_alone() -> None:
    machine = parse({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "W", "End": True}}})
    events: list[AnyEvent] = [Started(at=1, seed=1, input={}), TaskSucceeded(at=2, seed=2, task=1, output=3)]
    written: list[Any] = []
    execution = new_execution()
    for event in events:
        execution, _ = advance(machine, execution, event, written)

    assert replay(machine, events) == written
    assert [event.at for event in written] == [1, 1, 1, 1, 2, 2, 2]
    assert execution.events == len(written)
