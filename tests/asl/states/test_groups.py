"""Parallel and Map: order of results, limits, what one failure means, children of a distributed Map."""

from typing import Any

import msgspec
import pytest

from expediter.asl import (
    ScheduleTask,
    Started,
    TaskFailed,
    TaskSucceeded,
    advance,
    new_execution,
    outstanding,
    parse,
)
from expediter.asl.cases import run_execution
from tests.asl.helpers import run_state, run_states

WORK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "Work", "End": True}}}
KEEP = {"StartAt": "Keep", "States": {"Keep": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
BROKEN = {"failed": True, "error": "Broken"}


def tasks(commands: tuple[Any, ...]) -> list[ScheduleTask]:
    return [command for command in commands if isinstance(command, ScheduleTask)]


def test_branches_run_at_once_and_their_results_stand_in_the_order_of_the_branches() -> None:
    branches = [
        {"StartAt": name, "States": {name: {"Type": "Task", "Resource": name, "End": True}}} for name in ("A", "B")
    ]
    machine = parse({"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}})
    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input={"x": 1}))
    first, second = tasks(commands)

    execution, none = advance(machine, execution, TaskSucceeded(at=1, seed=1, task=second.task, output="b"))
    execution, _ = advance(machine, execution, TaskSucceeded(at=2, seed=1, task=first.task, output="a"))

    assert none == ()
    assert (first.resource, first.input, second.resource) == ("A", {"x": 1}, "B")
    assert execution.output == ["a", "b"]


def test_a_failing_branch_ends_the_others_and_their_answers_no_longer_count() -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "F", "End": True}}}
    caught = [{"ErrorEquals": ["Broken"], "Next": "After"}]
    states = {
        "P": {"Type": "Parallel", "Branches": [WORK, failing], "Catch": caught, "End": True},
        "After": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    machine = parse({"StartAt": "P", "States": states})
    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input={}))
    work, fails = tasks(commands)

    execution, _ = advance(machine, execution, TaskFailed(at=1, seed=1, task=fails.task, error="Broken"))

    assert advance(machine, execution, TaskSucceeded(at=2, seed=1, task=work.task, output=1)) == (execution, ())
    assert [frame.state for frame in execution.frames.values()] == ["After"]


def test_a_map_that_fails_half_way_leaves_nothing_running() -> None:
    states = {
        "M": {
            "Type": "Map",
            "ItemSelector": {"x": "{% $states.context.Map.Item.Value.x %}"},
            "ItemProcessor": WORK,
            "Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "After"}],
            "End": True,
        },
        "After": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    machine = parse({"StartAt": "M", "QueryLanguage": "JSONata", "States": states})

    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input=[{"x": 1}, {"y": 2}]))

    assert tasks(commands) == []
    assert [frame.state for frame in execution.frames.values()] == ["After"]


def test_a_child_execution_that_never_ends_is_a_failed_item_at_its_own_limit_of_events() -> None:
    loop = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$$.State.Name", "StringEquals": "C", "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    }
    state = {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "A", "States": loop, **DISTRIBUTED},
        "ToleratedFailureCount": 1,
    }

    done = run_state(state, [0])

    assert (done.status, done.output) == ("SUCCEEDED", [])


def test_a_retried_group_starts_its_states_again_under_the_same_entry() -> None:
    state = {"Type": "Map", "ItemProcessor": WORK, "Retry": [{"ErrorEquals": ["Broken"], "MaxAttempts": 1}]}

    done = run_state(state, [1], mocks={"Work": [BROKEN, {"result": "ok"}]})

    assert done.output == ["ok"]
    assert done.states_entered == ["Only", "Work", "Work"]


