"""One state on its own: what ``run_state`` answers beyond the recorded cases."""

from typing import Any

import pytest

from expediter.asl import run_state

TASK: dict[str, Any] = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token", "id.$": "$.id"}},
    "ResultSelector": {"ok.$": "$.ok"},
    "ResultPath": "$.sent",
    "Next": "Done",
}


def test_a_task_that_waits_shows_its_data_after_each_field() -> None:
    answer = run_state(
        {"definition": TASK, "input": {"id": 1}, "mock": {"result": '{"ok": true}'}, "inspectionLevel": "DEBUG"}
    )

    data = answer["inspectionData"]
    assert answer["status"] == "SUCCEEDED"
    assert answer["nextState"] == "Done"
    assert data["afterParameters"]["MessageBody"]["id"] == 1
    assert data["afterResultSelector"] == {"ok": True}
    assert data["afterResultPath"] == {"id": 1, "sent": {"ok": True}} == answer["output"]


def test_a_state_that_leads_to_itself_is_left_once() -> None:
    answer = run_state({"definition": {"Type": "Pass", "Next": "Again"}, "stateName": "Again", "input": 5})

    assert answer == {"status": "SUCCEEDED", "output": 5, "nextState": "Again"}


def test_a_wait_of_a_day_takes_no_time() -> None:
    assert run_state({"definition": {"Type": "Wait", "Seconds": 86_400, "End": True}})["status"] == "SUCCEEDED"


def test_a_state_that_reads_a_missing_path_fails_and_shows_how_far_it_came() -> None:
    answer = run_state({"definition": TASK, "input": {}, "mock": {"result": {"ok": True}}, "inspectionLevel": "TRACE"})

    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert answer["inspectionData"] == {"input": {}, "afterInputPath": {}}


def test_a_map_shows_what_each_iteration_would_get() -> None:
    definition = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": {"of.$": "$$.Map.Item.Value"},
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
        "End": True,
    }

    answer = run_state(
        {"definition": definition, "input": {"items": [4, 5]}, "mock": {"result": [0, 1]}, "inspectionLevel": "DEBUG"}
    )

    assert answer["output"] == [0, 1]
    assert answer["inspectionData"]["afterItemSelector"] == [{"of": 4}, {"of": 5}]
    assert run_state({"definition": definition, "input": {}, "mock": {"result": []}})["error"] == "States.Runtime"


def test_variables_are_read_and_told() -> None:
    definition = {"Type": "Pass", "Assign": {"b.$": "$a"}, "End": True}

    answer = run_state({"definition": definition, "variables": {"a": 1}, "inspectionLevel": "DEBUG"})

    assert answer["inspectionData"]["variables"] == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mock": [1]}, "A test mock should have only one of the following fields: [result, errorOutput]."),
        ({"mock": {"result": 1, "reslt": 2}}, "A test mock does not have the field 'reslt'"),
        ({"mock": {"errorOutput": {"error": 5}}}, "errorOutput must be an object of texts: error, cause"),
        ({"mock": {"result": "{"}}, "Mocked result must be valid JSON"),
        ({"mock": {"result": "[" * 100_000}}, "Mocked result must be valid JSON"),
        ({"variables": [1]}, "variables must be an object"),
        ({"stateConfiguration": 5}, "stateConfiguration must be an object"),
        ({"stateConfiguration": {"retrierRetryCount": True}}, "retrierRetryCount must be an integer of 0 or more"),
        ({"inspectionLevel": "ALL"}, "inspectionLevel must be one of INFO, DEBUG, TRACE"),
        ({"context": {"Execution": 1}}, "Invalid Context object provided: Execution must be an object"),
    ],
)
def test_what_is_not_plain_is_refused(change: dict[str, Any], message: str) -> None:
    answer = run_state({"definition": TASK, "input": {"id": 1}, "mock": {"result": {}}, **change})

    assert answer == {"api_error": {"code": "ValidationException", "message": message}}


@pytest.mark.parametrize(
    "definition", [None, 5, "[", "{}", {"Type": 5}, {"Type": "Parallel", "Branches": 5, "End": True}]
)
def test_a_definition_that_is_none_is_refused(definition: Any) -> None:
    answer = run_state({"definition": definition, "mock": {"result": []}})

    assert answer["api_error"]["code"] == "InvalidDefinition"
