"""Definitions of AWS's own samples: none is refused, and each runs with made-up answers to some end.

They lie beside the checkout, in ``../shared/asl-wild`` (MIT No Attribution), and are not kept in this repository.
"""

from pathlib import Path
from typing import Any

import pytest

from expediter.asl import Simulation, Unanswered, parse, simulate

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "asl-wild" / "definitions"
FILES = sorted(FOLDER.glob("*.json"))
ANSWERS: dict[str, dict[str, Any]] = {
    "an object": {"result": {"Payload": {"status": "ok"}, "Items": [], "Body": "{}"}},
    "a text": {"result": "text"},
    "a failure": {"failed": True, "error": "Broken", "cause": "as told"},
    "a timeout": {"timed_out": True},
}

pytestmark = pytest.mark.skipif(not FILES, reason="the samples are not at ../shared/asl-wild beside the checkout")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_is_taken_with_its_placeholders_as_they_stand(file: Path) -> None:
    assert parse(file.read_bytes()).start


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_runs_to_some_end_whatever_its_tasks_answer(file: Path, answer: str) -> None:
    machine = parse(file.read_bytes())
    mocks = {resource: [ANSWERS[answer]] * 400 for resource in machine.resources}

    try:
        done: Simulation | None = simulate(machine, {"name": "text", "items": [1, 2], "count": 1}, mocks=mocks)
    except Unanswered:
        done = None  # it asks more often than there are answers

    assert done is None or done.status in {"SUCCEEDED", "FAILED", "TIMED_OUT", "RUNNING"}
