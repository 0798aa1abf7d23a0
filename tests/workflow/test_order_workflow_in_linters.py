"""The three workflows are Amazon States Language to the tools that others trust: cfn-lint and asl-validator."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from expediter import contracts

pytestmark = pytest.mark.heavy

WORKFLOWS = ["order.asl.json", "examples/four-tasks.asl.json", "examples/one-state-task.asl.json"]
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_cfn_lint_finds_nothing_to_say(workflow: str, tmp_path: Path) -> None:
    pytest.importorskip("cfnlint", reason="cfn-lint comes with the AWS tools: make test-all installs them")
    text = contracts.read(workflow).decode()
    properties = {
        "RoleArn": "arn:aws:iam::123456789012:role/orders",
        "DefinitionString": text,
        "DefinitionSubstitutions": {name: ARN + name for name in PLACEHOLDER.findall(text)},
    }
    template = tmp_path / "template.json"
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template.write_text(json.dumps({"Resources": {"Orders": machine}}))

    said = _run([str(Path(sys.executable).with_name("cfn-lint")), str(template)], tmp_path)

    assert said.returncode == 0, said.stdout


@pytest.fixture(scope="module")
def asl_validator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator, installed from its lock. https://github.com/ChristopheBougere/asl-validator"""
    if shutil.which("npm") is None:
        pytest.skip("asl-validator needs Node.js with npm, which is not installed here")
    folder = tmp_path_factory.mktemp("asl_validator")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(Path(__file__).parent / "asl_validator" / name, folder)
    installed = _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_asl_validator_takes_it(workflow: str, asl_validator: Path) -> None:
    file = asl_validator / Path(workflow).name
    file.write_text(PLACEHOLDER.sub(lambda match: ARN + match[1], contracts.read(workflow).decode()))

    said = _run([str(asl_validator / "node_modules/.bin/asl-validator"), "--json-path", str(file)], asl_validator)

    assert said.returncode == 0, said.stdout + said.stderr


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
