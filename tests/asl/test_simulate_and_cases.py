"""Virtual time, prepared answers, and comparing with recorded ones."""

from typing import Any

import pytest

from expediter.asl.cases import run_case, run_execution
from expediter.asl.simulation import Unanswered
from tests.asl.helpers import run_state, run_states

TASK = {"Type": "Task", "Resource": "Work"}


def test_a_day_of_waiting_takes_a_day_of_virtual_time_only() -> None:
    done = run_state({"Type": "Wait", "Seconds": 86_400})

    assert (done.status, done.seconds) == ("SUCCEEDED", 86_400)


def test_an_answer_for_an_equal_request_is_picked_before_the_next_in_line() -> None:
    state = {**TASK, "Parameters": {"n": 2}}

    done = run_state(state, mocks={"Work": [{"result": "first"}, {"request": {"n": 2.0}, "result": "fitting"}]})

    assert done.output == "fitting"


def test_answers_may_be_given_to_one_state_of_several_that_share_a_resource() -> None:
    states = {"A": {**TASK, "Next": "B"}, "B": {**TASK, "ResultPath": "$.b", "End": True}}

    done = run_states(states, mocks={"Work": [{"result": {"a": 1}}], "B": [{"result": 2}]})

    assert done.output == {"a": 1, "b": 2}


def test_the_virtual_clock_begins_where_it_is_set() -> None:
    done = run_state({"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime"}}, clock=1000)

    assert done.output == {"at": "1970-01-01T00:00:01.000Z"}


def test_a_task_without_a_prepared_answer_says_so() -> None:
    with pytest.raises(Unanswered, match="No answer is prepared for Work"):
        run_state(TASK)


def test_a_task_that_never_answers_runs_into_its_timeout_or_waits_for_ever() -> None:
    late = run_state({**TASK, "TimeoutSeconds": 30, "HeartbeatSeconds": 10}, mocks={"Work": [{"never_finished": True}]})
    waiting = run_state(TASK, mocks={"Work": [{"never_finished": True}]})

    assert (late.error, late.seconds) == ("States.Timeout", 10)
    assert waiting.status == "RUNNING"


def test_an_answer_may_take_its_time() -> None:
    assert run_state(TASK, mocks={"Work": [{"result": 1, "after_seconds": 2.5}]}).seconds == 2.5


@pytest.mark.parametrize(("recorded_from", "counts"), [("sync", False), ("logs", True)])
def test_an_express_execution_counts_redrives_unless_it_is_synchronous(recorded_from: str, counts: bool) -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.context.Execution %}", "End": True}
    definition = {"StartAt": "Only", "States": {"Only": state}}

    got = run_execution({"definition": definition, "workflow_type": "EXPRESS", "recorded_from": recorded_from})

    assert ("RedriveCount" in got["output"]) is counts
    assert ":express:" in got["output"]["Id"]


def case(**expected: Any) -> dict[str, Any]:
    definition = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
    return {"id": "c", "group": "g", "tier": "own", "definition": definition, "input": {"a": 1}, "expected": expected}


def test_a_case_agrees_when_every_part_that_was_recorded_is_equal() -> None:
    expected = {
        "status": "SUCCEEDED",
        "output": {"a": 1.0},
        "states_entered": ["Only"],
        "states_entered_order": "exact",
    }

    verdict = run_case(case(**expected))

    assert verdict is not None
    assert verdict.agrees
    assert verdict.got == {"status": "SUCCEEDED", "output": {"a": 1}, "states_entered": ["Only"]}


@pytest.mark.parametrize(
    "expected",
    [
        {"status": "FAILED"},
        {"status": "SUCCEEDED", "output": {"a": True}},
        {"status": "SUCCEEDED", "output": {"a": 1, "b": 2}},
        {"status": "SUCCEEDED", "output": {}},
        {"status": "SUCCEEDED", "output": [1]},
        {"status": "SUCCEEDED", "error": "E"},
        {"status": "SUCCEEDED", "states_entered": ["Only", "Only"], "states_entered_order": "any"},
    ],
)
def test_a_case_disagrees_when_any_part_differs(expected: dict[str, Any]) -> None:
    verdict = run_case(case(**expected))

    assert verdict is not None
    assert not verdict.agrees


def test_placeholders_match_only_where_the_case_says_so() -> None:
    found = {**case(status="SUCCEEDED", output={"a": "at <when:1>!"}), "input": {"a": "at noon!"}}

    strict = run_case(found)
    fuzzy = run_case({**found, "fuzzy": [{"path": "output.a"}]})

    assert strict is not None
    assert fuzzy is not None
    assert (strict.agrees, fuzzy.agrees) == (False, True)


def test_causes_that_are_json_compare_as_json() -> None:
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Cause": '{"b":1,"a":2}'}}}
    verdict = run_case({**case(status="FAILED", cause='{"a": 2.0, "b": 1}'), "definition": failing})

    assert verdict is not None
    assert verdict.differs["cause"] == []


@pytest.mark.parametrize(("assigned", "agrees"), [({"v": 2}, True), ({"v": 3}, False)])
def test_a_trace_is_each_state_s_input_output_and_variables(assigned: dict[str, int], agrees: bool) -> None:
    steps = [{"enter": "Only", "input": {"a": 1}}, {"exit": "Only", "output": {"a": 1}, "assigned": assigned}]
    found = {**case(status="SUCCEEDED"), "trace": steps}
    found["definition"]["States"]["Only"]["Assign"] = {"v": 2}

    verdict = run_case(found)

    assert verdict is not None
    assert verdict.agrees is agrees


def test_what_could_not_be_evaluated_is_compared_too() -> None:
    failing = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 + 'a' %}", "End": True}
    found = {
        **case(status="FAILED", error="States.QueryEvaluationError", evaluation_failed=[]),
        "definition": {"StartAt": "Only", "States": {"Only": failing}},
    }

    verdict = run_case(found)

    assert verdict is not None
    assert verdict.differs["evaluation_failed"] == ["evaluation_failed: length 1 != expected 0"]


def test_a_definition_case_tells_whether_the_definition_is_accepted() -> None:
    wrong = {**case(accepted=False), "definition": {"States": {}}}
    right = case(accepted=True, variableReferences={})

    assert [verdict.agrees for found in (wrong, right) if (verdict := run_case(found))] == [True, True]


def test_one_state_after_another_is_listed_as_entered() -> None:
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}

    assert run_states(states).states_entered == ["A", "B"]
