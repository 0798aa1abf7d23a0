"""``expediter cost``: what a million orders cost on AWS in a month, service by service, and what other designs would.

The arithmetic is counts per order times prices: see ``expediter.cli.costs`` and docs/reference/aws-cost.md.
"""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from expediter.cli.costs.designs import (
    Use,
    as_built,
    dollars,
    dollars_of,
    durable,
    express,
    of_the_articles,
    with_backup,
)
from expediter.cli.costs.prices import PRICED, PRICES
from expediter.cli.terms import AsJson

if TYPE_CHECKING:
    from expediter.asl.protocol import Json


def cost(
    orders: Annotated[int, typer.Option(min=1, help="How many orders")] = 1_000_000,
    hold: Annotated[int, typer.Option(min=0, help="Seconds of the hold")] = 30,
    as_json: AsJson = False,
) -> None:
    """What orders of a month cost on AWS, by service."""
    from expediter import contracts
    from expediter.aws.functions.table import TASK_FUNCTIONS

    definition, tasks = json.loads(contracts.read("order.asl.json")), list(TASK_FUNCTIONS)
    built = as_built(definition, tasks)
    others = {
        "the articles' own design": of_the_articles(),
        "with AWS Backup and a copy in another account": with_backup(built),
        "with an Express workflow": express(definition, tasks, hold),
        "with a Lambda durable function": durable(definition, tasks),
    }
    if as_json:
        print(json.dumps(_told(built, others, orders), indent=2))
    else:
        _print(built, others, orders)


def _told(built: list[Use], others: dict[str, list[Use]], orders: int) -> "Json":
    services = dollars(built, orders)
    return {
        "orders": orders,
        "priced": PRICED,
        "prices": {unit: price._asdict() for unit, price in PRICES.items()},
        "services": services,
        "uses": [use._asdict() | {"dollars": dollars_of(use, orders)} for use in built],
        "total": sum(services.values()),
        "otherwise": {name: sum(dollars(uses, orders).values()) for name, uses in others.items()},
        "articles": dollars(others["the articles' own design"], orders),
    }


def _print(built: list[Use], others: dict[str, list[Use]], orders: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console, articles = Console(), others["the articles' own design"]
    table = Table("service", "unit", "per order", "dollars", "because", title=f"{orders:,} orders ({PRICED})")
    for use in built:
        much = f"{use.amount:,.4g} a month" if use.monthly else f"{use.amount:.4g}"
        table.add_row(use.service, use.unit, much, f"{dollars_of(use, orders):,.2f}", use.why)
    console.print(table)
    services, theirs = dollars(built, orders), dollars(articles, orders)
    table = Table("service", "as it is built", "the articles' own design", title="dollars by service")
    for name in {**services, **theirs}:
        table.add_row(name, f"{services.get(name, 0):,.2f}", f"{theirs.get(name, 0):,.2f}")
    table.add_section()
    table.add_row("total", f"{sum(services.values()):,.2f}", f"{sum(theirs.values()):,.2f}")
    console.print(table)
    for name, uses in others.items():
        if uses is not articles:
            console.print(f"{name}: {sum(dollars(uses, orders).values()):,.2f} dollars")
    console.print(
        "An Express workflow ends after five minutes at most, and money that is owed is tried for weeks: the order's "
        "workflow cannot be one as it is."
    )
