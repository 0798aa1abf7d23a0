"""The commands of the AWS pages are commands: services, operations and options that AWS's own models know."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("aws-*.md"))
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_JSON = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"\baws ([a-z0-9-]+) ([a-z0-9-]+)((?:(?!\baws )[^|;`\n])*)")
#: What the command line knows for every operation.
EVERYWHERE = {"query", "output", "region"}
#: What the command line calls otherwise than the service is called.
SERVICES = {"deploy": "codedeploy"}
#: Not of a service: how somebody signs in, and in which region.
OWN = {"configure", "sso"}


def commands() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(service, operation, options) of every call of AWS's command line in the pages."""
    for page in PAGES:
        for found in _COMMAND.finditer(page.read_text(encoding="utf-8").replace("\\\n", " ")):
            if found[1] not in OWN:
                yield found[1], found[2], tuple(re.findall(r"(?<!\S)--([a-z][a-z-]*)", found[3]))


KNOWN = sorted(set(commands()))


@pytest.mark.parametrize(("service", "operation", "options"), KNOWN, ids=lambda it: it if isinstance(it, str) else "")
def test_a_command_is_one_that_aws_has(service: str, operation: str, options: tuple[str, ...]) -> None:
    model = botocore.session.get_session().get_service_model(SERVICES.get(service, service))
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(member, "-") for member in shape.members} if shape else set()
    assert {*options} <= members | EVERYWHERE


def test_there_are_commands() -> None:
    assert len(KNOWN) > 10


def test_policies_in_the_pages_are_json_with_principal_and_action() -> None:
    found = [json.loads(text) for page in PAGES for text in _JSON.findall(page.read_text(encoding="utf-8"))]
    assert len(found) == 2
    for statement in (it for policy in found for it in policy["Statement"]):
        assert statement.get("Resource", statement.get("Principal")) != "*"


def test_the_variables_of_the_deploying_workflow_are_told() -> None:
    page = (ROOT / "docs/how-to/aws-deploy.md").read_text(encoding="utf-8")
    read = set(re.findall(r"vars\.([A-Z_]+)", (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")))
    assert read
    assert [name for name in read if f"`{name}`" not in page] == []


def test_the_outputs_of_a_deployment_are_read_as_the_runbook_says(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/aws-runbook.md").read_text(encoding="utf-8")
    (first, *_) = _BLOCK.findall(page)
    define, use = (line.removeprefix("$ ") for line in first.splitlines()[:2])
    (tmp_path / "build").mkdir()
    outputs = {"RestUrl": "https://api.example/dev/", "StateMachine": "arn:m", "DeadLetterQueue": "https://q"}
    (tmp_path / "build/outputs-dev.json").write_text(json.dumps({"Orders-dev": outputs}))
    script = f"{define.replace('.venv/bin/python', shlex.quote(sys.executable))}\n{use}\necho $REST_URL $STATE_MACHINE"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "https://api.example/dev arn:m\n"
