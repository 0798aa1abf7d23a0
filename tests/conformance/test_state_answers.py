"""What AWS's TestState answered is what ``run_state`` answers, case by case (see test_aws_answers)."""

import json
from pathlib import Path
from typing import Any

import pytest

from expediter.asl.cases import run_case
from expediter.cli.commands.workflow import service_models

FILE = Path(__file__).resolve().parents[3] / "shared" / "asl-conformance" / "open" / "test_state.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_bytes()) if FILE.exists() else []

#: Cases whose record does not hold all of the request, with the reason.
CANNOT = {
    "test_state/test_state_mock_scenarios/test_sfn_start_execution_success#test_case_response": (
        "the mock in the record is not the one that was sent: AWS's answer has another ARN and another date"
    )
}


pytestmark = pytest.mark.skipif(not CASES, reason="the recorded cases are not beside the checkout")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_state_is_answered_as_it_was_on_aws(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the models that come along: none of botocore's is asked for."""
    monkeypatch.setattr(service_models, "_botocore", lambda _name: None)
    if case["id"] in CANNOT:
        pytest.skip(CANNOT[case["id"]])

    verdict = run_case(case, service_models.service_model)

    assert verdict is not None
    assert verdict.differs == {part: [] for part in verdict.differs}
