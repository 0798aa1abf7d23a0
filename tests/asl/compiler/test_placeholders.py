"""``${Name}`` anywhere in a definition stands for what is filled in at deployment."""

from typing import Any

import pytest

from expediter.asl import names_left, parse, simulate, substitute


def task(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "One", "States": {"One": {"Type": "Task", "Resource": "Bank", "End": True, **fields}}}


def test_a_placeholder_is_a_note_once_and_no_fault() -> None:
    definition = task(Parameters={"Bucket": "${Bucket}", "Key": "a/${Bucket}/${Key}"})

    notes = [fault for fault in parse(definition).warnings if fault.code == "PLACEHOLDER"]

    assert [(note.severity, note.message.split(" ")[0]) for note in notes] == [
        ("note", "${Bucket}"),
        ("note", "${Key}"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"Resource": "${Bank}"},
        {"Resource": "arn:${AWS::Partition}:states:::lambda:invoke"},
        {"Resource": "arn:${AWSPartition}:states:::sqs:sendMessage", "TimeoutSeconds": "${Timeout}"},
        {"Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": "${Tries}", "BackoffRate": "${Rate}"}]},
        {"Parameters": {"uri.$": "States.Format('s3://${Bucket}/{}', $.key)"}},
        {"InputPath": "$.${Field}"},
        {"QueryLanguage": "JSONata", "Output": "{% $states.input.${Field} %}"},
    ],
)
def test_a_placeholder_may_stand_anywhere(fields: dict[str, Any]) -> None:
    assert parse(task(**fields)).start == "One"


def test_a_resource_that_is_nothing_but_a_placeholder_is_the_task_of_that_name() -> None:
    done = simulate(task(Resource="${ProcessPayment}"), {}, mocks={"ProcessPayment": [{"result": "ok"}]})

    assert done.output == "ok"


def test_substitute_replaces_what_it_is_given_and_leaves_the_rest() -> None:
    definition = task(Parameters={"a": "${One}-${Two}", "b": ["${One}"]})

    replaced = substitute(definition, {"One": "1"})

    assert replaced["States"]["One"]["Parameters"] == {"a": "1-${Two}", "b": ["1"]}
    assert names_left(replaced) == ("Two",)
