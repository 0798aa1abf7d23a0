"""Reading a definition: every fault at once, each with its place, in two severities."""

import json
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, Fault, parse

END = {"Type": "Pass", "End": True}


def faults(definition: Any, **options: Any) -> tuple[Fault, ...]:
    with pytest.raises(DefinitionInvalid) as invalid:
        parse(definition, **options)
    return tuple(fault for fault in invalid.value.faults if fault.severity == "error")


def places(definition: Any, **options: Any) -> list[str]:
    return [fault.path for fault in faults(definition, **options)]


def only(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"StartAt": "One", "States": {"One": state}, **top}


def test_all_faults_are_found_at_once_each_with_its_place() -> None:
    definition = {
        "StartAt": "Nowhere",
        "States": {
            "Pay": {
                "Type": "Task",
                "Retry": [{"ErrorEquals": [], "BackoffRate": 0.5}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}],
                "TimeoutSeconds": 0,
                "Next": "Look",
            },
            "Look": {"Type": "Choice", "Choices": [{"Variable": "$.", "StringEquals": 1, "Next": "Pay"}]},
            "Odd": {"Type": "Strange"},
        },
    }

    assert set(places(definition)) == {
        "StartAt",
        "States.Pay",
        "States.Pay.Retry[0].ErrorEquals",
        "States.Pay.Retry[0].BackoffRate",
        "States.Pay.TimeoutSeconds",
        "States.Look.Choices[0].Variable",
        "States.Odd.Type",
    }


@pytest.mark.parametrize(
    ("definition", "place", "words"),
    [
        (" ", "", "valid JSON object"),
        ({"States": {"One": END}}, "", "[StartAt]"),
        ({"StartAt": "One", "States": {}}, "States", "at least one state"),
        (only({**END, "QueryLanguage": "JSONPath"}, QueryLanguage="JSONata"), "States.One", "can not be 'JSONPath'"),
        (only({"Type": "Pass"}), "States.One", "[Next, End]"),
        (only({"Type": "Pass", "Next": "One", "End": True}), "States.One", "[Next, End]"),
        (only({**END, "InputPath": "no"}), "States.One.InputPath", "valid JSONPath"),
        (only({**END, "ResultPath": "$.a[*]"}), "States.One.ResultPath", "valid JSONPath"),
        (only({**END, "Output": 1}), "States.One.Output", "not supported with the query language JSONPath"),
        (only({**END, "Parameters": {}}, QueryLanguage="JSONata"), "States.One.Parameters", "JSONata"),
        (only({**END, "Assign": {"a b": 1}}), "States.One.Assign.a b", "valid variable name"),
        (only({"Type": "Wait", "End": True}), "States.One", "Seconds"),
        (only({"Type": "Wait", "Seconds": -1, "End": True}), "States.One.Seconds", "between 0 and"),
        (only({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a", "End": True}), "States.One", "Exactly one"),
        (only({"Type": "Wait", "Timestamp": "soon", "End": True}), "States.One.Timestamp", "RFC3339"),
        (only({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}), "States.One", "Only one"),
        (only({"Type": "Choice", "Choices": []}), "States.One.Choices", "non-empty"),
        (only({"Type": "Choice", "Choices": [{"Next": "One"}]}), "States.One.Choices[0]", "[Variable]"),
        (only({"Type": "Parallel", "Branches": [], "End": True}), "States.One.Branches", "non-empty"),
        (only({"Type": "Map", "End": True}), "States.One", "[ItemProcessor]"),
        (only({"Type": "Task", "Resource": "x", "Credentials": {}, "End": True}), "States.One.Credentials", "RoleArn"),
        (only({"Type": "Task", "Resource": "${Pay}", "End": True}), "States.One.Resource", "left after substitution"),
        (
            only({"Type": "Task", "Resource": "arn:aws:states:::dynamodb:query", "End": True}),
            "States.One.Resource",
            "not recognized",
        ),
        (
            only({"Type": "Task", "Resource": "x", "TimeoutSeconds": 5, "HeartbeatSeconds": 5, "End": True}),
            "States.One.HeartbeatSeconds",
            "smaller than TimeoutSeconds",
        ),
        (
            only({"Type": "Task", "Resource": "x", "Retry": [{"ErrorEquals": ["States.ALL", "X"]}], "End": True}),
            "States.One.Retry[0].ErrorEquals",
            "States.ALL must appear alone",
        ),
    ],
)
def test_a_fault_names_its_place_and_what_is_asked_for(definition: Any, place: str, words: str) -> None:
    found = faults(definition)

    assert [(fault.path, words in fault.message) for fault in found if fault.path == place] == [(place, True)]


def test_states_inside_others_are_checked_too_and_names_are_unique_in_the_whole() -> None:
    inner = {"StartAt": "One", "States": {"One": {**END, "OutputPath": "$["}}}
    definition = only({"Type": "Parallel", "Branches": [inner], "End": True})

    found = faults(definition)

    assert [fault.path for fault in found] == ["States.One.Branches[0].States.One"] * 1 + [
        "States.One.Branches[0].States.One.OutputPath"
    ]
    assert found[0].code == "DUPLICATE_STATE_NAME"


def test_a_transition_never_leaves_its_level() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "After"}}}
    definition = {
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "Branches": [inner], "Next": "After"}, "After": END},
    }

    assert places(definition) == ["States.P.Branches[0].States.In"]


def test_an_express_workflow_cannot_wait_for_a_job_or_a_token() -> None:
    for way in (".sync", ".waitForTaskToken"):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution{way}", "End": True}

        assert parse(only(task)).start == "One"
        assert places(only(task), express=True) == ["States.One.Resource"]


def test_warnings_do_not_keep_a_machine_from_running() -> None:
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "Bank", "ResultPath": "$.paid", "Colour": "red", "Next": "Look"},
            "Look": {"Type": "Choice", "Choices": [{"Variable": "$.payed.ok", "BooleanEquals": True, "Next": "Round"}]},
            "Round": {"Type": "Pass", "Next": "Round"},
            "Alone": END,
        },
    }

    found = {(fault.path, fault.code) for fault in parse(definition).warnings}

    assert found == {
        ("States.Pay.Colour", "UNKNOWN_FIELD"),
        ("States.Pay", "NO_CATCH"),
        ("States.Look", "FIELD_NEVER_SET"),
        ("States.Look", "NO_WAY_TO_AN_END"),
        ("States.Pay", "NO_WAY_TO_AN_END"),
        ("States.Round", "NO_WAY_TO_AN_END"),
        ("States.Alone", "UNREACHABLE_STATE"),
    }


def test_the_message_names_each_error_and_its_place() -> None:
    with pytest.raises(
        DefinitionInvalid, match=r"^States\.One: Exactly one of these fields is required: \[Next, End\]$"
    ):
        parse(only({"Type": "Pass"}))
    with pytest.raises(DefinitionInvalid, match=r"^definition: Definition must be a valid JSON object$"):
        parse("[]")


def test_a_machine_tells_what_it_asks_for_and_which_variables_it_reads() -> None:
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "Bank", "Parameters": {"x.$": "$rate"}, "Next": "Tell"},
            "Tell": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": "{% $b & $a & $states.input %}",
                "End": True,
            },
        },
    }

    machine = parse(json.dumps(definition))

    assert machine.resources == {"Bank"}
    assert machine.variables == {"Pay": ["rate"], "Tell": ["a", "b"]}
