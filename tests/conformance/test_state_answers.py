"""What AWS's TestState answered is what ``run_state`` answers, case by case (see test_aws_answers)."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from expediter.asl.cases import run_case
from expediter.cli.commands.workflow.service_models import service_models

FILE = Path(__file__).resolve().parents[3] / "shared" / "asl-conformance" / "open" / "test_state.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_bytes()) if FILE.exists() else []
MODELS = service_models()

#: Cases whose record does not hold all of the request, with the reason.
CANNOT = {
    "test_state/test_state_mock_scenarios/test_sfn_start_execution_success#test_case_response": (
        "the mock in the record is not the one that was sent: AWS's answer has another ARN and another date"
    )
}


def models_of_the_day(service: str) -> dict[str, Any] | None:
    """The models as they were recorded: a function had at most 10,240 MB then."""
    model = None if MODELS is None else MODELS(service)
    if model is not None and service == "lambda":
        model = deepcopy(model)
        model["shapes"]["MemorySize"]["max"] = 10_240
    return model


pytestmark = pytest.mark.skipif(not CASES, reason="the recorded cases are not beside the checkout")


def needs_models(case: dict[str, Any]) -> bool:
    return "schema validation" in case["expected"].get("api_error", {}).get("message", "")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_state_is_answered_as_it_was_on_aws(case: dict[str, Any]) -> None:
    if case["id"] in CANNOT:
        pytest.skip(CANNOT[case["id"]])
    if needs_models(case) and MODELS is None:
        pytest.skip("botocore, which has the services' models, is not installed")

    verdict = run_case(case, models_of_the_day)

    assert verdict is not None
    assert verdict.differs == {part: [] for part in verdict.differs}
