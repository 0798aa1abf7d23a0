"""What differs between the stages, and nothing else."""

from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import aws_logs as logs

from infra.compute.network import Network


class Stage(NamedTuple):
    """``rate`` and ``burst``: requests a second at the REST API, steady and at once. ``origin``: of which other origin
    pages may call it (``https://shop.example.com``); empty: of none. ``canary``: whether a release gets a tenth of
    the calls and orders first. ``network``: in which one the functions run.
    ``vault``: the ARN of another account's vault that takes copies of the tables; empty: none are made."""

    name: str
    removal: cdk.RemovalPolicy
    protected: bool
    retention: logs.RetentionDays
    rate: int
    burst: int
    canary: bool
    origin: str = ""
    network: Network = Network()
    vault: str = ""


STAGES = {
    stage.name: stage
    for stage in (
        Stage("dev", cdk.RemovalPolicy.DESTROY, False, logs.RetentionDays.ONE_WEEK, 20, 40, False),
        Stage("prod", cdk.RemovalPolicy.RETAIN, True, logs.RetentionDays.THREE_MONTHS, 500, 1000, True),
    )
}
