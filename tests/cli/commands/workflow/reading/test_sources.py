"""Definitions as people keep them, and where a fault stands in them."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from expediter.asl import parse
from expediter.cli.commands.workflow.reading.places import locate
from expediter.cli.commands.workflow.reading.sources import Source, machine, machines
from expediter.cli.commands.workflow.reading.values import Unreadable, parsed

DEFINITION = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": "${Bank.Arn}", "End": True}}}
AS_YAML = """
StartAt: Pay
States:
  Pay:
    Type: Task
    Resource: !GetAtt Bank.Arn
    End: true
"""


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.strip().splitlines())


SAM = f"""
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Role: !Sub arn:${{AWS::Partition}}:iam::role/x
      Definition:
{indented(AS_YAML, 8)}
"""
SERVERLESS = f"""
service: orders
stepFunctions:
  stateMachines:
    orders:
      definition:
{indented(AS_YAML.replace("!GetAtt Bank.Arn", "{Fn::GetAtt: [Bank, Arn]}"), 8)}
"""
BEFORE, _, AFTER = json.dumps(DEFINITION).partition("${Bank.Arn}")
JOINED = {"Fn::Join": ["", [BEFORE, {"Fn::GetAtt": ["Bank", "Arn"]}, AFTER]]}
MACHINE = "AWS::StepFunctions::StateMachine"
CDK = {"Resources": {"Orders1234": {"Type": MACHINE, "Properties": {"DefinitionString": JOINED}}}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps(DEFINITION), ""),
        ("\ufeff" + json.dumps(DEFINITION), ""),
        ("// ours\n" + json.dumps(DEFINITION, indent=1).replace('"Type"', '/* a // task */ "Type"'), ""),
        (AS_YAML.replace("!GetAtt Bank.Arn", "${Bank.Arn}"), ""),
        (SAM, "Orders"),
        (SERVERLESS, "orders"),
        (json.dumps(CDK), "Orders1234"),
    ],
    ids=["JSON", "byte order mark", "comments", "YAML", "SAM", "Serverless", "CDK"],
)
def test_a_definition_is_read_from_whatever_holds_it(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text, encoding="utf-8")

    (source,) = machines(file)

    assert (source.name, source.definition) == (name, DEFINITION)
    assert parse(source.definition).start == "Pay"


@pytest.mark.parametrize(
    ("text", "express"),
    [
        (SAM, False),
        (SAM.replace("Role:", "Type: EXPRESS\n      Role:"), True),
        (SAM.replace("Role:", "Type: STANDARD\n      Role:"), False),
        (SAM.replace("Role:", "Type: !Ref Kind\n      Role:"), False),
        (json.dumps(CDK).replace('{"DefinitionString"', '{"StateMachineType": "EXPRESS", "DefinitionString"'), True),
        (SERVERLESS.replace("definition:", "type: EXPRESS\n      definition:"), True),
        (SERVERLESS, False),
    ],
)
def test_a_template_says_whether_its_workflow_is_express(tmp_path: Path, text: str, express: bool) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text)

    assert machine(file, None).express is express


def test_a_template_names_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "orders.asl.json").write_text(json.dumps(DEFINITION))
    properties = {"DefinitionUri": "orders.asl.json"}
    template = {"Resources": {"Orders": {"Type": "AWS::Serverless::StateMachine", "Properties": properties}}}
    (tmp_path / "template.json").write_text(json.dumps(template))

    assert machine(tmp_path / "template.json", None).definition == DEFINITION


def test_of_several_state_machines_one_is_chosen_by_its_name(tmp_path: Path) -> None:
    two = {name: {"Type": MACHINE, "Properties": {"Definition": DEFINITION}} for name in "AB"}
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"Resources": two}))

    assert machine(file, "B").name == "B"
    with pytest.raises(Unreadable, match="2 state machines"):
        machine(file, None)
    with pytest.raises(Unreadable, match="no state machine C"):
        machine(file, "C")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n "StartAt": }', "line 2, column 13: not JSON"),
        ('{"A": 1, "A": 2}', "The key 'A' is given twice"),
        ("StartAt: A\nStartAt: B\n", "line 2, column 1: not YAML: the key 'StartAt' is given twice"),
        ("a: [1,\n", "not YAML"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_column(text: str, words: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parsed(text)

    assert words in str(refused.value)


def test_yaml_reads_words_and_dates_as_texts() -> None:
    found: Any = parsed("on: no\nat: 2026-01-01T00:00:00Z\ntrue: yes\nn: 1\nb: true\n")

    assert found == {"on": "no", "at": "2026-01-01T00:00:00Z", "true": "yes", "n": 1, "b": True}


def test_a_fault_is_found_by_line_and_column_also_inside_a_template_and_behind_dots(tmp_path: Path) -> None:
    file = tmp_path / "any"
    file.write_text(
        '{\n\t"StartAt": "a.b",\n\t"States": {\n\t\t"a.b": {"Type": "Pass", "Retry": [{}, {"X": 1}]}\n\t}\n}'
    )
    plain = machine(file, None)
    file.write_text(SAM)
    template = machine(file, None)

    assert locate(plain, "States.a.b.Retry[1].X") == (4, 42)
    assert locate(plain, "States.a.b.Missing") == (4, 3)
    assert locate(plain, "") == (1, 1)
    assert locate(template, "States.Pay.Resource") == (14, 13)


def test_a_fault_in_the_literal_text_of_a_template_is_shown_where_it_stands(tmp_path: Path) -> None:
    text = """Resources:
  One:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: !Sub |
        {"StartAt": "A",
         "States": {"A": {"Type": "Pass", "Nxt": "A", "End": true}}}
