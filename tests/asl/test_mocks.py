"""Prepared answers that are none are told with their path."""

from typing import Any

import pytest

from expediter.asl import check_mocks, parse

MACHINE = parse({"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "Bank", "End": True}}})


@pytest.mark.parametrize("name", ["Pay", "Bank"])
def test_answers_are_named_by_task_or_by_state(name: str) -> None:
    answers = [{"result": 1}, {"failed": True, "error": "E"}, {"timed_out": True}, {"never_finished": True}]

    assert check_mocks(MACHINE, {name: answers}) == ()


@pytest.mark.parametrize(
    ("mocks", "path", "words"),
    [
        (None, "", "are an object"),
        ([1], "", "are an object"),
        ({"A": [{"result": 1}]}, "A", "No task or state has this name"),
        ({"Bnak": [{"result": 1}]}, "Bnak", "Did you mean 'Bank'?"),
        ({"Pay": {"result": 1}}, "Pay", "must be a list"),
        ({"Pay": [1]}, "Pay[0]", "must be an object"),
        ({"Pay": [{"result": 1}, {"reslt": 1}]}, "Pay[1].reslt", "Did you mean 'result'?"),
        ({"Pay": [{}]}, "Pay[0]", "exactly one of"),
        ({"Pay": [{"result": 1, "failed": True}]}, "Pay[0]", "exactly one of"),
        ({"Pay": [{"result": 1, "after_seconds": -1}]}, "Pay[0].after_seconds", "number of seconds"),
        ({"Pay": [{"result": 1, "after_seconds": 1e308}]}, "Pay[0].after_seconds", "number of seconds"),
        ({"Pay": [{"failed": False}]}, "Pay[0].failed", "must be true"),
        ({"Pay": [{"timed_out": "yes"}]}, "Pay[0].timed_out", "must be true"),
        ({"Pay": [{"failed": True, "error": 5, "cause": {}}]}, "Pay[0].error", "must be a text"),
    ],
)
def test_what_is_no_answer_is_told_with_its_path(mocks: Any, path: str, words: str) -> None:
    assert any(fault.path == path and words in fault.message for fault in check_mocks(MACHINE, mocks))
