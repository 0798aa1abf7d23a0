"""What a template says itself is filled in; the rest stands as a placeholder, or is said to be missing."""

import json
from pathlib import Path
from typing import Any

import pytest

from expediter.asl import parse
from expediter.cli.commands.workflow.reading.sources import machine, machines
from expediter.cli.commands.workflow.reading.templates import with_placeholders
from expediter.cli.commands.workflow.reading.values import Unreadable
from tests.cli.conftest import Run

SAM, CLOUDFORMATION = "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"
DEFINITION = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "${Bank}", "End": True}}}


def template(folder: Path, kind: str = CLOUDFORMATION, **properties: Any) -> Path:
    file = folder / "template.json"
    file.write_text(json.dumps({"Resources": {"Orders": {"Type": kind, "Properties": properties}}}))
    return file


@pytest.mark.parametrize("field", ["Definition", "DefinitionString", "DefinitionUri"])
def test_the_template_s_own_substitutions_are_applied(tmp_path: Path, field: str) -> None:
    definition = {**DEFINITION, "TimeoutSeconds": "${Most}", "Comment": "${Left}"}
    (tmp_path / "orders.asl.json").write_text(json.dumps(definition))
    given = {"Definition": definition, "DefinitionString": json.dumps(definition), "DefinitionUri": "orders.asl.json"}
    values = {"Bank": "a-bank", "Most": 30, "Left": {"Ref": "Stage"}}

    properties: dict[str, Any] = {field: given[field], "DefinitionSubstitutions": values}
    found = machine(template(tmp_path, **properties), None).definition

    assert found["States"]["Pay"]["Resource"] == "a-bank"
    assert (found["TimeoutSeconds"], found["Comment"]) == (30, "${Left}")


def test_what_the_command_line_gives_wins(tmp_path: Path) -> None:
    file = template(tmp_path, Definition=DEFINITION, DefinitionSubstitutions={"Bank": "a-bank"})

    assert machine(file, None, {"Bank": "mine"}).definition["States"]["Pay"]["Resource"] == "mine"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"Fn::Sub": "a-${!Literal}-${Name}"}, "a-${Literal}-${Name}"),
        ({"Fn::Sub": ["${A}-${B}-${C}", {"A": "one", "B": {"Ref": "Two"}}]}, "one-${Two}-${C}"),
        ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
        ({"Fn::Select": [0, {"Ref": "List"}]}, "${Select.0.List}"),
        ({"Fn::If": ["IsProd", 30, 60]}, "${If.IsProd.30.60}"),
        ({"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Table"]}, "${FindInMap.Regions.AWS::Region.Table}"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Stack}-Table"}}, "${ImportValue.Stack.-Table}"),
        ({"Fn::GetAtt": "Bank.Arn"}, "${Bank.Arn}"),
        ({"Fn::Split": [",", "a,b"]}, "${Split.a.b}"),
        ({"Fn::Join": ["-", {"Ref": "Parts"}]}, "${Join.-.Parts}"),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ({"Condition": "{% true %}"}, {"Condition": "{% true %}"}),
    ],
)
def test_a_function_stands_for_its_value_or_for_a_placeholder(value: Any, wanted: Any) -> None:
    assert with_placeholders(value) == wanted


def test_functions_may_stand_where_the_language_needs_another_type(tmp_path: Path) -> None:
    pay = {
        "Type": "Task",
        "Resource": {"Fn::ImportValue": "bank"},
        "TimeoutSeconds": {"Fn::If": ["IsProd", 30, 60]},
        "Retry": {"Fn::FindInMap": ["Retries", "all", "pay"]},
        "End": {"Fn::Select": [0, {"Ref": "Ends"}]},
        "Catch": {"Ref": "AWS::NoValue"},
    }

    found = machine(template(tmp_path, Definition={"StartAt": "Pay", "States": {"Pay": pay}}), None).definition

    assert parse(found).resources == {"ImportValue.bank"}


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"Definition": {"Fn::If": ["IsProd", {}, {}]}}, "Orders: its Definition is Fn::If, whose value is known at"),
        ({"DefinitionString": {"Ref": "Text"}}, "Orders: its DefinitionString is Ref, whose value is known at"),
        ({"DefinitionUri": "s3://bucket/key"}, "Orders: its DefinitionUri names no file beside the template"),
        ({"DefinitionUri": {"Bucket": "b", "Key": "k"}}, "Orders: its DefinitionUri names no file"),
        ({"DefinitionUri": "none.json"}, "none.json cannot be read: No such file"),
        ({"DefinitionS3Location": {"Bucket": "b"}}, "Orders: its definition is in S3"),
        ({"Definition": {"Comment": {"Fn::Sub": 5}}}, "Orders: Fn::Sub takes a text"),
        ({"Definition": {"Comment": {"Fn::Select": [2, ["a"]]}}}, "Orders: Fn::Select has no value 2 in a list of 1"),
        ({"DefinitionString": '{"a": }'}, "Orders: in the text of its DefinitionString: line 1, column 7: not JSON"),
        ({}, "Orders: it has none of Definition,"),
    ],
)
def test_a_definition_that_is_not_there_is_said_to_be_so(
    tmp_path: Path, typed: Run, properties: dict[str, Any], told: str
) -> None:
    refused = typed("workflow", "validate", str(template(tmp_path, SAM, **properties)))

    assert refused.code == 2
    assert told in refused.err


def test_a_template_without_a_state_machine_is_said_to_be_one(tmp_path: Path) -> None:
    file = template(tmp_path, "AWS::S3::Bucket")

    with pytest.raises(Unreadable, match="is a template without a state machine"):
        machine(file, None)


def test_of_several_machines_one_that_is_not_there_does_not_hide_the_others(tmp_path: Path) -> None:
    properties = {"A": {"DefinitionUri": "s3://b/k"}, "B": {"Definition": DEFINITION}}
    resources = {name: {"Type": SAM, "Properties": given} for name, given in properties.items()}
    (tmp_path / "two.json").write_text(json.dumps({"Resources": resources}))

    assert [source.name for source in machines(tmp_path / "two.json")] == ["A", "B"]
    assert machine(tmp_path / "two.json", "B").definition == DEFINITION


def test_a_number_without_quotes_is_a_number_also_in_the_text_of_a_template(tmp_path: Path) -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"n": ${N}}, "End": true}}}'

    found = machine(template(tmp_path, DefinitionString=text, DefinitionSubstitutions={"N": 3}), None).definition

    assert found["States"]["A"]["Result"] == {"n": 3}