"""
    file = tmp_path / "template.yaml"
    file.write_text(text)

    found = locate(machine(file, None), "States.A.Nxt")

    assert found is not None
    assert text.splitlines()[found.line - 1][found.column - 1 :].startswith('"Nxt"')


ODD = '{"StartAt": "A",\n "States": {"A": {"Type": "Pass", "Comment": "ü\\t${One}", "Nxt": "A", "End": true}}}'
BEGIN, _, END = ODD.partition("${One}")
LINES = ODD.splitlines()


@pytest.mark.parametrize(
    "given",
    [
        json.dumps(ODD),
        json.dumps({"Fn::Sub": ODD}),
        json.dumps({"Fn::Sub": [ODD, {"One": "a longer text"}]}, indent=1),
        json.dumps({"Fn::Join": ["", [BEGIN, {"Ref": "One"}, END]]}, indent=2),
        json.dumps({"Fn::Join": ["\n", LINES]}, ensure_ascii=False, indent=2),
        "!Join ['', ['" + BEGIN.replace("\n", " ") + "', !Ref One, '" + END + "']]",
        "!Sub '" + ODD.replace("\n", " ") + "'",
        f"!Sub\n  - |\n    {LINES[0]}\n    {LINES[1]}\n  - One: 1",
        "{Fn::ToJsonString: " + ODD.replace("\n", "") + "}",
        f"!Join\n  - ''\n  - - |\n      {LINES[0]}\n      {LINES[1]}\n    - ' '",
    ],
)
def test_a_fault_in_a_text_of_a_template_is_shown_where_it_stands(tmp_path: Path, given: str) -> None:
    text = f"""{{"Resources": {{"One": {{"Type": "{MACHINE}", "Properties": {{"DefinitionString": {given}}}}}}}}}"""
    if given.startswith(("!", "{Fn")):
        text = f"Resources:\n One:\n  Type: {MACHINE}\n  Properties:\n   DefinitionString: "
        text += given.replace("\n", "\n    ") + "\n"
    file = tmp_path / "template"
    file.write_text(text)

    found = locate(machine(file, None), "States.A.Nxt")

    assert found is not None
    assert text.splitlines()[found.line - 1][found.column - 1 :].replace("\\", "").startswith('"Nxt"')


@pytest.mark.parametrize("lead", ["!Sub\n    |\n", ">\n", "!Sub >\n"])
def test_a_fault_in_folded_lines_of_a_template_is_shown_where_they_begin(tmp_path: Path, lead: str) -> None:
    file = tmp_path / "template"
    lines = "\n    ".join(LINES)
    file.write_text(f"Resources:\n One:\n  Type: {MACHINE}\n  Properties:\n   DefinitionString: {lead}    {lines}\n")

    assert locate(machine(file, None), "States.A.Nxt") == (5, 22)


def test_an_address_in_yaml_is_no_comment(tmp_path: Path) -> None:
    file = tmp_path / "any.yaml"
    file.write_text("Comment: 'https://example.com'\nStartAt: A\nStates: {A: {Type: Pass, Nxt: A, End: true}}\n")

    assert locate(machine(file, None), "States.A.Nxt") == (3, 26)


def test_yaml_whose_aliases_stand_for_billions_of_values_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]" for before, name in pairwise("abcdefghij")]

    with pytest.raises(Unreadable, match="aliases stand for more than 1000000 values"):
        parsed("\n".join(lines))


def test_a_text_that_is_larger_than_any_definition_is_no_yaml_and_its_faults_have_no_place() -> None:
    with pytest.raises(Unreadable, match="YAML of more than 1 MiB"):
        parsed("a: [" + "0," * 600_000 + "0]")
    assert locate(Source("", None, "[" + "0," * 600_000 + "0]"), "States") is None


def test_yaml_that_holds_itself_is_refused() -> None:
    with pytest.raises(Unreadable, match="recursive"):
        parsed("a: &a [*a]")


@pytest.mark.parametrize(
    "text",
    [
        "? [a, b]\n: c\n",
        "a: !!int x\n",
        "a: !!float x\n",
        "a: !!timestamp x\n",
        "a: !!binary aGk=\n",
        "a: !!set {b}\n",
        "a: .inf\n",
        "a: .nan\n",
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        '{"\\ud800": 1}',
        '{"a":' * 700 + "1" + "}" * 700,
    ],
)
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parsed(text)


def test_keys_of_yaml_are_texts() -> None:
    assert parsed("1: a\ntrue: b\nnull: c\n1.5: d\n") == {"1": "a", "true": "b", "null": "c", "1.5": "d"}


@pytest.mark.parametrize(
    "definition",
    [{"Fn::Sub": []}, {"Fn::Sub": {}}, {"Fn::Sub": 5}, {"Fn::Join": ["", 5]}, {"Fn::GetAtt": 5}, {"Fn::If": ["a"]}],
)
def test_an_intrinsic_function_that_is_none_is_a_fault_and_no_traceback(tmp_path: Path, definition: Any) -> None:
    properties = {"DefinitionString": definition}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"Pay": resource, "Other": {"Type": ["x"]}}}))

    with pytest.raises(Unreadable, match=r"Pay: .*(takes|Fn::)"):
        machine(template, None)


def test_the_places_of_many_faults_are_found_at_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    compose = yaml.compose

    def counted(text: str, loader: Any) -> Any:
        read.append(text)
        return compose(text, loader)

    monkeypatch.setattr(yaml, "compose", counted)
    source = Source("", None, '{"one": 1,\n "two": 2}  ')

    assert [locate(source, path) for path in ("one", "two")] == [(1, 2), (2, 2)]
    assert len(read) == 1
