"""``expediter workflow state``: what it prints, and its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from expediter.cli.commands.workflow import app, service_models

DEFINITION: dict[str, Any] = {
    "StartAt": "Pay",
    "States": {
        "Pay": {"Type": "Task", "Resource": "Bank", "Retry": [{"ErrorEquals": ["Busy"]}], "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pay.asl.json"
    path.write_text(json.dumps(DEFINITION))
    return path


def state(file: Path, *arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["state", str(file), *arguments])
    return done.exit_code, json.loads(done.stdout)


def test_a_mocked_task_is_answered_as_on_aws(file: Path) -> None:
    code, answer = state(file, "Pay", "--mock", '{"result": {"paid": true}}')

    assert (code, answer) == (0, {"status": "SUCCEEDED", "output": {"paid": True}, "nextState": "Done"})


def test_the_next_retry_is_shown(file: Path) -> None:
    configuration = '{"retrierRetryCount": 2}'
    code, answer = state(
        file,
        "Pay",
        "--mock",
        '{"errorOutput": {"error": "Busy"}}',
        "--inspection-level",
        "DEBUG",
        "--state-configuration",
        configuration,
    )

    assert (code, answer["status"]) == (0, "RETRIABLE")
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 4}


def test_a_failure_and_a_refusal_exit_1(file: Path) -> None:
    assert state(file, "Pay", "--mock", '{"errorOutput": {"error": "Broken"}}')[0] == 1
    code, answer = state(file, "Pay")
    assert (code, answer["api_error"]["code"]) == (1, "ValidationException")


def test_what_cannot_be_read_is_one_sentence_in_json(file: Path) -> None:
    assert state(file, "Pay", "--mock", "{")[0] == 2
    code, answer = state(file.with_name("none.json"), "Pay")
    assert (code, list(answer)) == (2, ["error"])


def test_a_mock_is_held_to_the_service_s_model_without_botocore(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(service_models, "_botocore", lambda _name: None)
    pay = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem", "End": True}
    other = {**pay, "Resource": "arn:aws:states:::aws-sdk:ec2:describeHosts"}
    file.write_text(json.dumps({"StartAt": "Pay", "States": {"Pay": {**pay, "End": False, "Next": "O"}, "O": other}}))

    code, answer = state(file, "Pay", "--mock", '{"result": {"Item": 5}}')
    unchecked = CliRunner().invoke(app, ["state", str(file), "O", "--mock", '{"result": {"Hosts": 5}}'])

    assert code == 1
    assert answer["api_error"]["message"] == "Mock result schema validation error: Field 'Item' must be an object"
    assert "The form of the mock is not checked: there is no model of ec2" in unchecked.stderr
