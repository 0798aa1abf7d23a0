"""The workflow file that deploys: valid, signed in by OIDC, and nowhere a key that is stored."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cdk import NODE, PACKAGE

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
#: AWS's own action that changes GitHub's token for a role's.
SIGN_IN = "aws-actions/configure-aws-credentials"


@pytest.fixture(scope="module")
def deploy() -> Any:
    return yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8"))


def test_it_tests_and_synthesises_before_it_signs_in_and_deploys_last(deploy: Any) -> None:
    steps = [step.get("run") or step["uses"].split("@")[0] for step in deploy["jobs"]["deploy"]["steps"]]
    kinds = ("make test test-aws", "make synth", SIGN_IN, "make deploy")
    places = [next(place for place, step in enumerate(steps) if step.startswith(kind)) for kind in kinds]
    assert places == sorted(places)


def test_it_signs_in_with_github_s_own_token_for_a_role(deploy: Any) -> None:
    (signing,) = [it["with"] for it in deploy["jobs"]["deploy"]["steps"] if it.get("uses", "").startswith(SIGN_IN)]
    assert deploy["permissions"] == {"contents": "read", "id-token": "write"}
    assert signing.keys() == {"role-to-assume", "aws-region"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_workflow_stores_or_reads_a_key(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"]["contents"] == "read"
    assert re.findall(r"secrets\.|access-key|AKIA|SECRET_ACCESS", text, re.IGNORECASE) == []


def test_the_cdk_s_command_line_is_one_exact_version_run_by_the_node_of_the_lock() -> None:
    assert re.fullmatch(r"aws-cdk@2\.\d+\.\d+", PACKAGE)
    assert (NODE / "node").is_file()
    said = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "Makefile", *FILES))
    assert re.findall(r"aws-cdk@|npx ", said) == []
