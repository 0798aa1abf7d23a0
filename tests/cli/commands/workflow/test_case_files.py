"""Cases that are none are told with their place, and what a case leaves out is filled in."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

ENDS = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
SUCCEEDED = {"status": "SUCCEEDED"}


def run_cases(typed: Run, folder: Path, *cases: Any) -> tuple[int, Any]:
    file = folder / "mine.cases.json"
    file.write_text(json.dumps(cases))
    done = typed("workflow", "test", str(file), "--json")
    return done.code, done.json


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"expected": 5}, "Expected `object`, got `int` - at `$.expected`"),
        ({"expected": SUCCEEDED, "definition": ENDS, "task_mocks": [1]}, "at `$.task_mocks`"),
        ({"expected": SUCCEEDED, "definition": ENDS, "s3_objects": [{"key": "a"}]}, "at `$.s3_objects[0]`"),
        ({"expected": SUCCEEDED, "definition_file": 5}, "at `$.definition_file`"),
        ({"expected": SUCCEEDED, "request": 5}, "at `$.request`"),
        ({"expected": SUCCEEDED}, "name its definition or definition_file"),
        ({"expected": {"output": 1}, "definition": ENDS}, "expected has output, but no status"),
        ({"expected": {}, "definition": ENDS}, "expected must have a status"),
        (
            {"expected": {"statsu": "FAILED"}, "definition": ENDS},
            "expected.statsu is not a field of a case. Did you mean",
        ),
        ({"expected": {"status": "SUCCEEDD"}, "definition": ENDS}, "Did you mean 'SUCCEEDED'?"),
        ({"expected": {**SUCCEEDED, "states_entered_order": "some"}, "definition": ENDS}, "must be exact or any"),
        ({"expected": SUCCEEDED, "definition": ENDS, "task_mock": {}}, "task_mock is not a field of a case. Did you"),
        ({"expect": SUCCEEDED, "definition": ENDS}, "expect is not a field of a case. Did you mean 'expected'?"),
        ({"expected": SUCCEEDED, "request": {"definition": ENDS, "mocks": {}}}, "request.mocks is not a field"),
        ({"expected": {"next": "A"}, "request": {"definition": ENDS}}, "expected.next is not a field of a case"),
        (
            {"expected": SUCCEEDED, "definition": ENDS, "task_mocks": {"B": []}},
            "task_mocks.B: No task or state has this name",
        ),
        (
            {"expected": SUCCEEDED, "definition": ENDS, "task_mocks": {"A": [{"reslt": 1}]}},
            "task_mocks.A[0].reslt: is not a field of an answer. Did you mean 'result'?",
        ),
        ({"expected": SUCCEEDED, "definition": ENDS, "task_mocks": None}, "got `null` - at `$.task_mocks`"),
        ({"expected": SUCCEEDED, "definition_file": None}, "got `null` - at `$.definition_file`"),
        ({"expected": SUCCEEDED, "definition": ENDS, "workflow_type": "express"}, "at `$.workflow_type`"),
        ({"expected": SUCCEEDED, "definition": ENDS, "definition_name": "M"}, "name the file too"),
        (5, "must be an object"),
    ],
)
def test_a_case_that_is_none_is_one_sentence_with_its_place(typed: Run, tmp_path: Path, case: Any, told: str) -> None:
    good = {"expected": SUCCEEDED, "definition": ENDS}

    code, answer = run_cases(typed, tmp_path, good, case)

    assert (code, answer["agree"], answer["cases"]) == (1, 1, 1)
    assert f"{tmp_path / 'mine.cases.json'}: case 2: " in answer["error"]
    assert told in answer["error"]


def test_a_case_needs_no_id_and_its_states_are_in_order(typed: Run, tmp_path: Path) -> None:
    case = {"expected": {**SUCCEEDED, "states_entered": ["B"]}, "definition": ENDS}

    code, answer = run_cases(typed, tmp_path, case)

    assert (code, answer["disagree"][0]["id"]) == (1, "mine.cases 1")


def test_a_case_of_one_state_is_run_too(typed: Run, tmp_path: Path) -> None:
    request = {"definition": {"Type": "Pass", "Result": 1, "End": True}}

    assert run_cases(typed, tmp_path, {"request": request, "expected": {**SUCCEEDED, "output": 1}})[0] == 0
    assert run_cases(typed, tmp_path, {"request": request, "expected": {**SUCCEEDED, "output": 2}})[0] == 1


def test_a_case_of_an_express_workflow_is_held_to_the_rules_of_express(typed: Run, tmp_path: Path) -> None:
    activity = "arn:aws:states:us-east-1:111111111111:activity:a"
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": True}}}
    properties = {"StateMachineType": "EXPRESS", "Definition": definition}
    template = {"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    (tmp_path / "template.json").write_text(json.dumps(template))
    case = {"expected": SUCCEEDED, "task_mocks": {activity: [{"result": 1}]}}
    by_case = {**case, "definition": definition, "workflow_type": "EXPRESS"}
    by_template = {**case, "definition_file": "template.json"}

    assert run_cases(typed, tmp_path, {**case, "definition": definition})[0] == 0
    for express in (by_case, by_template):
        code, answer = run_cases(typed, tmp_path, express)

        assert code == 1
        assert "Express state machine does not support activities" in json.dumps(answer["disagree"])


def test_a_case_names_the_state_machine_of_a_template_with_several(typed: Run, tmp_path: Path) -> None:
    def resource(error: str) -> dict[str, Any]:
        definition = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": error}}}
        return {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": definition}}

    (tmp_path / "sam.json").write_text(json.dumps({"Resources": {name: resource(name) for name in ("M", "N")}}))
    case = {"definition_file": "sam.json", "expected": {"status": "FAILED", "error": "N"}}

    assert run_cases(typed, tmp_path, {**case, "definition_name": "N"})[0] == 0
    assert run_cases(typed, tmp_path, {**case, "definition_name": "M"})[0] == 1
    assert "definition_name): M, N." in run_cases(typed, tmp_path, case)[1]["error"]
    assert "has no state machine O" in run_cases(typed, tmp_path, {**case, "definition_name": "O"})[1]["error"]


def test_the_other_files_are_run_when_one_cannot_be_read(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "good.cases.json").write_text(json.dumps([{"expected": SUCCEEDED, "definition": ENDS}]))
    (tmp_path / "none.json").write_text("{}")
    files = [str(tmp_path / name) for name in ("missing.json", "none.json", "good.cases.json")]

    done, as_json = typed("workflow", "test", *files), typed("workflow", "test", *files, "--json")

    assert (done.code, as_json.code, as_json.json["agree"]) == (1, 1, 1)
    for told in (f"{files[0]} cannot be read", f"{files[1]} holds no cases", "1 of 1 cases agree"):
        assert told in done.out
    assert len(as_json.json["error"].splitlines()) == 2
    assert typed("workflow", "test", files[0]).code == 2
    assert typed("workflow", "test", str(tmp_path)).code == 0  # a folder may hold other files


def test_a_folder_without_cases_is_said_to_have_none(typed: Run, tmp_path: Path) -> None:
    done = typed("workflow", "test", str(tmp_path), "--json")

    assert (done.code, done.json["error"]) == (1, f"There are no cases in {tmp_path}.")
    (tmp_path / "none.json").write_text("{}")
    assert typed("workflow", "test", str(tmp_path / "none.json")).code == 1
