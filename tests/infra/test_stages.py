"""What the stages differ in, and the findings that stay."""

from pathlib import Path
from typing import Any

import pytest

from expediter.aws.stores.tables import TABLES
from tests.infra.conftest import synthesised
from tests.infra.reading import only, resources


@pytest.fixture(scope="module")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return synthesised("prod", tmp_path_factory.mktemp("prod"))


def test_prod_keeps_its_tables_and_users(prod: Any) -> None:
    kept = [it for it in prod["Resources"].values() if it["Type"] in {"AWS::DynamoDB::Table", "AWS::Cognito::UserPool"}]
    assert len(kept) == len(TABLES) + 1
    assert all(it["DeletionPolicy"] == it["UpdateReplacePolicy"] == "Retain" for it in kept)
    assert all(it["DeletionProtectionEnabled"] for it in resources(prod, "AWS::DynamoDB::Table").values())
    assert only(prod, "AWS::Cognito::UserPool")["DeletionProtection"] == "ACTIVE"


def test_dev_leaves_nothing_behind(template: Any) -> None:
    kept = [key for key, it in template["Resources"].items() if it.get("DeletionPolicy") == "Retain"]
    assert kept == []


def test_prod_keeps_logs_longer_and_lets_more_through(prod: Any) -> None:
    assert {group["RetentionInDays"] for group in resources(prod, "AWS::Logs::LogGroup").values()} == {90}
    (methods,) = only(prod, "AWS::ApiGateway::Stage")["MethodSettings"]
    assert (methods["ThrottlingRateLimit"], methods["ThrottlingBurstLimit"]) == (500, 1000)


def test_few_findings_stay_each_with_a_reason_and_one_on_everything(tmp_path: Path) -> None:
    from infra.app import application  # noqa: PLC0415  # importing it starts Node
    from infra.checks import accepted  # noqa: PLC0415
    from infra.stack import Orders  # noqa: PLC0415

    stack = application("dev", tmp_path).node.find_child("Orders-dev")
    assert isinstance(stack, Orders)
    found = accepted(stack)
    assert len(found) <= 12
    assert all(len(one.reason) > 40 for one in found)
    assert [one.scope.node.path for one in found if "Resource::*" in one.finding] == ["Orders-dev/Workflow/Role"]
