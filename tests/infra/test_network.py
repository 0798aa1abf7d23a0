"""Functions in a network of the account's, where the settings name one."""

from typing import Any

import pytest

from expediter.aws.functions.table import FUNCTIONS
from infra.compute.functions import TRACING
from infra.compute.network import CONNECTING, Network, NetworkRefused, network
from tests.infra.facts_rights import anywhere
from tests.infra.linting import findings
from tests.infra.made import Made
from tests.infra.reading import function

GIVEN = {"SUBNETS": "subnet-0123abcd,subnet-4567cdef01234567a", "SECURITY_GROUPS": "sg-89ab0123"}


@pytest.fixture(scope="module")
def inside(made: Made) -> Any:
    return made.read(**GIVEN)


def test_every_function_is_in_the_subnets_with_the_security_groups(inside: Any) -> None:
    for name in FUNCTIONS:
        assert function(inside, name)[1]["VpcConfig"] == {
            "SubnetIds": GIVEN["SUBNETS"].split(","),
            "SecurityGroupIds": [GIVEN["SECURITY_GROUPS"]],
        }


def test_lambda_may_connect_them_before_it_makes_them(inside: Any) -> None:
    key, policy = anywhere(inside)
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == [*CONNECTING, *TRACING]
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
    for name in FUNCTIONS:
        assert key in inside["Resources"][function(inside, name)[0]]["DependsOn"]


def test_cfn_lint_finds_nothing_in_it(made: Made) -> None:
    assert findings(made.template(**GIVEN)) == ""


def test_settings_name_a_network_or_none() -> None:
    assert network({}) == Network()
    assert network(GIVEN) == Network(("subnet-0123abcd", "subnet-4567cdef01234567a"), ("sg-89ab0123",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SUBNETS": "subnet-0123abcd"}, "go together"),
        ({"SECURITY_GROUPS": "sg-0123abcd"}, "go together"),
        ({**GIVEN, "SUBNETS": "subnet-0123abcd;subnet-4567cdef"}, "is not an id"),
        ({**GIVEN, "SECURITY_GROUPS": "default"}, "is not an id"),
    ],
)
def test_what_is_no_network_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(NetworkRefused, match=said):
        network(given)
