"""What the stages differ in, and the findings that stay."""

from pathlib import Path
from typing import Any

import pytest

from expediter.aws.functions.table import OTHER_FUNCTIONS
from expediter.aws.stores.tables import TABLES
from infra.compute.release import MINUTES
from tests.infra.facts_release import pace_of_orders
from tests.infra.made import Made
from tests.infra.reading import named, only, resources


@pytest.fixture(scope="module")
def prod(made: Made) -> Any:
    return made.read("prod")


def test_prod_keeps_its_tables_and_users(prod: Any) -> None:
    kept = [it for it in prod["Resources"].values() if it["Type"] in {"AWS::DynamoDB::Table", "AWS::Cognito::UserPool"}]
    assert len(kept) == len(TABLES) + 1
    assert all(it["DeletionPolicy"] == it["UpdateReplacePolicy"] == "Retain" for it in kept)
    assert all(it["DeletionProtectionEnabled"] for it in resources(prod, "AWS::DynamoDB::Table").values())
    assert only(prod, "AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE"


def test_dev_leaves_nothing_behind(template: Any) -> None:
    """Versions go with their function and their state machine."""
    kept = {it["Type"] for it in template["Resources"].values() if it.get("DeletionPolicy") == "Retain"}
    assert kept == {"AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"}


def test_prod_keeps_logs_longer_and_lets_more_through(prod: Any) -> None:
    assert {group["RetentionInDays"] for group in resources(prod, "AWS::Logs::LogGroup").values()} == {90}
    (methods,) = only(prod, "AWS::ApiGateway::Stage")["MethodSettings"]
    assert (methods["ThrottlingRateLimit"], methods["ThrottlingBurstLimit"]) == (500, 1000)


def test_a_release_of_prod_gets_a_tenth_first_and_goes_back_when_an_alarm_rings(prod: Any) -> None:
    pace = pace_of_orders(prod)
    alarms = {alarm["Ref"][:-8] for alarm in pace.pop("Alarms")}
    assert pace == {"Type": "CANARY", "Percentage": 10, "Interval": 15}
    assert alarms == {"WatchTasksFail", "WatchOrdersNeedOperator", "WatchWorkflowsTimeOut"}
    for name in OTHER_FUNCTIONS:
        _, group = named(prod, "AWS::CodeDeploy::DeploymentGroup", f"Release{name}")
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent15Minutes"
        (alarm,) = group["AlarmConfiguration"]["Alarms"]
        assert (alarm["Name"]["Ref"][:-8], group["AlarmConfiguration"]["Enabled"]) == (f"Watch{name}Fails", True)
        assert group["AutoRollbackConfiguration"] == {
            "Enabled": True,
            "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
        }


def test_the_alarms_of_a_release_ring_before_the_rest_follows(prod: Any) -> None:
    """An alarm of two periods needs two that are over: with a tenth of the calls that takes eleven minutes at most."""
    for name, alarm in resources(prod, "AWS::CloudWatch::Alarm").items():
        if name.startswith("Watch") and name[:-8].endswith(("Fails", "TasksFail")):
            assert alarm["EvaluationPeriods"] * 5 < MINUTES, name


def test_a_release_that_ends_an_alarm_can_go_live_at_once(made: Made) -> None:
    found = made.read("prod", RELEASE="at-once")
    assert pace_of_orders(found) == {"Type": "ALL_AT_ONCE"}
    assert all("AlarmConfiguration" not in it for it in resources(found, "AWS::CodeDeploy::DeploymentGroup").values())


def test_few_findings_stay_each_with_a_reason_and_five_on_everything(made: Made, tmp_path: Path) -> None:
    from infra.app import application  # noqa: PLC0415  # importing it starts Node
    from infra.checks import accepted  # noqa: PLC0415
    from infra.stack import Orders  # noqa: PLC0415

    stack = application("dev", tmp_path, made.lambda_code()).node.find_child("Orders-dev")
    assert isinstance(stack, Orders)
    found = accepted(stack)
    assert len(found) <= 24
    assert all(len(one.reason) > 40 for one in found)
    everything = sorted(one.scope.node.path for one in found if "Resource::*]" in one.finding)
    traced = ["Orders-dev/Functions/Anywhere", "Orders-dev/Workflow/Role"]
    reporting = [f"Orders-dev/Functions/{name}Role" for name in ("Events", "Graphql", "Rest")]
    assert everything == sorted([*traced, *reporting])