def test_map_runs_no_more_than_maxconcurrency_at_once() -> None:
    state = {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": WORK, "End": True}
    machine = parse({"StartAt": "M", "States": {"M": state}})

    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input=[1, 2, 3]))
    execution, more = advance(machine, execution, TaskSucceeded(at=1, seed=1, task=tasks(commands)[1].task, output="b"))

    assert [task.input for task in tasks(commands)] == [1, 2]
    assert [task.input for task in tasks(more)] == [3]
    assert {task.input for task in tasks(outstanding(machine, execution))} == {1, 3}


def test_an_inline_map_never_runs_more_than_forty_at_once() -> None:
    machine = parse({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": WORK, "End": True}}})

    _, commands = advance(machine, new_execution(), Started(at=0, seed=1, input=list(range(50))))

    assert len(tasks(commands)) == 40


def test_the_selector_sees_the_input_of_the_map_and_the_item_in_the_context() -> None:
    selector = {"all.$": "$.name", "item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "literal": "$.name"}
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemSelector": selector, "ItemProcessor": KEEP}

    done = run_state(state, {"name": "n", "items": ["x"]})

    assert done.output == [{"all": "n", "item": "x", "at": 0, "literal": "$.name"}]


def test_inner_states_read_outer_variables_and_keep_their_own_to_themselves() -> None:
    inner = {"Type": "Pass", "Parameters": {"saw.$": "$outer"}, "Assign": {"mine": 1}, "End": True}
    states = {
        "Set": {"Type": "Pass", "Assign": {"outer": 5}, "Result": [0], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": inner}}, "Next": "Tell"},
        "Tell": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $exists($mine) %}", "End": True},
    }

    assert run_states(states).output is False


def test_map_over_nothing_is_an_empty_array_and_over_no_array_an_error() -> None:
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": KEEP}

    assert run_state(state, {"items": []}).output == []
    assert run_state(state, {"items": 1}).error == "States.Runtime"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("2", None),
        ("two", 'The MaxConcurrencyPath field refers to value "two" which is not a valid integer: $.most'),
        ({}, 'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.most'),
        (-1, "MaxConcurrency cannot be negative."),
    ],
)
def test_a_number_by_path_may_be_text_that_reads_as_one(value: Any, words: str | None) -> None:
    state = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrencyPath": "$.most", "ItemProcessor": KEEP}

    done = run_state(state, {"items": [1], "most": value})

    assert words is None or str(done.cause).endswith(words)
    assert (done.error is None) is (words is None)


def test_children_of_a_distributed_map_may_fail_up_to_the_tolerated_count() -> None:
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": {**WORK, **DISTRIBUTED}, "ToleratedFailureCount": 1}

    borne = run_state(state, [1, 2, 3], mocks={"Work": [{"result": "a"}, BROKEN, {"result": "c"}]})
    beyond = run_state(state, [1, 2, 3], mocks={"Work": [BROKEN, BROKEN]})

    assert borne.output == ["a", "c"]
    assert beyond.error == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize(("percentage", "borne"), [(33.4, True), (33.3, False), ("33.4", True)])
def test_a_tolerated_percentage_is_of_all_items(percentage: Any, borne: bool) -> None:
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {**WORK, **DISTRIBUTED},
        "ToleratedFailurePercentagePath": "$.most",
    }

    answers = {"Work": [{"result": 1}, BROKEN, {"result": 3}]}
    done = run_state(state, {"items": [1, 2, 3], "most": percentage}, mocks=answers)

    assert (done.status == "SUCCEEDED") is borne


def test_a_fault_inside_a_child_execution_is_only_a_failed_item() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "InputPath": "$.no", "End": True}}}
    state = {"Type": "Map", "ItemProcessor": {**inner, **DISTRIBUTED}, "ToleratedFailurePercentage": 50}

    done = run_state(state, [{"no": 1}, {}])

    assert done.output == [1]


