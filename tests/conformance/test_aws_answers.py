"""What AWS Step Functions answered, case by case, is what this engine answers.

The cases are recorded answers of AWS (Apache-2.0, Copyright LocalStack contributors and Atlassian Pty Ltd), not kept in
this repository: they lie beside the checkout, in ``../shared/asl-conformance/open``.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from expediter.asl.cases import Verdict, run_case

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "asl-conformance" / "open"
FILES = sorted(FOLDER.glob("*.json"))
WHERE = (
    f"the recorded cases are not at {FOLDER.parent.name}/open beside the checkout: derive them from the snapshot tests "
    "in github.com/localstack/localstack, tests/aws/services/stepfunctions/v2"
)

pytestmark = pytest.mark.skipif(not FILES, reason=WHERE)


@cache
def verdicts() -> tuple[Verdict, ...]:
    cases: list[dict[str, Any]] = [case for file in FILES for case in json.loads(file.read_bytes())]
    return tuple(verdict for case in cases if (verdict := run_case(case)) is not None)


def disagreeing(tier: str) -> tuple[int, dict[str, dict[str, list[str]]]]:
    found = [verdict for verdict in verdicts() if verdict.tier == tier]
    return len(found), {verdict.id: verdict.differs for verdict in found if any(verdict.differs.values())}


@pytest.mark.parametrize("tier", ["pure", "lambda", "service", "distributed", "distributed_s3", "definition"])
def test_every_case_of_a_tier_ends_as_it_did_on_aws(tier: str) -> None:
    count, disagree = disagreeing(tier)

    assert count > 0
    assert disagree == {}


def test_causes_read_as_they_did_on_aws() -> None:
    told = {verdict.id: verdict.differs["cause"] for verdict in verdicts() if "cause" in verdict.got}

    assert told
    assert {name: differs for name, differs in told.items() if differs} == {}
