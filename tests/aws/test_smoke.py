"""The smoke script as far as it can be run without an account: its sign-in over moto, its orders against our server."""

import json
from pathlib import Path

import boto3
import pytest

from scripts.smoke_aws import (
    Stack,
    by_graphql,
    by_rest,
    orders_of_no_and_of_101_items_are_refused,
    what_is_no_order_is_refused,
)
from tests.aws.stage import Functions
from tests.cli.conftest import serving

ROOT = Path(__file__).parents[2]


class Here(Stack):
    """Our own server in the stack's place: both APIs speak the same."""

    def __init__(self, url: str) -> None:
        self.rest_url, self.graphql_url, self._token = url, f"{url}/graphql", "nobody asks for it here"
        self.user_id = "ann"


class InSandbox(Stack):
    """moto does not have GetAccount."""

    def is_in_sandbox(self) -> bool:
        return True


def test_its_orders_come_to_their_end_at_both_apis(tmp_path: Path) -> None:
    with serving(tmp_path / "data", HOLD_SECONDS="0") as server:
        by_rest(Here(server.url))
        by_graphql(Here(server.url))
        what_is_no_order_is_refused(Here(server.url))
        orders_of_no_and_of_101_items_are_refused(Here(server.url))


def test_it_signs_a_user_of_its_own_in_and_leaves_none_behind(
    functions: Functions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = boto3.client("cognito-idp")
    pool = users.create_user_pool(PoolName="orders")["UserPool"]["Id"]
    client = users.create_user_pool_client(UserPoolId=pool, ClientName="all")["UserPoolClient"]["ClientId"]
    outputs = {
        "RestUrl": "https://api/dev/",
        "GraphqlUrl": "https://graphql",
        "UserPool": pool,
        "UserPoolClient": client,
        "DeadLetterQueue": "https://queue",
    }
    (tmp_path / "build").mkdir()
    (tmp_path / "build/outputs-dev.json").write_text(json.dumps({"Orders-dev": outputs}))
    monkeypatch.chdir(tmp_path)

    stack = InSandbox("dev")
    assert stack.rest_url == "https://api/dev"
    (user,) = users.list_users(UserPoolId=pool)["Users"]
    told = {it["Name"]: it["Value"] for it in user["Attributes"]}
    assert (told["email"], told["email_verified"]) == (stack.address, "true")
    stack.leave()
    assert users.list_users(UserPoolId=pool)["Users"] == []


def test_the_outputs_that_it_reads_are_the_stack_s() -> None:
    said = (ROOT / "scripts/smoke_aws.py").read_text(encoding="utf-8")
    stack = (ROOT / "infra/stack.py").read_text(encoding="utf-8")
    for name in ("RestUrl", "GraphqlUrl", "UserPool", "UserPoolClient", "DeadLetterQueue"):
        assert f'outputs["{name}"]' in said
        assert f'"{name}": self.' in stack


def test_it_says_that_it_was_not_run_in_an_account() -> None:
    said = " ".join((ROOT / "scripts/smoke_aws.py").read_text(encoding="utf-8").split())
    assert "It has not been run on a real account by us" in said
