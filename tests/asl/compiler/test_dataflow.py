"""What each field does to the data around a state's work, in both query languages."""

from typing import Any

import pytest

from tests.asl.helpers import run_state, run_states

TASK = {"Type": "Task", "Resource": "Work"}


def answered(state: dict[str, Any], given: Any, result: Any) -> Any:
    done = run_state({**TASK, **state}, given, mocks={"Work": [{"result": result}]})
    assert done.status == "SUCCEEDED", done.cause
    return done.output


def test_without_any_field_the_result_is_the_output() -> None:
    assert answered({}, {"in": 1}, {"out": 2}) == {"out": 2}


def test_resultpath_puts_the_result_into_the_raw_input_not_into_what_inputpath_chose() -> None:
    assert answered({"InputPath": "$.a", "ResultPath": "$.r"}, {"a": {"b": 1}}, 5) == {"a": {"b": 1}, "r": 5}
    assert answered({"InputPath": "$.a", "ResultPath": None}, {"a": {"b": 1}}, 5) == {"a": {"b": 1}}


def test_resultselector_sees_the_result_and_outputpath_the_whole() -> None:
    fields = {"ResultSelector": {"x.$": "$.deep.x"}, "ResultPath": "$.r", "OutputPath": "$.r"}

    assert answered(fields, {"a": 1}, {"deep": {"x": 7}}) == {"x": 7}


def test_inputpath_and_outputpath_null_give_an_empty_object() -> None:
    passing = {"Type": "Pass", "InputPath": None, "Parameters": {"saw.$": "$"}}

    assert run_state(passing, {"a": 1}).output == {"saw": {}}
    assert run_state({"Type": "Pass", "OutputPath": None}, {"a": 1}).output == {}


def test_the_task_is_asked_with_the_parameters_and_the_context_object() -> None:
    states = {"Ask": {**TASK, "Parameters": {"name.$": "$$.State.Name", "tries.$": "$$.State.RetryCount"}, "End": True}}

    done = run_states(
        states, mocks={"Work": [{"request": {"name": "Ask", "tries": 0}, "result": "right"}, {"result": 0}]}
    )

    assert done.output == "right"


@pytest.mark.parametrize("field", ["InputPath", "OutputPath"])
def test_a_path_that_leads_nowhere_is_beyond_catching(field: str) -> None:
    state = {**TASK, field: "$.no.way", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Other"}], "End": True}
    states = {"Only": state, "Other": {"Type": "Succeed"}}

    done = run_states(states, mocks={"Work": [{"result": {}}]})

    assert (done.status, done.error) == ("FAILED", "States.Runtime")
    assert done.cause == (
        "An error occurred while executing the state 'Only' (entered at the event id #2). "
        "Invalid path '$.no.way' : Missing property in path $['no']"
    )


def test_a_template_that_reads_nothing_names_the_path_the_field_and_the_input() -> None:
    done = run_state({"Type": "Pass", "Parameters": {"x": [{"y.$": "States.Array($.a, $.no)"}]}}, {"a": 1})

    assert str(done.cause).endswith(
        "The JSONPath '$.no' specified for the field 'y.$' could not be found in the input '{\"a\":1}'"
    )


def test_variables_last_and_assign_reads_the_values_from_before_it() -> None:
    states = {
        "One": {"Type": "Pass", "Result": {"n": 1}, "Assign": {"n.$": "$.n"}, "Next": "Two"},
        "Two": {"Type": "Pass", "Assign": {"n": 2, "old.$": "$n"}, "Next": "Three"},
        "Three": {"Type": "Pass", "Parameters": {"n.$": "$n", "old.$": "$old"}, "End": True},
    }

    assert run_states(states).output == {"n": 2, "old": 1}


def test_jsonata_shapes_what_goes_in_and_what_comes_out() -> None:
    state = {
        **TASK,
        "QueryLanguage": "JSONata",
        "Arguments": {"ask": "{% $states.input.a %}", "$.x": "as it stands"},
        "Assign": {"kept": "{% $states.result.ok %}"},
        "Output": {"in": "{% $states.input %}", "out": "{% $states.result %}"},
        "Next": "Then",
    }
    then = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% [$states.input.out, $kept] %}", "End": True}
    answers = {"Work": [{"request": {"ask": 3, "$.x": "as it stands"}, "result": {"ok": True}}]}

    done = run_states({"Only": state, "Then": then}, {"a": 3}, mocks=answers)

    assert done.output == [{"ok": True}, True]


def test_a_state_may_speak_another_language_than_the_one_before_it() -> None:
    states = {
        "Path": {"Type": "Pass", "Assign": {"v": {"x": 1}}, "Next": "Expression"},
        "Expression": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $v.x + 1 %}", "End": True},
    }

    assert run_states(states).output == 2


@pytest.mark.parametrize(
    ("state", "given", "words"),
    [
        (
            {"Type": "Pass", "Parameters": {"x.$": "States.Array($.a, $.a)"}},
            {"a": "x" * 140_000},
            "'Only' returned a result",
        ),
        (
            {"Type": "Pass", "Assign": {"x.$": "States.Array($.a, $.a)"}},
            {"a": "x" * 140_000},
            "variables assigned by 'Only'",
        ),
        ({**TASK, "Parameters": {"x.$": "States.Array($, $)"}}, {"a": "x" * 140_000}, "'Work' was given an input"),
        ({"Type": "Pass"}, "x" * 262_144, "The execution's input exceeds"),
    ],
)
def test_no_state_holds_more_than_256_kib(state: dict[str, Any], given: Any, words: str) -> None:
    done = run_state(state, given)

    assert (done.status, done.error) == ("FAILED", "States.DataLimitExceeded")
    assert words in str(done.cause)


def test_output_that_is_too_large_fails_the_state_with_a_name_that_can_be_caught() -> None:
    states = {
        "Big": {**TASK, "Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Caught"}], "End": True},
        "Caught": {"Type": "Pass", "End": True},
    }

    done = run_states(states, mocks={"Work": [{"result": "x" * 262_200}]})

    assert done.output["Error"] == "States.DataLimitExceeded"
    assert "'Work' returned a result with a size exceeding" in done.output["Cause"]


def test_what_takes_the_place_of_an_earlier_result_counts_once() -> None:
    states = {f"Work{n}": {**TASK, "ResultPath": "$.it", "Next": f"Work{n + 1}"} for n in range(3)}
    mocks = {"Work": [{"result": "x" * 100_000}] * 3}

    done = run_states({**states, "Work3": {"Type": "Succeed"}}, mocks=mocks)

    assert done.status == "SUCCEEDED", done.cause


def test_results_put_beside_each_other_are_too_large_together() -> None:
    states = {f"Work{n}": {**TASK, "ResultPath": f"$.it{n}", "Next": f"Work{n + 1}"} for n in range(3)}
    mocks = {"Work": [{"result": "x" * 100_000}] * 3}

    done = run_states({**states, "Work3": {"Type": "Succeed"}}, mocks=mocks)

    assert (done.status, done.error) == ("FAILED", "States.DataLimitExceeded")
