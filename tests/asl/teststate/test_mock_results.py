"""A mocked result is held to the model of its service; the model here is a small one in AWS's form."""

from typing import Any

import pytest

from expediter.asl.teststate.mock_results import check_result

MODEL: dict[str, Any] = {
    "operations": {"Put": {"output": {"shape": "Out"}}, "DescribeExecution": {"output": {"shape": "Out"}}},
    "shapes": {
        "Out": {
            "type": "structure",
            "required": ["id"],
            "members": {
                "id": {"shape": "Id"},
                "sizes": {"shape": "Sizes"},
                "open": {"shape": "Flag"},
                "kind": {"shape": "Kind"},
                "notes": {"shape": "Notes"},
                "more": {"shape": "Out"},
            },
        },
        "Id": {"type": "string", "min": 2, "max": 4},
        "Sizes": {"type": "list", "member": {"shape": "Size"}, "max": 2},
        "Size": {"type": "integer", "min": 1, "max": 9},
        "Flag": {"type": "boolean"},
        "Kind": {"type": "string", "enum": ["A"]},
        "Notes": {"type": "map", "key": {"shape": "Kind"}, "value": {"shape": "Id"}},
    },
}


def checked(result: Any, mode: str = "PRESENT", resource: str = "arn:aws:states:::aws-sdk:store:put") -> str | None:
    return check_result({"Resource": resource}, result, mode, lambda _service: MODEL)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        ([], "Field '' must be an object"),
        ({"Id": 5}, "Field 'Id' must be a string"),
        ({"Id": "a"}, "Field 'Id' is smaller than the minimum length"),
        ({"Id": "abcde"}, "Field 'Id' exceeds the maximum length"),
        ({"Sizes": {}}, "Field 'Sizes' must be an array"),
        ({"Sizes": [1, 2, 3]}, "Field 'Sizes' exceeds the maximum length"),
        ({"Sizes": [0]}, "Field 'Sizes' is less than the minimum value"),
        ({"More": {"Sizes": [10]}}, "Field 'Sizes' exceeds the maximum value"),
        ({"Sizes": [True]}, "Field 'Sizes' must be a number"),
        ({"Open": 1}, "Field 'Open' must be a boolean"),
        ({"Kind": "B"}, "Field 'Kind' is not an expected value"),
        ({"Notes": {"a": 5}}, "Field 'Notes' must be a string"),
        ({"id": 5, "Other": []}, None),
        ({"Id": "abc", "Sizes": [1.0], "Open": True, "Kind": "A", "Notes": {}}, None),
    ],
)
def test_a_field_that_the_service_does_not_return_is_reported(result: Any, fault: str | None) -> None:
    assert checked(result) == fault


def test_only_the_strict_mode_asks_for_required_fields() -> None:
    assert checked({}, "STRICT") == "Required field 'Id' is missing"
    assert checked({}, "PRESENT") is None
    assert checked([], "NONE") is None


def test_a_task_that_waits_for_its_work_answers_what_the_description_says() -> None:
    assert checked({}, "STRICT", "arn:aws:states:::states:startExecution.sync:2") == "Required field 'Id' is missing"
    assert checked(5, "STRICT", "arn:aws:states:::aws-sdk:store:put.waitForTaskToken") is None
    assert checked(5, "STRICT", "arn:aws:lambda:us-east-1:111111111111:function:f") is None
