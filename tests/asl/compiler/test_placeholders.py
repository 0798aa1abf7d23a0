"""``${Name}`` anywhere in a definition stands for what is filled in at deployment."""

import json
import re
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, names_left, parse, quoted, simulate, substitute


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
        {"Resource": "arn:${AWS::Partition}:states:::${Service}:${Action}"},
        {"Parameters": {"a.$": "${Path}"}, "InputPath": "${Path}", "ResultPath": "${Path}"},
        {"TimeoutSecondsPath": "${Path}"},
        {"TimeoutSeconds": "${Minutes}0"},
        {"QueryLanguage": "JSONata", "Output": "{% $states.input.x & '${Text}' = ${Value} %}"},
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


def test_a_value_that_a_placeholder_makes_is_replaced_by_a_number_where_there_has_to_be_one() -> None:
    replaced = substitute(task(TimeoutSeconds="${Most}", Parameters={"Most": "${Most}"}), {"Most": "30"})

    assert replaced["States"]["One"]["TimeoutSeconds"] == 30
    assert replaced["States"]["One"]["Parameters"] == {"Most": "30"}


def test_a_placeholder_may_stand_where_json_has_a_value() -> None:
    wait = '{"Type": "Wait", "Seconds": ${Pause}, "Comment": "${No} \\" ${No}", "End": true}'
    text = f'{{"StartAt": "One", "States": {{"One": {wait}}}}}'

    assert simulate(text).seconds == 1
    assert names_left(json.loads(quoted(text))) == ("Pause", "No")


@pytest.mark.parametrize(
    "reader",
    [
        {"InputType": "${Type}", "MaxItems": "${Most}"},
        {"InputType": "CSV", "CSVHeaderLocation": "${Where}", "CSVDelimiter": "${Delimiter}"},
        {"ManifestType": "${Kind}"},
    ],
)
def test_a_placeholder_may_stand_for_a_word_of_the_language(reader: dict[str, Any]) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "${Kind}"}
    state = {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:${Partition}:states:::s3:getObject", "ReaderConfig": reader},
        "ItemProcessor": {"ProcessorConfig": config, **task()},
        "End": True,
    }

    assert parse({"StartAt": "Map", "States": {"Map": state}}).start == "Map"


@pytest.mark.parametrize(
    "rule", [{"NumericLessThan": "${N}"}, {"BooleanEquals": "${B}"}, {"TimestampEquals": "${T}"}, {"IsPresent": "${B}"}]
)
def test_a_placeholder_may_stand_for_what_a_choice_compares_with(rule: dict[str, Any]) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.a", "Next": "End", **rule}], "Default": "End"}

    assert parse({"StartAt": "Is", "States": {"Is": choice, "End": {"Type": "Succeed"}}}).start == "Is"


def test_what_a_task_is_asked_with_keeps_its_placeholders_also_in_a_state_that_is_named_like_a_field() -> None:
    asked = {"InputType": "${Type}", "MaxItems": "${Most}"}
    states = {
        "Parameters": {"Type": "Pass", "Parameters": asked, "Next": "Result"},
        "Result": {"Type": "Wait", "Seconds": "${Pause}", "End": True},
    }

    assert simulate({"StartAt": "Parameters", "States": states}).output == asked


def test_substitute_also_fills_the_names_of_states() -> None:
    definition = {"StartAt": "${Stage}-a", "States": {"${Stage}-a": {"Type": "Succeed"}}}

    assert names_left(definition) == ("Stage",)
    assert parse(substitute(definition, {"Stage": "prod"})).start == "prod-a"


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("BackoffRate", "1.5", 1.5),
        ("NumericGreaterThan", "5", 5),
        ("BooleanEquals", "true", True),
        ("End", "true", True),
        ("StringEquals", "5", "5"),
        ("NumericEqualsPath", "5", "5"),
    ],
)
def test_a_value_is_filled_in_as_what_the_field_needs(field: str, value: str, wanted: Any) -> None:
    assert substitute({field: "${Value}"}, {"Value": value}) == {field: wanted}


