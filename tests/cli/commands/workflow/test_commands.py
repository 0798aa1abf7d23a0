"""``expediter workflow``: what it prints, and its exit code."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from expediter.cli.commands.workflow import app
from tests.cli.conftest import Run

GOOD: dict[str, Any] = {
    "StartAt": "Pay",
    "States": {
        "Pay": {"Type": "Task", "Resource": "${Bank}", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.asl.json").write_text(json.dumps(GOOD))
    (tmp_path / "bad.asl.json").write_text(json.dumps({"StartAt": "No", "States": {"A": {"Type": "Pass"}}}))
    (tmp_path / "mocks.json").write_text(json.dumps({"Bank": [{"result": {"ok": True}}]}))
    return tmp_path


def invoke(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_validate_lists_every_fault_with_its_place_and_exits_1(folder: Path) -> None:
    code, output = invoke("validate", folder / "bad.asl.json")

    assert code == 1
    assert "error: StartAt: There is no state 'No'" in output
    assert "error: States.A: Exactly one of these fields is required: [Next, End]" in output


def test_validate_accepts_a_definition_with_placeholders_and_shows_its_warnings(folder: Path) -> None:
    code, output = invoke("validate", folder / "good.asl.json", "--json")

    assert code == 0
    assert json.loads(output)["valid"] is True
    assert [fault["code"] for fault in json.loads(output)["faults"]] == ["PLACEHOLDER", "NO_CATCH"]


def test_substitute_says_what_a_placeholder_stands_for(folder: Path) -> None:
    code, output = invoke("validate", folder / "good.asl.json", "--json", "--substitute", "Bank=Bank")

    assert code == 0
    assert [fault["code"] for fault in json.loads(output)["faults"]] == ["NO_CATCH"]
    assert invoke("validate", folder / "good.asl.json", "--substitute", "Bank")[0] == 2


def test_validate_and_run_apply_the_rules_of_express_where_the_template_says_express(tmp_path: Path) -> None:
    waits = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True}
    properties = {"Type": "EXPRESS", "Definition": {"StartAt": "A", "States": {"A": waits}}}
    template = {"Resources": {"M": {"Type": "AWS::Serverless::StateMachine", "Properties": properties}}}
    (tmp_path / "sam.json").write_text(json.dumps(template))

    for command in ("validate", "run"):
        code, output = invoke(command, tmp_path / "sam.json")

        assert code == 1
        assert "Express state machine does not support '.sync' service integration" in output


def test_graph_writes_svg_or_mermaid(folder: Path) -> None:
    assert invoke("graph", folder / "good.asl.json", "-o", folder / "g.svg")[0] == 0
    assert (folder / "g.svg").read_text().startswith("<svg")
    assert invoke("graph", folder / "good.asl.json", "--mermaid")[1].startswith("stateDiagram-v2")
    assert invoke("graph", folder / "bad.asl.json")[0] == 1


def test_graph_lists_states_and_transitions_as_json(folder: Path) -> None:
    inner = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass", "End": True}}}
    each = {"StartAt": "Each", "States": {"Each": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    (folder / "map.asl.json").write_text(json.dumps(each))
    code, output = invoke("graph", folder / "good.asl.json", "--json")

    assert code == 0
    assert json.loads(output) == {
        "states": [{"name": "Pay", "type": "Task", "in": None}, {"name": "Done", "type": "Succeed", "in": None}],
        "transitions": [
            {"from": None, "to": "Pay", "kind": "start", "label": None},
            {"from": "Pay", "to": "Done", "kind": "next", "label": None},
            {"from": "Done", "to": None, "kind": "end", "label": None},
        ],
    }
    states = json.loads(invoke("graph", folder / "map.asl.json", "--json")[1])["states"]
    assert {state["name"]: state["in"] for state in states} == {"Each": None, "Inner": "Each"}
    code, written = invoke("graph", folder / "good.asl.json", "--json", "-o", folder / "g.json")
    assert (code, json.loads(written)) == (0, {"written": str(folder / "g.json")})
    assert json.loads((folder / "g.json").read_text()) == json.loads(output)


def test_run_shows_the_states_and_the_output(folder: Path) -> None:
    code, output = invoke("run", folder / "good.asl.json", "--mocks", folder / "mocks.json", "--input", '{"a": 1}')

    assert code == 0
    assert output == 'Pay → Done\nSUCCEEDED after 0 s: {"ok": true}\n'


def test_run_prints_json_and_reads_its_input_from_a_file(folder: Path) -> None:
    (folder / "input.json").write_text("[1]")

    given = f"@{folder / 'input.json'}"
    code, output = invoke("run", folder / "good.asl.json", "--mocks", folder / "mocks.json", "--input", given, "--json")

    assert code == 0
    assert json.loads(output)["states_entered"] == ["Pay", "Done"]


def test_run_says_which_answer_is_missing(folder: Path) -> None:
    code, output = invoke("run", folder / "good.asl.json")

    assert code == 2
    assert "No answer is prepared for Bank" in output


def test_test_runs_cases_beside_a_workflow_and_writes_a_line_for_each(folder: Path) -> None:
    cases = [
        {
            "id": name,
            "definition_file": "good.asl.json",
            "input": {},
            "task_mocks": {"Bank": [{"result": 1}]},
            "expected": {"status": status, "output": 1},
        }
        for name, status in (("right", "SUCCEEDED"), ("wrong", "FAILED"))
    ]
    (folder / "cases.json").write_text(json.dumps(cases))

    code, output = invoke("test", folder / "cases.json", "--results", folder / "results.jsonl")

    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert code == 1
    assert "DISAGREES wrong" in output
    assert "1 of 2 cases agree" in output
    assert rows[0] == {
        "id": "right",
        "status": "SUCCEEDED",
        "states_entered": ["Pay", "Done"],
        "output": 1,
        "agrees": True,
    }


def test_test_prints_its_figures_as_json(folder: Path) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    case = {"id": "c", "definition": definition, "input": 1, "expected": {"status": "SUCCEEDED", "output": 1}}
    (folder / "own").mkdir()
    (folder / "own" / "cases.json").write_text(json.dumps([case]))

    code, output = invoke("test", folder / "own", "--json")

    assert code == 0
    assert json.loads(output)["tiers"] == {"own": {"cases": 1, "agree": 1}}


def test_a_file_that_is_not_json_is_said_to_be_so(folder: Path) -> None:
    (folder / "broken.json").write_text("{")

    code, output = invoke("validate", folder / "broken.json")

    assert code == 2
    assert "broken.json: line 1, column 2: not JSON" in output


@pytest.mark.parametrize("command", ["validate", "graph", "run", "fmt", "publish", "test"])
def test_what_is_no_definition_is_one_sentence(command: str, typed: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 100 * 1024 * 1024)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    told = {
        "/dev/zero": "is not a regular file",
        tmp_path / "fifo": "is not a regular file",
        tmp_path / "large": "larger than 16 MiB",
        tmp_path / "binary": "is not text in UTF-8 (byte 129)",
        tmp_path / "none": "No such file",
    }
    if command != "test":  # which takes folders of cases
        told[tmp_path / "folder"] = "is not a regular file"

    for file, words in told.items():
        refused = typed("workflow", command, str(file))
        assert (refused.code, len(refused.err.splitlines())) == (2, 1)
        assert words in refused.err


def test_validate_goes_on_after_a_file_that_cannot_be_read(folder: Path, typed: Run) -> None:
    files = [str(folder / name) for name in ("none", "good.asl.json", "bad.asl.json")]

    text, as_json, github, sarif = (
        typed("workflow", "validate", *files, *options)
        for options in ((), ("--json",), ("--format", "github"), ("--format", "sarif"))
    )

    assert [done.code for done in (text, as_json, github, sarif)] == [1, 1, 1, 1]
    assert text.err == f"{files[0]} cannot be read: No such file or directory\n"
    assert f"{files[1]}: 0 errors" in text.out
    faults = as_json.json["faults"]
    assert (faults[0]["file"], faults[0]["code"], as_json.json["valid"]) == (files[0], "UNREADABLE", False)
    assert {fault["file"] for fault in faults} == set(files)
    assert github.out.startswith(f"::error file={files[0]},line=1,col=1::")
    assert sarif.json["runs"][0]["results"][0]["ruleId"] == "UNREADABLE"
    assert typed("workflow", "validate", files[0], files[1]).code == 1


def test_run_says_what_has_no_value(folder: Path, typed: Run) -> None:
    states = {"Pay": {**GOOD["States"]["Pay"], "TimeoutSeconds": "${Most}", "Next": "${Following}"}}
    (folder / "open.asl.json").write_text(json.dumps({**GOOD, "States": {**GOOD["States"], **states}}))
    words = ["workflow", "run", str(folder / "open.asl.json"), "--mocks", str(folder / "mocks.json")]

    done = typed(*words)
    assert (done.code, "Without a value: ${Following}, ${Most}." in done.err) == (1, True)
    assert "${Following} has no value" in done.out
    assert typed(*words, "--json").json["without_value"] == ["${Following}", "${Most}"]
    done = typed(*words, "--substitute", "Most=3", "--substitute", "Following=Done")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("typed_words", "told"),
    [
        (["run", "--json"], "Missing argument 'file'."),
        (["run", "x", "--json", "--wrong"], "No such option: --wrong"),
        (["nothing", "--json"], "No such command 'nothing'."),
    ],
)
def test_a_wrong_command_line_is_reported_as_json_where_json_is_asked_for(
    typed: Run, typed_words: list[str], told: str
) -> None:
    done = typed("workflow", *typed_words)

    assert (done.code, done.json["error"].startswith(told)) == (2, True)
    assert "Usage" in typed("workflow", "run").err