def test_children_of_a_distributed_map_number_their_own_events_and_see_no_outer_variables() -> None:
    inner = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $exists($outer) %}", "End": True}
    states = {
        "Set": {"Type": "Pass", "Assign": {"outer": 5}, "Result": [0, 1], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": {"StartAt": "In", "States": {"In": inner}, **DISTRIBUTED}, "End": True},
    }

    done = run_states(states)

    assert done.output == [False, False]
    assert done.states_entered == ["Set", "M"]
    assert [event["id"] for event in done.events] == list(range(1, len(done.events) + 1))


CSV = "a,b\n1,2\n,,\n3\n   \n"


@pytest.mark.parametrize(
    ("config", "text", "items"),
    [
        ({"InputType": "JSON"}, "[1, {}]", [1, {}]),
        ({"InputType": "JSONL"}, '{"a":1}\n2\n', [{"a": 1}, 2]),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            CSV,
            [{"a": "1", "b": "2"}, {"a": "", "b": ""}, {"a": "3", "b": ""}, {"a": "   ", "b": ""}],
        ),
        ({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x"], "MaxItems": 1}, CSV, [{"x": "a"}]),
        ({"InputType": "CSV", "CSVDelimiter": "PIPE"}, "a|b\n1|2\n", [{"a": "1", "b": "2"}]),
    ],
)
def test_an_itemreader_reads_what_the_store_answers(config: dict[str, Any], text: str, items: list[Any]) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": {"Bucket": "b", "Key.$": "$.key"},
    }
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**KEEP, **DISTRIBUTED}}

    assert run_state(state, {"key": "k"}, objects={"b": {"k": text}}).output == items


@pytest.mark.parametrize(("text", "key"), [("1", "k"), ("[", "k"), ("[]", "missing")])
def test_an_object_that_cannot_be_read_is_an_error_with_a_name(text: str, key: str) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "b", "Key": key},
    }

    done = run_state(
        {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**KEEP, **DISTRIBUTED}}, objects={"b": {"k": text}}
    )

    assert done.error == "States.ItemReaderFailed"


def test_items_are_gathered_into_batches_and_results_written_to_the_store() -> None:
    state = {
        "Type": "Map",
        "ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"for.$": "$$.State.Name"}},
        "ItemProcessor": {**KEEP, **DISTRIBUTED},
    }
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "out", "Prefix": "runs"}}

    kept = run_state(state, [1, 2, 3])
    written = run_state({**state, "ResultWriter": writer}, [1, 2, 3])

    assert kept.output == [
        {"BatchInput": {"for": "Only"}, "Items": [1, 2]},
        {"BatchInput": {"for": "Only"}, "Items": [3]},
    ]
    assert written.output["ResultWriterDetails"]["Bucket"] == "out"
    assert written.output["ResultWriterDetails"]["Key"].startswith("runs/")


def test_a_recorded_case_reads_its_objects_from_the_case() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Parameters": {"Bucket": "b"},
    }
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**KEEP, **DISTRIBUTED}, "End": True}
    case = {
        "definition": {"StartAt": "M", "States": {"M": state}},
        "s3_objects": [{"bucket": "b", "key": "k", "body": "12345"}],
    }

    (entry,) = run_execution(case)["output"]

    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("k", 5, "STANDARD")


def test_a_stored_execution_is_not_altered_when_a_child_of_it_ends_or_fails() -> None:
    state = {
        "Type": "Map",
        "ItemProcessor": {**WORK, **DISTRIBUTED},
        "ToleratedFailureCount": 2,
        "End": True,
    }
    machine = parse({"StartAt": "M", "States": {"M": state}})
    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input=[1, 2, 3]))
    first, second, third = tasks(commands)
    events = (
        TaskFailed(at=1, seed=1, task=first.task, error="Broken"),
        TaskSucceeded(at=2, seed=1, task=second.task, output="b"),
        TaskFailed(at=3, seed=1, task=third.task, error="Broken"),
    )

    for event in events:
        stored = msgspec.json.encode(execution)
        following, _ = advance(machine, execution, event)
        assert msgspec.json.encode(execution) == stored
        execution = following

    assert (execution.status, execution.output) == ("SUCCEEDED", ["b"])
