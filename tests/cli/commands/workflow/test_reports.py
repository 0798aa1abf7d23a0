"""Faults for people and for programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from expediter.cli.commands.workflow import app

BROKEN = '{\n  "StartAt": "Pay",\n  "States": {"Pay": {"Type": "Pass", "Nxt": "Pay", "End": true}}\n}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "broken.asl.json"
    path.write_text(BROKEN)
    return path


def validate(file: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["validate", str(file), *options])
    return done.exit_code, done.stdout


def test_text_shows_the_line_with_a_caret_below(file: Path) -> None:
    code, output = validate(file)

    assert code == 1
    assert output.splitlines()[:4] == [
        "error: States.Pay.Nxt: Field 'Nxt' is not supported. Did you mean 'Next'?",
        f"  --> {file}:3:38",
        '    3 |   "States": {"Pay": {"Type": "Pass", "Nxt": "Pay", "End": true}}',
        "      | " + " " * 37 + "^",
    ]


def test_json_has_line_and_column(file: Path) -> None:
    code, output = validate(file, "--json")

    assert code == 1
    assert [(fault["path"], fault["line"], fault["column"]) for fault in json.loads(output)["faults"]] == [
        ("States.Pay.Nxt", 3, 38)
    ]


def test_github_gets_workflow_commands(file: Path) -> None:
    _, output = validate(file, "--format", "github")

    assert output.startswith(f"::error file={file},line=3,col=38::States.Pay.Nxt: Field 'Nxt' is not supported")


def test_sarif_names_rule_level_and_place(file: Path) -> None:
    _, output = validate(file, "--format", "sarif")

    (run,) = json.loads(output)["runs"]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("SCHEMA_VALIDATION_FAILED", "error")
    assert place["region"] == {"startLine": 3, "startColumn": 38}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["SCHEMA_VALIDATION_FAILED"]


@pytest.mark.parametrize("content", [None, b"\xff", b"{", b"a: [", b'{"A": 1, "A": 1}'])
def test_json_is_printed_also_when_the_file_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "any.json"
    if content is not None:
        path.write_bytes(content)

    code, output = validate(path, "--json")

    assert code == 2
    assert str(path) in json.loads(output)["error"]


def test_a_long_line_is_cut_on_both_sides_of_the_fault(tmp_path: Path) -> None:
    path = tmp_path / "long.asl.json"
    blank = " " * 200
    path.write_text(
        '{"StartAt": "Pay",' + blank + '"States": {"Pay": {"Type": "Pass", "Nxt": "Pay", "End": true}}}' + blank
    )
    lines = validate(path)[1].splitlines()

    shown = lines[2][8:]
    assert (shown[0], shown[-1], len(shown)) == ("…", "…", 112)
    assert shown[lines[3].index("^") - 8 :].startswith('"Nxt"')


def test_the_name_of_a_file_is_escaped_as_each_format_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a,b: ü.asl.json"
    path.write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    uris = [
        json.loads(validate(file, "--format", "sarif")[1])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        for file in (path, Path(path.name))
    ]

    assert validate(Path(path.name), "--format", "github")[1].startswith("::error file=a%2Cb%3A ü.asl.json,line=3,")
    assert [place["artifactLocation"]["uri"] for place in uris] == [path.as_uri(), "a%2Cb%3A%20%C3%BC.asl.json"]


def test_a_fault_in_a_file_that_a_template_names_is_shown_there(file: Path) -> None:
    template = file.with_name("template.yaml")
    place = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": file.name}}
    template.write_text(json.dumps({"Resources": {"One": place}}))

    assert f"  --> {file}:3:38\n" in validate(template)[1]


#: Texts that cannot be read, the place in them that is told, and what is said.
UNREADABLE = [
    ('{\n "StartAt": "A",\n "States": {"A": {"Type": "Pass" "End": true}}\n}', (3, 34), "not JSON: Expecting ',' del"),
    ('{\n "StartAt": "A"', (2, 16), "not JSON: Expecting ',' delimiter"),
    ('{"States": {\n "A": {"x": "}"},\n "\\u0041": 1}}', (3, 2), "The key 'A' is given twice in one object"),
    ('{"A": {"x": 1}, "B": {"x": 2},\n "A": 3}', (2, 2), "The key 'A' is given twice in one object"),
    ('{"A": ${One}, /* A */ "A": 1}', (1, 23), "The key 'A' is given twice in one object"),
    ('{"A": "NaN",\n "B": -Infinity}', (2, 7), "not JSON: -Infinity is no value of JSON"),
    ('{"A": ${One}, "B": }', (1, 20), "not JSON: Expecting value"),
    ("StartAt: A\nStates: [\n", (3, 1), "not YAML: expected the node content"),
    ("StartAt: A\nStartAt: B\n", (2, 1), "not YAML: the key 'StartAt' is given twice"),
    ("StartAt: A\nB: \x07\n", (2, 4), "not YAML: special characters are not allowed"),
]


@pytest.mark.parametrize(("text", "place", "reason"), UNREADABLE)
def test_a_text_that_cannot_be_read_is_reported_with_its_place_in_every_format(
    tmp_path: Path, text: str, place: tuple[int, int], reason: str
) -> None:
    file = tmp_path / "broken"
    file.write_text(text)
    line, column = place

    done = CliRunner().invoke(app, ["validate", str(file)])
    (fault,) = json.loads(validate(file, "--json")[1])["faults"]
    (result,) = json.loads(validate(file, "--format", "sarif")[1])["runs"][0]["results"]

    first, *shown = done.stderr.splitlines()
    assert first.startswith(f"{file}: line {line}, column {column}: {reason}")
    assert shown == [
        f"  --> {file}:{line}:{column}",
        f"{line:>5} | {[*text.splitlines(), ''][line - 1]}",
        "      | " + " " * (column - 1) + "^",
    ]
    assert (fault["line"], fault["column"]) == place
    assert validate(file, "--format", "github")[1].startswith(f"::error file={file},line={line},col={column}::")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": line, "startColumn": column}


def test_what_cannot_be_read_in_a_file_that_a_template_names_is_shown_there(file: Path) -> None:
    file.write_text('{"StartAt": }')
    template = file.with_name("template.yaml")
    place = {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": file.name}}
    template.write_text(json.dumps({"Resources": {"One": place}}))

    assert f"  --> {file}:1:13\n" in CliRunner().invoke(app, ["validate", str(template)]).stderr


@pytest.mark.parametrize("command", ["graph", "run", "fmt"])
def test_every_command_shows_the_line_of_a_text_that_is_not_json(file: Path, command: str) -> None:
    file.write_text('{"StartAt": }')

    assert f"  --> {file}:1:13\n" in CliRunner().invoke(app, [command, str(file)]).stderr


@pytest.mark.parametrize("text", ['{"StartAt": "A",\n "States": }', '{"States": {},\n "States": {}}'])
def test_what_is_not_json_in_the_text_of_a_template_is_shown_in_the_template(tmp_path: Path, text: str) -> None:
    template = tmp_path / "template.json"
    place = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": {"Fn::Sub": text}}}
    template.write_text(json.dumps({"Resources": {"One": place}}, indent=1))
    wrong = "}" if "StartAt" in text else '\\"States\\": {}}'

    (fault,) = json.loads(validate(template, "--json")[1])["faults"]

    assert template.read_text().splitlines()[fault["line"] - 1][fault["column"] - 1 :].startswith(wrong)
    assert "  --> " in CliRunner().invoke(app, ["validate", str(template)]).stderr
