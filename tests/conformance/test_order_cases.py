"""The cases of the order workflow that the how-to shows hold."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from expediter.asl.cases import Verdict, run_case
from expediter.cli.commands.workflow import app
from expediter.cli.commands.workflow.case_files import load_cases

FOLDER = Path(__file__).parents[2] / "docs/how-to/test-a-workflow"


def verdicts() -> list[Verdict]:
    cases = [case for case in load_cases([FOLDER]) if isinstance(case, dict)]
    return [verdict for case in cases if (verdict := run_case(case)) is not None]


@pytest.mark.parametrize("verdict", verdicts(), ids=lambda verdict: verdict.id)
def test_an_order_goes_the_way_its_case_tells(verdict: Verdict) -> None:
    assert verdict.differs == {part: [] for part in verdict.differs}


def test_the_command_of_the_how_to_agrees_with_every_case() -> None:
    done = CliRunner().invoke(app, ["test", str(FOLDER)])

    assert done.exit_code == 0
    assert "5 of 5 cases agree" in done.output
