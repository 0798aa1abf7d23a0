"""What orders cost follows from the workflow, not from a list beside it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from expediter import contracts
from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.cli.cost import PRICES, cost, dollars, path, uses

DEFINITION = json.loads(contracts.read("order.asl.json"))
TASKS = list(TASK_FUNCTIONS)


def told(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(cost)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    return done.stdout


def test_the_way_of_an_order_that_succeeds_is_read_from_the_workflow() -> None:
    way = path(DEFINITION)
    assert (way[0], way[-1], len(way)) == ("InitializeOrder", "CompleteOrder", 9)


def test_a_state_more_costs_a_transition_more() -> None:
    states = {**DEFINITION["States"], "Extra": {"Type": "Pass", "Next": "ProcessPayment"}}
    states["InitializeOrder"] = {**states["InitializeOrder"], "Next": "Extra"}
    before = dollars(uses(DEFINITION, TASKS, 30), 1_000_000)["Step Functions"]
    after = dollars(uses({**DEFINITION, "States": states}, TASKS, 30), 1_000_000)["Step Functions"]
    assert before == pytest.approx(250)
    assert after - before == pytest.approx(25)


def test_every_use_has_a_price_and_every_price_a_use() -> None:
    named = {use.unit for express in (False, True) for use in uses(DEFINITION, TASKS, 30, express=express)}
    assert named == PRICES.keys()


def test_express_is_cheaper_with_a_short_hold_and_dearer_with_a_long_one() -> None:
    for hold, cheaper in ((30, True), (280, False)):
        standard, express = (
            sum(dollars(uses(DEFINITION, TASKS, hold, express=one), 1).values()) for one in (False, True)
        )
        assert (express < standard) is cheaper


def test_it_prints_a_total_and_gives_json() -> None:
    assert "Step Functions" in told()
    found = json.loads(told("--json", "--orders", "2000000"))
    assert found["total"] == pytest.approx(sum(found["services"].values()))
    assert found["total"] == pytest.approx(sum(use["dollars"] for use in found["uses"]))
