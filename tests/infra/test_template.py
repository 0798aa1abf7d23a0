"""The synthesised template: every fact of ``facts``, and what other tools say about it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infra.facts import FACTS
from tests.infra.made import Made


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_fact(template: Any, fact: Callable[[Any], None]) -> None:
    fact(template)


def test_no_partition_is_written_out(made: Made) -> None:
    """An ARN with ``aws`` is wrong in China and in GovCloud."""
    assert "arn:aws" not in made.template().read_text()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_cfn_lint_finds_nothing(made: Made, stage: str) -> None:
    """W3005 is about a DependsOn that a reference says already: the CDK writes them, and they do no harm.

    E3601 does not read DefinitionSubstitutions, so it refuses ``arn:${Partition}:…`` as a Resource. tests/workflow hold
    the definition itself against AWS's validator.
    """
    command = [str(Path(sys.executable).parent / "cfn-lint"), "-i", "W3005", "E3601", "-t"]
    done = subprocess.run([*command, str(made.template(stage))], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
