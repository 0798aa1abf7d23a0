"""The synthesised template: every fact of ``facts``, and what other tools say about it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.facts import FACTS
from tests.infra.linting import findings
from tests.infra.made import Made


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_fact(template: Any, fact: Callable[[Any], None]) -> None:
    fact(template)


def test_no_partition_is_written_out(made: Made) -> None:
    """An ARN with ``aws`` is wrong in China and in GovCloud."""
    assert "arn:aws" not in made.template().read_text()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_cfn_lint_finds_nothing(made: Made, stage: str) -> None:
    assert findings(made.template(stage)) == ""
