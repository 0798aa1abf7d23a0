"""The workflow files: who signs in at AWS (by OIDC), what they run then, and nowhere a key that is stored."""

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


#: Jobs that may become a role in the account, by file.
SIGNED = {"ci": set(), "deploy": {"plan", "deploy", "smoke"}, "drift": {"drift"}, "release": set()}
#: What a job that signs in runs of this repository: the CDK's command line, and what the smoke test needs.
RUNS = re.compile(
    r"python -m pip install --require-hashes -r requirements/deploy\.txt|python -m infra\.cdk .*|"
    r"make setup-aws|\.venv/bin/python scripts/smoke_aws\.py dev",
    re.DOTALL,
)


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _steps(job: Any) -> list[str]:
    return [step.get("run") or step["uses"].split("@")[0] for step in job["steps"]]


@pytest.fixture(scope="module")
def deploy() -> Any:
    return _read(ROOT / ".github/workflows/deploy.yml")


def test_what_is_built_without_a_token_is_planned_and_then_deployed(deploy: Any) -> None:
    jobs = deploy["jobs"]
    assert (jobs["plan"]["needs"], jobs["deploy"]["needs"]) == ("build", "plan")
    built = _steps(jobs["build"])
    assert [step for step in built if step.startswith(("make test", "make synth"))]
    assert built[-1] == "actions/upload-artifact"
    for name in ("plan", "deploy"):
        steps = _steps(jobs[name])
        assert steps.index("actions/download-artifact") < steps.index(SIGN_IN)
        assert not [step for step in steps if step.startswith("make")]


def test_the_change_set_is_shown_before_anybody_agrees(deploy: Any) -> None:
    plan, deploying = deploy["jobs"]["plan"], deploy["jobs"]["deploy"]
    assert plan["environment"].endswith("-plan")
    assert deploying["environment"] == plan["environment"].removesuffix("-plan")
    assert "infra.cdk diff" in _steps(plan)[-1]
    assert "GITHUB_STEP_SUMMARY" in _steps(plan)[-1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_only_jobs_that_build_nothing_may_sign_in(file: Path) -> None:
    workflow = _read(file)
    assert workflow["permissions"] == {"contents": "read"}
    signed = {name for name, job in workflow["jobs"].items() if any(step.startswith(SIGN_IN) for step in _steps(job))}
    assert signed == SIGNED[file.stem]
    for name in signed:
        job = workflow["jobs"][name]
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        (signing,) = [it["with"] for it in job["steps"] if it.get("uses", "").startswith(SIGN_IN)]
        assert signing.keys() == {"role-to-assume", "aws-region"}
        assert [step["run"] for step in job["steps"] if "run" in step and not RUNS.fullmatch(step["run"])] == []


def test_a_release_is_checked_built_without_a_token_and_published_by_jobs_that_build_nothing() -> None:
    jobs = _read(ROOT / ".github/workflows/release.yml")["jobs"]
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "check": None,
        "build": "check",
        "pypi": "build",
        "image": "build",
        "draft": ["pypi", "image"],
    }
    assert {name: job["permissions"] for name, job in jobs.items() if "permissions" in job} == {
        "pypi": {"contents": "read", "id-token": "write", "attestations": "write"},
        "image": {"contents": "read", "packages": "write"},  # the image cannot be built elsewhere and pushed here
        "draft": {"contents": "write"},
    }
    assert _steps(jobs["check"])[-1] == ".ci/run"
    assert "make packages" in _steps(jobs["build"])
    assert _steps(jobs["pypi"]) == [
        "actions/download-artifact",
        "actions/attest-build-provenance",
        "pypa/gh-action-pypi-publish",
    ]
    assert "--sbom=true --provenance=mode=max" in _steps(jobs["image"])[-1]
    assert "--draft" in _steps(jobs["draft"])[-1]


def test_every_lock_file_and_every_action_is_updated() -> None:
    updates = _read(ROOT / ".github/dependabot.yml")["updates"]
    folders = {it["package-ecosystem"]: it.get("directories", [it.get("directory")]) for it in updates}
    npm = {
        f"/{file.parent.relative_to(ROOT)}"
        for top in ("bench", "tests")
        for file in (ROOT / top).rglob("package-lock.json")
    }
    assert (folders["pip"], folders["github-actions"], folders["docker"]) == (["/requirements"], ["/"], ["/"])
    assert set(folders["npm"]) == npm


@pytest.mark.parametrize(
    "file", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda file: file.stem
)
def test_an_issue_form_has_what_github_asks_of_it(file: Path) -> None:
    form = _read(file)
    assert form.keys() >= {"name", "description", "body"}
    fields = [it for it in form["body"] if it["type"] != "markdown"]
    assert len({it["id"] for it in fields}) == len(fields)
    assert all(it["attributes"]["label"] for it in fields)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    assert used
    assert [it for it in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", it)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_checkout_keeps_a_credential(file: Path) -> None:
    jobs = _read(file)["jobs"].values()
    checkouts = [it for job in jobs for it in job["steps"] if it.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(it["with"] == {"persist-credentials": False} for it in checkouts)


def test_drift_is_looked_for_every_week_and_fails_the_run() -> None:
    drift = _read(ROOT / ".github/workflows/drift.yml")
    assert drift[True]["schedule"] == [{"cron": "17 5 * * 1"}]  # YAML 1.1 reads the key `on` as true
    assert _steps(drift["jobs"]["drift"])[-1].startswith("python -m infra.cdk drift --fail ")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_workflow_stores_or_reads_a_key(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"secrets\.|access-key|AKIA|SECRET_ACCESS", text, re.IGNORECASE) == []


def test_the_cdk_s_command_line_is_one_exact_version_run_by_the_node_of_the_lock() -> None:
    assert re.fullmatch(r"aws-cdk@2\.\d+\.\d+", PACKAGE)
    assert (NODE / "node").is_file()
    said = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "Makefile", *FILES))
    assert re.findall(r"aws-cdk@|npx ", said) == []
