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


def test_watch_ends_when_what_it_shall_watch_is_no_file(tmp_path: Path) -> None:
    code, output = invoke("watch", tmp_path)

    assert code == 2
    assert output == f"{tmp_path} cannot be watched: it is not a regular file\n"


def test_fmt_goes_on_after_a_file_that_it_leaves_or_cannot_read_and_keeps_the_file_s_mode(tmp_path: Path) -> None:
    kept = {
        "a.yaml": "StartAt: A\nStates: {A: {Type: Succeed}}\n",
        "bare.asl.json": '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${N}, "End": true}}}',
        "template.json": '{"Resources": {}}',
        "broken.asl.json": "{",
    }
    for name, text in kept.items():
        (tmp_path / name).write_text(text)
    good = tmp_path / "good.asl.json"
    good.write_text(json.dumps(GOOD, ensure_ascii=False).replace("é", "${Name}"))
    good.chmod(0o640)

    code, output = invoke("fmt", *(tmp_path / name for name in kept), good)

    assert code == 1
    assert output.count("left as it is") == 3
    assert {name: (tmp_path / name).read_text() for name in kept} == kept
    assert "${Name}" in good.read_text()
    assert (good.read_text().count("\n"), good.stat().st_mode & 0o777) == (10, 0o640)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, good.name])
