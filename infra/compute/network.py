"""The network of the functions: none of the account's networks, or subnets of one with its security groups.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

#: What Lambda does with a function's role to connect it to subnets. AWS knows resources for some of these actions only.
#: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
CONNECTING = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


class NetworkRefused(Exception):
    """The settings are no valid network. The message says what is wrong with them."""


class Network(NamedTuple):
    """Ids of subnets and security groups; both empty: no network of the account's."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()


def network(settings: Mapping[str, str]) -> Network:
    """What SUBNETS and SECURITY_GROUPS say, each a list with commas. Raises NetworkRefused."""
    found = Network(_ids(settings, "SUBNETS", "subnet"), _ids(settings, "SECURITY_GROUPS", "sg"))
    if bool(found.subnets) != bool(found.security_groups):
        raise NetworkRefused("SUBNETS and SECURITY_GROUPS go together: give both, or none of them.")
    return found


def _ids(settings: Mapping[str, str], name: str, kind: str) -> tuple[str, ...]:
    ids = tuple(filter(None, settings.get(name, "").split(",")))
    for one in ids:
        if not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", one):
            raise NetworkRefused(f"{name}: {one!r} is not an id. Write {kind}-0123abcd…, with commas between several.")
    return ids
