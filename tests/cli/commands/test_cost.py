"""What orders cost follows from the workflow, not from a list beside it."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from expediter import contracts
from expediter.aws.functions.table import TASK_FUNCTIONS
from expediter.cli.commands.cost import cost
from expediter.cli.costs.designs import (
    MEMORY,
    UNITS_WRITTEN,
    Use,
    as_built,
    dollars,
    dollars_of,
    durable,
    express,
    of_the_articles,
    path,
    with_backup,
)
from expediter.cli.costs.prices import PRICES

DEFINITION = json.loads(contracts.read("order.asl.json"))
TASKS = list(TASK_FUNCTIONS)
BUILT = as_built(DEFINITION, TASKS)
SIMULATED = Path(__file__).parents[3] / "docs/measured/dynamodb.json"


def total(uses: list[Use], orders: int = 1_000_000) -> float:
    return sum(dollars(uses, orders).values())


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
    before = dollars(BUILT, 1_000_000)["Step Functions"]
    after = dollars(as_built({**DEFINITION, "States": states}, TASKS), 1_000_000)["Step Functions"]
    assert before == pytest.approx(200)
    assert after - before == pytest.approx(25)


def test_a_million_orders_cost_four_hundred_dollars_at_most_also_with_a_backup() -> None:
    assert total(BUILT) < total(with_backup(BUILT)) < 400
    assert total(BUILT) < total(of_the_articles())


def test_what_is_there_without_orders_is_paid_once_a_month() -> None:
    assert total(BUILT, 2_000_000) - total(BUILT) == pytest.approx(total(BUILT) - total(BUILT, 0))
    assert total(BUILT, 0) == pytest.approx(sum(dollars_of(use, 1) for use in BUILT if use.monthly))


def test_every_use_has_a_price_and_every_price_a_use() -> None:
    designs = [with_backup(BUILT), express(DEFINITION, TASKS, 30), durable(DEFINITION, TASKS), of_the_articles()]
    assert {use.unit for uses in designs for use in uses} == PRICES.keys()


def test_the_units_of_the_tables_are_those_that_the_simulation_counts() -> None:
    assert sum(json.loads(SIMULATED.read_text())["units"].values()) == UNITS_WRITTEN


def test_express_is_paid_by_its_seconds() -> None:
    totals = [total(express(DEFINITION, TASKS, hold)) for hold in (0, 30, 280)]
    assert totals == sorted(totals)
    assert totals[1] - totals[0] == pytest.approx(1_000_000 * 30 * 0.0625 * 1.667e-5)


@pytest.mark.parametrize(("hours", "charged"), [(1_000, 60.01), (5_000, 60.01 + 119.95), (29_687.5, 585.23)])
def test_many_seconds_of_express_are_cheaper_as_aws_charges_them(hours: float, charged: float) -> None:
    """What infracost's tests say that so many GB-hours in a month cost."""
    one = Use("Step Functions", "express GB-second", hours * 3600, "")
    assert dollars_of(one, 1) == pytest.approx(charged, abs=0.01)


def test_a_durable_function_is_paid_by_its_operations() -> None:
    """AWS's own example: a million executions of four operations are 32 dollars."""
    assert dollars_of(Use("Lambda", "durable operation", 4, ""), 1_000_000) == pytest.approx(32)
    (operations,) = [use.amount for use in durable(DEFINITION, TASKS) if use.unit == "durable operation"]
    assert operations == 1 + 4 + 1


def test_a_function_is_priced_by_the_memory_that_it_is_given() -> None:
    pytest.importorskip("aws_cdk")
    from infra.compute.functions import MEMORY as GIVEN  # noqa: PLC0415  # importing it starts Node

    assert MEMORY * 1024 == GIVEN


def test_it_prints_a_total_and_gives_json() -> None:
    assert "the articles' own design" in told()
    found = json.loads(told("--json", "--orders", "2000000"))
    assert found["total"] == pytest.approx(sum(found["services"].values()))
    assert found["total"] == pytest.approx(sum(use["dollars"] for use in found["uses"]))
