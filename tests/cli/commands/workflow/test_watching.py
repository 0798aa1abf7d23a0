"""``fmt`` writes definitions in one form; ``watch`` looks again at every save."""

import json
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from expediter.cli.commands.workflow import app

GOOD = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "é", "End": True}}}


def invoke(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_fmt_writes_a_definition_in_one_form_and_then_leaves_it(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.json"
    file.write_text(json.dumps(GOOD))

    assert invoke("fmt", "--check", file)[0] == 1
    assert invoke("fmt", file)[0] == 0
    assert file.read_text(encoding="utf-8") == json.dumps(GOOD, indent=2, ensure_ascii=False) + "\n"
    assert invoke("fmt", "--check", file) == (0, "")


def test_fmt_leaves_a_file_with_comments_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.json"
    file.write_text("// mine\n" + json.dumps(GOOD))

    code, output = invoke("fmt", file)

    assert code == 0
    assert "left as it is" in output
    assert file.read_text().startswith("// mine")


def test_watch_checks_draws_and_runs_the_cases_at_every_save(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.json"
    file.write_text(json.dumps({"StartAt": "No", "States": GOOD["States"]}))
    case = {"id": "c", "definition_file": file.name, "input": 1, "expected": {"status": "SUCCEEDED", "output": "é"}}
    (tmp_path / "a.cases.json").write_text(json.dumps([case]))
    command = [sys.executable, "-m", "expediter", "workflow", "watch", str(file), "--every", "0.05"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as seen:
        assert seen.stdout is not None
        try:
            first = next(line for line in seen.stdout if "errors" in line)
            file.write_text(json.dumps(GOOD))
            last = next(line for line in seen.stdout if "cases agree" in line)
        finally:
            seen.terminate()

    assert "1 errors" in first
    assert last == "1 of 1 cases agree\n"
    assert (tmp_path / "a.svg").read_text().startswith("<svg")


def test_fmt_leaves_a_number_that_it_would_round(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.json"
    for number, words in (("1e999", "not finite"), ("12345678901234567890.5", "left as it is")):
        file.write_text(json.dumps(GOOD, ensure_ascii=False).replace('"é"', number))
        assert words in invoke("fmt", file)[1]
        assert number in file.read_text()
