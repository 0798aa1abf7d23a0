"""What orders cost follows from the workflow, not from a list beside it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from expediter import contracts
from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.cli.commands.cost import MEMORY, PRICES, Use, cost, dollars, dollars_of, path, uses

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
    assert (way[0], way[-1], len(way)) == ("InitializeOrder", "CompleteOrder", 7)


def test_a_state_more_costs_a_transition_more() -> None:
    states = {**DEFINITION["States"], "Extra": {"Type": "Pass", "Next": "ProcessPayment"}}
    states["InitializeOrder"] = {**states["InitializeOrder"], "Next": "Extra"}
    before = dollars(uses(DEFINITION, TASKS, 30), 1_000_000)["Step Functions"]
    after = dollars(uses({**DEFINITION, "States": states}, TASKS, 30), 1_000_000)["Step Functions"]
    assert before == pytest.approx(200)
    assert after - before == pytest.approx(25)


def test_every_use_has_a_price_and_every_price_a_use() -> None:
    named = {use.unit for express in (False, True) for use in uses(DEFINITION, TASKS, 30, express=express)}
    assert named == PRICES.keys()


def test_express_is_paid_by_its_seconds() -> None:
    totals = [sum(dollars(uses(DEFINITION, TASKS, hold, express=True), 1_000_000).values()) for hold in (0, 30, 280)]
    assert totals == sorted(totals)
    assert totals[1] - totals[0] == pytest.approx(1_000_000 * 30 * 0.0625 * 1.667e-5)


@pytest.mark.parametrize(("hours", "charged"), [(1_000, 60.01), (5_000, 60.01 + 119.95), (29_687.5, 585.23)])
def test_many_seconds_of_express_are_cheaper_as_aws_charges_them(hours: float, charged: float) -> None:
    """What infracost's tests say that so many GB-hours in a month cost."""
    one = Use("Step Functions", "express GB-second", hours * 3600, "")
    assert dollars_of(one, 1) == pytest.approx(charged, abs=0.01)


def test_a_function_is_priced_by_the_memory_that_it_is_given() -> None:
    pytest.importorskip("aws_cdk")
    from infra.compute.functions import MEMORY as GIVEN  # noqa: PLC0415  # importing it starts Node

    assert MEMORY * 1024 == GIVEN


def test_it_prints_a_total_and_gives_json() -> None:
    assert "Step Functions" in told()
    found = json.loads(told("--json", "--orders", "2000000"))
    assert found["total"] == pytest.approx(sum(found["services"].values()))
    assert found["total"] == pytest.approx(sum(use["dollars"] for use in found["uses"]))
