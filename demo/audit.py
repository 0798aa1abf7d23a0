"""What became of the orders, and whether it adds up: the server's file against what its providers wrote down."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from demo.mailserver import Line
from demo.play import Played, Took
from demo.processes import Stage
from expediter.app.ports import OrderSettings
from expediter.domain.ledger import EntryKind
from expediter.domain.order import Order, Status
from expediter.embedded.operator.read_only import open_read_only
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session, Statements, one

#: Seconds that the last orders and mails get to end: a lost answer is asked about again for a while.
PATIENCE = 150.0

_ORDERS, _MAIL = Statements("orders"), Statements("mail")


class Summary(msgspec.Struct, frozen=True):
    """What the demo shows. ``finished``: each order that ended, and how long it took."""

    statuses: dict[Status, int]
    charges: int
    refunds: int
    mails: int
    sent: int
    recorded: int
    distinct: int
    finished: list[Took]
    wrong: list[str]


@contextmanager
def reader(data: Path) -> Iterator[Session]:
    with closing(open_reader(data / "expediter.db")) as connection:
        yield Session(connection)


async def ended(stage: Stage, orders: int, seen: Callable[[dict[str, int]], None], patience: float = PATIENCE) -> bool:
    """Waits until ``orders`` have ended and their mails are sent; tells ``seen`` how many have each status.

    False: in vain.
    """
    late = time.monotonic() + patience
    with reader(stage.data) as session:
        while time.monotonic() < late:
            counts: dict[str, int] = dict(session.rows(_ORDERS["by_status"]))
            seen(counts)
            posted, sent = one(session, _MAIL["counts"])
            if over(counts) >= orders and posted == sent:
                return True
            await asyncio.sleep(0.5)
    return False


def over(counts: dict[str, int]) -> int:
    """How many orders have ended."""
    return sum(counts.get(status, 0) for status in (Status.SUCCESS, Status.FAILED, Status.CANCELLED))


def summary(stage: Stage, played: Played) -> Summary:
    """Looks at everything once nothing moves any more."""
    with open_read_only(stage.data, OrderSettings()) as (work, *_), reader(stage.data) as session:
        books = list(work.orders.with_entries())
        dead = work.dead_letters.count()
        mails, sent = one(session, _MAIL["counts"])
    orders = [order for order, _ in books]
    entries = Counter(entry.kind for _, listed in books for entry in listed)
    recorded = recorded_mails(stage.mail_record)
    bank = records(stage.bank)
    cooking = cooked(records(stage.restaurant))
    return Summary(
        statuses=dict(Counter(order.status for order in orders)),
        charges=entries[EntryKind.CHARGE],
        refunds=entries[EntryKind.REFUND],
        mails=mails,
        sent=sent,
        recorded=len(recorded),
        distinct=len(set(recorded)),
        finished=[
            Took(order.created_at / 1000 - played.begun, order.updated_at - order.created_at)
            for order in orders
            if order.ended
        ],
        wrong=[
            *lost(orders, played),
            *([f"{dead} messages are in the dead-letter queue"] if dead else []),
            *charged_twice(bank),
            *kitchen(orders, cooking),
            *mailed(orders, set(recorded)),
        ],
    )


def lost(orders: list[Order], played: Played) -> Iterator[str]:
    """Every accepted order is there once, and has ended; what was cancelled in time is not a success."""
    accepted, there = {*played.rest, *played.graphql}, {order.id: order for order in orders}
    if accepted != there.keys():
        yield f"{len(accepted - there.keys())} accepted orders are missing, {len(there.keys() - accepted)} are too many"
    if waiting := sum(not order.ended for order in orders):
        yield f"{waiting} orders have not ended"
    for order_id in played.cancelled:
        if order_id in there and there[order_id].status is not Status.CANCELLED:
            yield f"order {order_id} was cancelled in time and is {there[order_id].status}"


def charged_twice(bank: list[dict[str, Any]]) -> Iterator[str]:
    """No order moved money twice in the same direction, under whatever key."""
    for (order_id, kind), count in Counter((it["order_id"], it["kind"]) for it in bank).items():
        if count > 1:
            yield f"order {order_id} has {count} movements of kind {kind} at the bank"


def cooked(records_: list[dict[str, Any]]) -> set[str]:
    """The orders that the restaurant took and was not asked to give back."""
    taken = Counter((it["order_id"]) for it in records_ if it["kind"] == "handover")
    withdrawn = {it["order_id"] for it in records_ if it["kind"] == "withdrawal"}
    return taken.keys() - withdrawn


def kitchen(orders: list[Order], cooking: set[str]) -> Iterator[str]:
    """The kitchen cooks what succeeded, and nothing else."""
    successes = {order.id for order in orders if order.status is Status.SUCCESS}
    if successes != cooking:
        yield f"{len(successes - cooking)} successes are not cooked, {len(cooking - successes)} others are"


def mailed(orders: list[Order], recorded: set[tuple[str, str]]) -> Iterator[str]:
    """One mail per end and recipient, known by its Message-ID: to the customer and to the operators. A customer whose
    payment waited for him was told that too.
    """
    wanted = sum(2 for order in orders if order.ended)
    ends = [name for _, name in recorded if ".pending." not in name]
    if len(ends) != wanted:
        yield f"{wanted} different mails should have arrived, {len(ends)} did"


def recorded_mails(record: Path) -> list[tuple[str, str]]:
    """What the mail server took, as (recipient, Message-ID), a mail that came twice twice."""
    lines = (msgspec.json.decode(line, type=Line) for line in record.read_bytes().splitlines())
    return [(line.mail.to[0], line.mail.message_id) for line in lines if line.mail]


def records(url: str) -> list[dict[str, Any]]:
    """What a provider says happened."""
    answer = httpx.get(f"{url}/records", trust_env=False, timeout=30)
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def percentile(numbers: Sequence[float], share: float) -> float:
    """The number below which ``share`` of the sorted numbers lie; 0 for none."""
    return numbers[min(len(numbers) - 1, int(len(numbers) * share))] if numbers else 0
