"""Deleting any property of any resource makes a fact fail."""

import re
from typing import Any

from tests.infra.facts import FACTS
from tests.infra.mutants import Mutant, mutants

#: Mutants that no fact notices, and why that is right.
SURVIVE = {
    r"Users.*\.(Email|Sms)VerificationMessage": "Cognito's own words are the same without",
    r"Users.*\.EmailVerificationSubject": "Cognito's own words are the same without",
    r"Users.*\.VerificationMessageTemplate.*": "Cognito's own words are the same without",
    r".*\.(Scope)?Description": "a text for people",
    r"Users.*Scopes.*\.Name": "a name for people: the identifier is what tokens have",
    r".*\.Metrics\.\d+\.Label": "what stands beside a line of the dashboard",
    r"Messages.*\.PolicyDocument\.Statement\.\d+\.Sid": "a name for people",
    r"Messages.*Policy.*\.PolicyDocument\.Version": "the statements mean the same in both versions of the language",
    r"Watch.*\.Metrics\.\d+\.ReturnData": "true is what CloudWatch takes when an expression does not say",
    r"Workflow.*\.IncludeExecutionData": "false is what Step Functions takes when nothing is said",
}
SHARE = 0.98


def survives(mutant: Mutant) -> bool:
    for fact in FACTS:
        try:
            fact(mutant.template)
        except (AssertionError, LookupError, TypeError, AttributeError, ValueError):
            return False
    return True


def test_nearly_every_deletion_is_noticed(template: Any) -> None:
    made = list(mutants(template))
    left = [".".join(map(str, mutant.path)) for mutant in made if survives(mutant)]
    unexplained = [path for path in left if not any(re.fullmatch(pattern, path) for pattern in SURVIVE)]
    assert len(made) > 4000
    assert len(left) <= (1 - SHARE) * len(made), left
    assert unexplained == []