def test_data_that_is_filled_in_stays_text() -> None:
    data = {"Parameters": {"TimeoutSeconds": "${Most}"}}

    assert substitute(data, {"Most": "30"}) == {"Parameters": {"TimeoutSeconds": "30"}}


DONE = {"Type": "Succeed"}
RULE = {"Variable": "$.a", "IsPresent": True, "Next": "Done"}
INNER = {"StartAt": "In", "States": {"In": {"Type": "Pass", "End": True}}}
DISTRIBUTED = {**INNER, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
READER = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}


def two(first: Any, **machine: Any) -> dict[str, Any]:
    return {"StartAt": "One", "States": {"One": first, "Done": DONE}, **machine}


@pytest.mark.parametrize(
    "definition",
    [
        two({"Type": "Pass", "Next": "${X}"}),
        two({"Type": "Pass", "Next": "Do${X}"}),
        two({"Type": "Pass", "Next": "Done"}, StartAt="${X}"),
        two({"Type": "${X}", "Nonsense": 1}),
        two("${X}"),
        {"StartAt": "One", "States": "${X}"},
        {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": "${X}"}}},
        two({"Type": "Pass", "Next": "Done", "End": "${X}"}),
        two({"Type": "Task", "Resource": "a", "Retry": "${X}", "Next": "Done"}),
        two({"Type": "Task", "Resource": "a", "Retry": ["${X}"], "Next": "Done"}),
        two({"Type": "Task", "Resource": "a", "Catch": "${X}", "End": True}),
        two({"Type": "Task", "Resource": "a", "Catch": ["${X}"], "End": True}),
        two({"Type": "Task", "Resource": "a", "Retry": [{"ErrorEquals": "${X}"}], "Next": "Done"}),
        two({"Type": "Task", "Resource": "a", "Credentials": "${X}", "Next": "Done"}),
        two({"Type": "Task", "Resource": "a", "TimeoutSeconds": "${X}", "HeartbeatSeconds": 9, "Next": "Done"}),
        two({"Type": "Task", "Resource": "a", "TimeoutSeconds": 1, "HeartbeatSeconds": "${X}", "Next": "Done"}),
        two({"Type": "Choice", "Choices": "${X}"}),
        two({"Type": "Choice", "Choices": ["${X}"]}),
        two({"Type": "Choice", "Choices": [RULE], "Default": "${X}"}),
        two({"Type": "Choice", "Choices": [{"And": "${X}", "Next": "Done"}, {"Not": "${X}", "Next": "Done"}]}),
        two({"Type": "Choice", "Choices": [{"Or": ["${X}"], "Next": "Done"}]}),
        two({"Type": "Parallel", "Branches": "${X}", "Next": "Done"}),
        two({"Type": "Parallel", "Branches": ["${X}", INNER], "Next": "Done"}),
        two({"Type": "Map", "ItemProcessor": "${X}", "Next": "Done"}),
        two({"Type": "Map", "Iterator": "${X}", "Next": "Done"}),
        two({"Type": "Map", "ItemProcessor": {**INNER, "ProcessorConfig": "${X}"}, "Next": "Done"}),
        two({"Type": "Map", "ItemProcessor": DISTRIBUTED, "ItemReader": "${X}", "Next": "Done"}),
        two(
            {"Type": "Map", "ItemProcessor": DISTRIBUTED, "ItemReader": {**READER, "Resource": "${X}"}, "Next": "Done"}
        ),
        two(
            {
                "Type": "Map",
                "ItemProcessor": DISTRIBUTED,
                "ItemReader": {**READER, "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "${X}"}},
                "ResultWriter": {"Resource": "${X}", "Parameters": {"Bucket": "b"}},
                "Label": "a-${X}",
                "Next": "Done",
            }
        ),
        *(
            two({"Type": "Map", "ItemProcessor": DISTRIBUTED, "ItemBatcher": {field: "${X}"}, "Next": "Done"})
            for field in (
                "MaxItemsPerBatch",
                "MaxInputBytesPerBatch",
                "MaxItemsPerBatchPath",
                "MaxInputBytesPerBatchPath",
            )
        ),
        two({"Type": "Pass", "Parameters": {"a.$": "States.Array(${X})"}, "Next": "Done"}),
        two({"Type": "Pass", "Parameters": {"a.$": "States.Array(${X}, '${X}', $.a[${X}])"}, "Next": "Done"}),
        two({"Type": "Pass", "Assign": {"${X}": 1, "${X}_b.$": "$.a"}, "Next": "Done"}),
        two({"Type": "Pass", "${X}": 1, "Next": "Done"}),
        two({"Type": "Pass", "Next": "Done"}, QueryLanguage="${X}", TimeoutSeconds="${X}"),
        two({"Type": "Task", "Resource": "a", "Arguments": {"b": 1}, "Next": "Done"}, QueryLanguage="${X}"),
        two({"Type": "Pass", "QueryLanguage": "${X}", "Output": "{% ${X} ${X} 1 & '${X}' %}", "Next": "Done"}),
        two({"Type": "Wait", "Timestamp": "2026-${X}-01T00:00:00Z", "Next": "Done"}),
        {"StartAt": "a-One", "States": {"${X}-One": {"Type": "Pass", "Next": "a-Done"}, "${X}-Done": DONE}},
    ],
    ids=lambda definition: json.dumps(definition)[:90],
)
def test_what_depends_on_a_placeholder_is_not_judged(definition: dict[str, Any]) -> None:
    assert [fault.severity for fault in parse(definition).warnings if fault.code == "PLACEHOLDER"] == ["note"]


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (two({"Type": "Pass", "Nxt": "Done", "Next": "${X}"}), "Did you mean 'Next'?"),
        (two({"Type": "Pass", "Next": "Dne", "Comment": "${X}"}), "There is no state 'Dne'"),
        (two({"Type": "Pass", "Parameters": {"a.$": "States.Formt('${X}')"}, "Next": "Done"}), "States.Formt"),
        (two({"Type": "Task", "Resource": "${X}", "Retry": [{"MaxAttempts": 1}], "Next": "Done"}), "ErrorEquals"),
        (two({"Type": "Task", "Resource": "arn:aws:states:::s3:no", "Comment": "${X}", "Next": "Done"}), "s3:no"),
    ],
)
def test_what_does_not_depend_on_a_placeholder_is_judged(definition: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionInvalid, match=re.escape(told)):
        parse(definition)


