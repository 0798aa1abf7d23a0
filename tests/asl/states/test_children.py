"""The frames inside Parallel and Map: what they see, what they count, and what they leave behind."""

from typing import Any

import msgspec

from expediter.asl import (
    Execution,
    Machine,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    outstanding,
    parse,
)
from tests.asl.helpers import run_state, run_states

WORK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "Work", "End": True}}}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
BROKEN = {"failed": True, "error": "Broken"}
READER = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}


def only(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """A machine of this one state, for the inside of a Parallel or Map."""
    return {"StartAt": name, "States": {name: {"End": True, **state}}}


def endless(state: dict[str, Any]) -> dict[str, Any]:
    """A machine that enters this state again and again; its end is never reached."""
    never = [{"Variable": "$$.State.Name", "StringEquals": "", "Next": "End"}]
    again = {"Type": "Choice", "Choices": never, "Default": "Loop"}
    return {
        "StartAt": "Loop",
        "States": {"Loop": {**state, "Next": "Again"}, "Again": again, "End": {"Type": "Succeed"}},
    }


def started(definition: dict[str, Any], given: Any) -> tuple[Machine, Execution, list[Any]]:
    machine = parse(definition)
    execution, commands = advance(machine, new_execution(), Started(at=0, seed=1, input=given))
    return machine, execution, list(commands)


def previous(events: list[dict[str, Any]], kind: str) -> str:
    """The type of the event that the first event of this type names as the one before it."""
    by_id = {event["id"]: event for event in events}
    found = next(event for event in events if event["type"] == kind)
    return str(by_id[found["previousEventId"]]["type"])


def test_a_branch_that_ends_at_once_leaves_no_frame() -> None:
    branches = [WORK, only("Pass", {"Type": "Pass"})]
    _, execution, _ = started(only("P", {"Type": "Parallel", "Branches": branches}), {})

    assert [frame.state for frame in execution.frames.values()] == ["P", "Work"]


def test_after_a_parallel_its_frame_has_no_children() -> None:
    states = {
        "P": {"Type": "Parallel", "Branches": [only("Pass", {"Type": "Pass"})], "Next": "After"},
        "After": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    _, execution, _ = started({"StartAt": "P", "States": states}, {})

    assert execution.frames[0].group is None


def test_a_task_of_a_branch_that_is_ended_in_the_same_step_is_not_asked_for() -> None:
    states = {
        "P": {
            "Type": "Parallel",
            "Branches": [WORK, {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Late"}}}],
            "Catch": [{"ErrorEquals": ["Late"], "Next": "After"}],
            "End": True,
        },
        "After": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    _, _, commands = started({"StartAt": "P", "States": states}, {})

    assert [type(command) for command in commands] == [StartTimer]


def test_results_stand_in_the_order_of_the_items_whichever_ends_first() -> None:
    machine, execution, commands = started(only("M", {"Type": "Map", "ItemProcessor": WORK}), [1, 2, 3])

    for place in (2, 0, 1):
        task = commands[place].task
        execution, _ = advance(machine, execution, TaskSucceeded(at=1, seed=1, task=task, output=place))

    assert execution.output == [0, 1, 2]


def test_an_inline_map_that_asks_for_more_than_forty_at_once_gets_forty() -> None:
    _, _, commands = started(only("M", {"Type": "Map", "MaxConcurrency": 50, "ItemProcessor": WORK}), list(range(60)))

    assert len(commands) == 40


def test_the_selector_of_an_inner_map_does_not_change_the_item_of_the_outer_one() -> None:
    inner = {
        "Type": "Map",
        "ItemSelector": {"item.$": "$$.Map.Item.Value"},
        "ItemProcessor": only("In", {"Type": "Pass"}),
    }
    states = {
        "Inner": {**inner, "ItemsPath": "$.inner", "Next": "Outer"},
        "Outer": {"Type": "Pass", "Parameters": {"outer.$": "$$.Map.Item.Value.name"}, "End": True},
    }
    items = [{"name": "a", "inner": [1]}, {"name": "b", "inner": []}]

    done = run_state({"Type": "Map", "ItemProcessor": {"StartAt": "Inner", "States": states}}, items)

    assert done.output == [{"outer": "a"}, {"outer": "b"}]


def test_a_branch_inside_an_iteration_sees_the_item() -> None:
    item = only("Item", {"Type": "Pass", "Parameters": {"item.$": "$$.Map.Item.Value"}})
    inside = only("P", {"Type": "Parallel", "Branches": [only("Q", {"Type": "Parallel", "Branches": [item]})]})

    done = run_state({"Type": "Map", "ItemProcessor": inside}, ["a"])

    assert done.output == [[[{"item": "a"}]]]


def test_an_inner_variable_hides_the_outer_one_of_its_name_also_in_an_expression() -> None:
    states = {
        "Inner": {"Type": "Pass", "Assign": {"name": "inner"}, "Next": "Read"},
        "Read": {"Type": "Pass", "Output": "{% $name & '!' %}", "End": True},
    }
    done = run_states(
        {
            "Outer": {"Type": "Pass", "Assign": {"name": "outer"}, "Next": "M"},
            "M": {"Type": "Map", "Items": [1], "ItemProcessor": {"StartAt": "Inner", "States": states}, "End": True},
        },
        language="JSONata",
    )

    assert done.output == ["inner!"]


def test_variables_are_kept_when_others_are_assigned() -> None:
    states = {
        "One": {"Type": "Pass", "Assign": {"one": 1}, "Next": "Two"},
        "Two": {"Type": "Pass", "Assign": {"two": 2}, "Next": "Both"},
        "Both": {"Type": "Pass", "Parameters": {"one.$": "$one", "two.$": "$two"}, "End": True},
    }

    assert run_states(states).output == {"one": 1, "two": 2}


def test_a_child_execution_reads_no_outer_variable_by_path() -> None:
    inner = only("In", {"Type": "Pass", "Parameters": {"seen.$": "$outer"}})
    done = run_states(
        {
            "Set": {"Type": "Pass", "Assign": {"outer": 5}, "Result": [0], "Next": "M"},
            "M": {
                "Type": "Map",
                "ItemProcessor": {**inner, **DISTRIBUTED},
                "ToleratedFailureCount": 1,
                "End": True,
            },
        }
    )

    assert done.output == []


def test_the_input_of_a_child_execution_is_its_item_in_the_context_too() -> None:
    inner = only("In", {"Type": "Pass", "Parameters": {"started.$": "$$.Execution.Input"}})

    done = run_state({"Type": "Map", "ItemProcessor": {**inner, **DISTRIBUTED}}, ["a", "b"])

    assert done.output == [{"started": "a"}, {"started": "b"}]


def test_states_inside_a_parallel_of_a_child_execution_are_not_in_the_history_of_the_execution() -> None:
    inside = only("P", {"Type": "Parallel", "Branches": [only("In", {"Type": "Pass"})]})

    done = run_state({"Type": "Map", "ItemProcessor": {**inside, **DISTRIBUTED}}, ["a"])

    assert done.states_entered == ["Only"]


def test_a_child_execution_goes_on_counting_its_events_from_step_to_step() -> None:
    loop = endless({"Type": "Wait", "Seconds": 1})
    machine, execution, commands = started(only("M", {"Type": "Map", "ItemProcessor": {**loop, **DISTRIBUTED}}), [0, 1])
    first, second = sorted(frame.number for frame in execution.frames.values() if frame.child_execution)
    # Its own ExecutionStarted, and the first WaitStateEntered.
    assert [execution.frames[number].events for number in (first, second)] == [2, 2]

    for command in commands:
        execution, _ = advance(machine, execution, TimerFired(at=1000, seed=1, timer=command.timer))

    # WaitStateExited, ChoiceStateEntered, ChoiceStateExited and WaitStateEntered more.
    assert [execution.frames[number].events for number in (first, second)] == [6, 6]


def test_a_distributed_map_tolerates_no_failure_unless_it_says_so() -> None:
    done = run_state({"Type": "Map", "ItemProcessor": {**WORK, **DISTRIBUTED}}, [1, 2], mocks={"Work": [BROKEN] * 2})

    assert done.error == "States.ExceedToleratedFailureThreshold"


def test_a_failed_batch_counts_as_all_its_items() -> None:
    state = {
        "Type": "Map",
        "ItemProcessor": {**WORK, **DISTRIBUTED},
        "ItemBatcher": {"MaxItemsPerBatch": 2},
        "ToleratedFailureCount": 1,
    }

    done = run_state(state, [1, 2, 3, 4], mocks={"Work": [{"result": 1}, BROKEN]})

    assert done.error == "States.ExceedToleratedFailureThreshold"


def test_a_number_that_is_none_fails_the_map_before_anything_is_read() -> None:
    state = {
        "Type": "Map",
        "ItemReader": {**READER, "Parameters": {"Bucket": "b", "Key": "k"}},
        "MaxConcurrencyPath": "$.most",
        "ItemProcessor": {**WORK, **DISTRIBUTED},
    }

    done = run_state(state, {"most": "many"})

    assert (done.status, "MaxConcurrencyPath" in str(done.cause)) == ("FAILED", True)


def test_a_request_to_the_store_is_the_same_after_a_crash_and_is_not_repeated_once_it_is_answered() -> None:
    reader = {**READER, "Parameters": {"Bucket": "b", "Key.$": "States.UUID()"}}
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**WORK, **DISTRIBUTED}}
    machine, execution, commands = started(only("M", state), {})
    assert list(outstanding(machine, execution)) == commands

    execution, children = advance(
        machine, execution, TaskSucceeded(at=1, seed=2, task=commands[0].task, output="[1, 2]")
    )

    assert len(children) == 2
    assert outstanding(machine, execution) == children


def test_each_try_of_a_distributed_map_has_an_arn_with_its_label_and_a_name_of_its_own() -> None:
    state = {
        "Type": "Map",
        "Label": "Lab",
        "ItemProcessor": {**WORK, **DISTRIBUTED},
        "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}],
    }

    done = run_state(state, [1], mocks={"Work": [BROKEN, {"result": 1}]})

    runs = [
        event["mapRunStartedEventDetails"]["mapRunArn"] for event in done.events if event["type"] == "MapRunStarted"
    ]
    assert len(set(runs)) == 2
    assert all("/Lab:" in run for run in runs)


def test_a_task_whose_request_cannot_be_made_waits_for_nothing() -> None:
    states = {
        "T": {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "Work",
            "Arguments": "{% $error('no') %}",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "W"}],
            "End": True,
        },
        "W": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    machine, execution, commands = started({"StartAt": "T", "States": states}, {})

    assert [type(command) for command in commands] == [StartTimer]
    assert execution.frames[0].task is None
    assert outstanding(machine, execution) == tuple(commands)


def test_two_random_values_of_one_state_differ() -> None:
    state = {"Type": "Pass", "Parameters": {"one.$": "States.UUID()", "two.$": "States.UUID()"}}

    done = run_state(state)

    assert done.output["one"] != done.output["two"]


def test_a_failed_expression_is_recorded_once_also_when_the_states_around_fail_with_it() -> None:
    bad = only("Bad", {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $error('no') %}"})

    done = run_state({"Type": "Parallel", "Branches": [bad]})

    assert [event["type"] for event in done.events].count("EvaluationFailed") == 1


def test_events_of_children_name_the_event_before_them() -> None:
    done = run_state({"Type": "Map", "ItemProcessor": only("In", {"Type": "Pass"})}, [1])
    failed = run_state({"Type": "Map", "ItemProcessor": WORK}, [1], mocks={"Work": [BROKEN]})
    branches = run_state({"Type": "Parallel", "Branches": [only("In", {"Type": "Pass"})]})

    assert previous(done.events, "MapStateSucceeded") == "MapIterationSucceeded"
    assert previous(failed.events, "MapStateFailed") == "MapIterationFailed"
    assert previous(branches.events, "PassStateEntered") == "ParallelStateStarted"


def test_the_children_of_a_child_execution_at_its_limit_are_removed_too() -> None:
    loop = endless({"Type": "Pass"})
    inside = only("P", {"Type": "Parallel", "Branches": [WORK, loop]})
    states = {
        "M": {
            "Type": "Map",
            "ItemProcessor": {**inside, **DISTRIBUTED},
            "ToleratedFailureCount": 1,
            "Next": "After",
        },
        "After": {"Type": "Wait", "Seconds": 5, "End": True},
    }
    machine, execution, commands = started({"StartAt": "M", "States": states}, [0])

    assert [type(command) for command in commands] == [StartTimer]
    assert list(execution.frames) == [0]
    assert advance(machine, execution, TaskFailed(at=1, seed=1, task=3)) == (execution, ())


def test_a_random_key_of_a_request_to_the_store_comes_from_the_seed_of_the_event() -> None:
    reader = {**READER, "Parameters": {"Bucket": "b", "Key.$": "States.UUID()"}}
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": {**WORK, **DISTRIBUTED}}
    machine = parse(only("M", state))

    asked = [advance(machine, new_execution(), Started(at=0, seed=seed, input={}))[1] for seed in (1, 2)]

    assert asked[0] != asked[1]


def test_a_stored_execution_is_not_altered_when_a_branch_inside_a_child_execution_goes_on() -> None:
    inside = only("P", {"Type": "Parallel", "Branches": [endless({"Type": "Wait", "Seconds": 1})]})
    machine, execution, commands = started(only("M", {"Type": "Map", "ItemProcessor": {**inside, **DISTRIBUTED}}), [0])
    stored = msgspec.json.encode(execution)
    (timer,) = (command.timer for command in commands if isinstance(command, StartTimer))

    following, _ = advance(machine, execution, TimerFired(at=1000, seed=1, timer=timer))

    assert following != execution
    assert msgspec.json.encode(execution) == stored
