"""How much of each service one order takes that succeeds: as it is built here, and as it could be built otherwise.

The states are read from the workflow, the tables' units are those that scripts/simulate_dynamodb.py counts; the seconds
of functions are assumed. docs/reference/aws-cost.md explains the counts.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from expediter.cli.costs.prices import PRICES

if TYPE_CHECKING:
    from expediter.asl.protocol import Json

#: GB of a function, and seconds that a warm one takes; a call to a bank or a restaurant takes most of its task's time.
MEMORY = 0.5
SECONDS = {
    "ProcessPayment": 0.40,
    "SendOrderToRestaurant": 0.40,
    "Tokens": 0.005,
    "Intake": 0.05,
    "Mailer": 0.06,
    "Publisher": 0.06,
}
OTHERWISE = 0.04
#: Mails of an order's end, each of which has a function called; changes that a customer sees; all writes of the row.
MAILS, NEWS, WRITES = 2, 3, 7
#: Units of all tables and indexes that an order writes, and that its tasks, its mails and its news read.
UNITS_WRITTEN, UNITS_READ = 35, 22
#: Of the calls of each service that begins traces.
TRACED = 0.05
#: Seconds that an execution takes beside its hold, and GB that an Express workflow is billed for.
RUN, EXPRESS_MEMORY = 2.0, 0.0625
#: What the function of a durable execution writes down with each operation, and months that AWS keeps it.
CHECKPOINT_GB, KEPT_MONTHS = 1.5e-6, 0.5
#: GB that an order takes in the tables.
STORED_GB = 3e-6
#: Metrics of all alarms: AWS charges each of an expression.
ALARM_METRICS = 74
#: Calls a month of what looks every quarter of an hour (Sweeper) and every five minutes (Figures).
SWEEPS, COUNTS = 2_920, 8_760


class Use(NamedTuple):
    """How much of something one order takes, and why. ``monthly``: a month takes it, however many orders there are."""

    service: str
    unit: str
    amount: float
    why: str
    monthly: bool = False


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


def as_built(definition: "Json", tasks: Sequence[str]) -> list[Use]:
    """With a Standard workflow: what the stack is."""
    way = path(definition)
    return [
        *_around([name for name in way if name in tasks], states=len(way)),
        Use("Step Functions", "state transition", len(way) + 1, f"{len(way)} states and the start"),
        *_every_month(),
    ]


def express(definition: "Json", tasks: Sequence[str], hold: int) -> list[Use]:
    """With an Express workflow, which is paid by its seconds."""
    way, seconds = path(definition), hold + RUN
    return [
        *_around([name for name in way if name in tasks], states=len(way)),
        Use("Step Functions", "express request", 1, "one execution"),
        Use("Step Functions", "express GB-second", seconds * EXPRESS_MEMORY, f"{seconds:.0f} s with 64 MB"),
        *_every_month(),
    ]


def durable(definition: "Json", tasks: Sequence[str]) -> list[Use]:
    """With one durable function: called at the start and after the hold, with a step for each task and a wait."""
    called = [name for name in path(definition) if name in tasks]
    steps = len(called) + 2
    work = sum(SECONDS.get(name, OTHERWISE) for name in called)
    return [
        *_around(["the durable function"] * 2, states=0, seconds=work),
        Use("Lambda", "durable operation", steps, f"the start, {len(called)} steps and a wait"),
        Use("Lambda", "durable GB written", steps * CHECKPOINT_GB, "1.5 KB an operation"),
        Use("Lambda", "durable GB-month", steps * CHECKPOINT_GB * KEPT_MONTHS, "kept for 14 days"),
        *_every_month(),
    ]


def of_the_articles() -> list[Use]:
    """What the articles about such a system draw: nine Standard transitions, five functions, streams without filters.

    With the same queue, mails and news as here, so that the designs can be compared. It keeps neither a ledger, claims
    nor an outbox, has no firewall, alarms or sweeps, and its streams call a function at every write.
    """
    functions = ["ProcessPayment", "SendOrderToRestaurant", *["a task"] * 3, "Intake", *["Publisher"] * WRITES]
    seconds = sum(SECONDS.get(name, OTHERWISE) for name in functions)
    return [
        Use("API Gateway", "api call", 1, "POST /orders"),
        Use("AppSync", "graphql operation", WRITES, "one for each write of the row"),
        Use("SQS", "queue request", 3, "send, receive, delete"),
        Use("Lambda", "function call", len(functions), "five tasks, the intake, the stream's function at every write"),
        Use("Lambda", "function GB-second", seconds * MEMORY, f"{seconds:.2f} s with {MEMORY} GB"),
        Use("Step Functions", "state transition", 9, "nine transitions"),
        Use("DynamoDB", "table write", WRITES, "the row, without indexes"),
        Use("DynamoDB", "table read", WRITES, "each look is one read"),
        Use("SNS", "topic message", 1, "the operators' news"),
        Use("SNS", "mail to an operator", 1, "one subscriber by e-mail"),
        Use("SES", "mail to a customer", 1, "one mail at the end"),
        Use("CloudWatch", "log GB", (len(functions) * 600 + 9 * 2 * 400) / 1e9, "600 bytes a call, 400 an event"),
    ]


def _around(tasks: Sequence[str], *, states: int, seconds: float | None = None) -> list[Use]:
    """Everything but what walks the order; ``seconds``: of the tasks."""
    others = ["Tokens", "Intake", *["Mailer"] * MAILS, *["Publisher"] * NEWS, *["Graphql"] * NEWS]
    work = sum(SECONDS.get(name, OTHERWISE) for name in tasks) if seconds is None else seconds
    spent = work + sum(SECONDS.get(name, OTHERWISE) for name in others)
    calls = [*tasks, *others]
    return [
        Use("API Gateway", "api call", 1, "POST /orders"),
        Use("WAF", "firewall request", 1 + NEWS, "the order, and publishOrder"),
        Use("AppSync", "graphql operation", NEWS, "publishOrder for each change that a customer sees"),
        Use("SQS", "queue request", 3, "send, receive, delete (batches make it fewer)"),
        Use("Lambda", "function call", len(calls), ", ".join(dict.fromkeys(calls))),
        Use("Lambda", "function GB-second", spent * MEMORY, f"{spent:.2f} s with {MEMORY} GB, arm64"),
        Use("DynamoDB", "table write", UNITS_WRITTEN, "counted: tables and indexes, a transaction's twice"),
        Use("DynamoDB", "table read", UNITS_READ, "consistent: from the id to the owner, from the owner to the row"),
        Use("SNS", "topic message", 1, "the operators' news"),
        Use("SNS", "mail to an operator", 1, "one subscriber by e-mail"),
        Use("SES", "mail to a customer", 1, "one mail at the end"),
        Use("CloudWatch", "log GB", states * 2 * 400 / 1e9, "400 bytes an event of the workflow"),
        Use("X-Ray", "trace", (1 + NEWS + 1) * TRACED, "5 % of calls to the APIs and of executions"),
    ]


def _every_month() -> list[Use]:
    """What is there without any order."""
    seconds = (SWEEPS + COUNTS) * 0.2 * MEMORY
    return [
        Use("WAF", "firewall month", 1, "one web ACL", monthly=True),
        Use("WAF", "firewall rule month", 2, "by token and by address", monthly=True),
        Use("Lambda", "function call", SWEEPS + COUNTS, "Sweeper and Figures", monthly=True),
        Use("Lambda", "function GB-second", seconds, "Sweeper and Figures, 0.2 s", monthly=True),
        Use("CloudWatch", "alarm metric month", ALARM_METRICS, "of all alarms", monthly=True),
        Use("CloudWatch", "custom metric month", 2, "what Figures counts", monthly=True),
        Use("CloudWatch", "dashboard month", 1, "one dashboard", monthly=True),
        Use("Secrets Manager", "secret month", 3, "of the provider, of its events, of the restaurant", monthly=True),
    ]


def with_backup(uses: list[Use]) -> list[Use]:
    """With AWS Backup: a month's orders in the vault, and as much in the other account's."""
    gb = 2 * STORED_GB
    return [*uses, Use("AWS Backup", "backup GB-month", gb, "3 KB of rows, here and in the other account")]


def dollars_of(use: Use, orders: int) -> float:
    """Dollars for what so many orders take of it in one month."""
    price, amount = PRICES[use.unit], use.amount if use.monthly else use.amount * orders
    tiers = ((0.0, price.dollars), *price.further)
    ends = (*(start for start, _ in price.further), amount)
    return sum(max(0.0, min(amount, end) - start) * rate for (start, rate), end in zip(tiers, ends, strict=True))


def dollars(found: list[Use], orders: int) -> dict[str, float]:
    """Dollars by service."""
    total: dict[str, float] = {}
    for use in found:
        total[use.service] = total.get(use.service, 0.0) + dollars_of(use, orders)
    return total
