"""Deleting any property of a queue, role, policy, state machine, resolver or alarm makes a fact fail."""

import re
from typing import Any

import pytest

from tests.infra.facts import FACTS
from tests.infra.mutants import Mutant, mutants

#: Mutants that no fact notices, and why that is right.
SURVIVE = {
    r".*\bPolicyName": "a policy's name is nobody's business",
    r".*\bTags\b.*": "tags of what is not worth a tag",
    r".*\.Description": "for people",
}
SHARE = 0.95


def survives(mutant: Mutant) -> bool:
    for fact in FACTS:
        try:
            fact(mutant.template)
        except (AssertionError, LookupError, TypeError, AttributeError, ValueError):
            return False
    return True


@pytest.mark.parametrize("kind", ["all"])
def test_nearly_every_deletion_is_noticed(template: Any, kind: str) -> None:
    made = list(mutants(template))
    left = [".".join(map(str, mutant.path)) for mutant in made if survives(mutant)]
    unexplained = [path for path in left if not any(re.fullmatch(pattern, path) for pattern in SURVIVE)]
    assert len(made) > 1000
    assert len(left) <= (1 - SHARE) * len(made), left
    assert unexplained == []