def test_who_comes_where_a_placeholder_leads_is_told_that_it_has_no_value() -> None:
    done = simulate(two({"Type": "Pass", "Next": "${Following}"}))

    assert (done.status, done.error, done.cause) == ("FAILED", "States.Runtime", "${Following} has no value")
    filled_in = substitute(two({"Type": "Pass", "Next": "${Following}"}), {"Following": "Done"})
    assert simulate(filled_in).status == "SUCCEEDED"


def test_a_placeholder_without_quotes_keeps_the_type_of_its_value() -> None:
    text = '{"n": ${N}, "t": "${N}", "o": ${O}, "left": ${Left}}'

    found = json.loads(quoted(text, {"N": "3", "O": '{"a": [true]}'}))

    assert found == {"n": 3, "t": "${N}", "o": {"a": [True]}, "left": "${Left}"}
    with pytest.raises(ValueError, match="without quotes, and its value three is not JSON"):
        quoted(text, {"N": "three"})


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("Retry", '[{"ErrorEquals": ["A"]}]', [{"ErrorEquals": ["A"]}]),
        ("ErrorEquals", '["A"]', ["A"]),
        ("Comment", "[1]", "[1]"),
        ("Retry", "[", "["),
    ],
)
def test_a_structure_is_filled_in_as_json(field: str, value: str, wanted: Any) -> None:
    assert substitute({field: "${Value}"}, {"Value": value}) == {field: wanted}


def test_thousands_of_placeholders_take_no_longer_than_their_number() -> None:
    states = {f"${{S{number}}}": {"Type": "Pass", "Next": f"${{N{number}}}"} for number in range(3_000)}
    text = "States.Format('" + "${X}" * 100_000 + "')"

    assert len(parse({"StartAt": "a", "States": states}).states) == 6_001
    assert parse(two({"Type": "Pass", "Parameters": {"a.$": text}, "Next": "Done"})).start == "One"
