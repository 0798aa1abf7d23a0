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
    ],
)
def test_a_case_that_is_none_is_one_sentence_with_its_place(
    typed: Run, tmp_path: Path, case: dict[str, Any], told: str
) -> None:
    good = {"expected": SUCCEEDED, "definition": ENDS}

    code, answer = run_cases(typed, tmp_path, good, case)

    assert code == 2
    assert f"mine.cases.json: case 2: {told}" in answer["error"] or told in answer["error"]


def test_a_case_needs_no_id_and_its_states_are_in_order(typed: Run, tmp_path: Path) -> None:
    case = {"expected": {**SUCCEEDED, "states_entered": ["B"]}, "definition": ENDS}

    code, answer = run_cases(typed, tmp_path, case)

    assert (code, answer["disagree"][0]["id"]) == (1, "mine.cases 1")


def test_a_case_of_one_state_is_run_too(typed: Run, tmp_path: Path) -> None:
    request = {"definition": {"Type": "Pass", "Result": 1, "End": True}}

    assert run_cases(typed, tmp_path, {"request": request, "expected": {**SUCCEEDED, "output": 1}})[0] == 0
    assert run_cases(typed, tmp_path, {"request": request, "expected": {**SUCCEEDED, "output": 2}})[0] == 1
