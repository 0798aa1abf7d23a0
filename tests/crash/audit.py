"""Holds what the customers know, what the file says and what the providers wrote down against each other."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from demo.bank import Line as BankLine
from demo.restaurant import Line as RestaurantLine
from expediter.app.mails import mails, message_id
from expediter.app.operator.reconcile import Movement, reconcile
from expediter.app.ports import OrderSettings
from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order, Status
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session, one
from expediter.embedded.stores.orders import SqliteOrders
from tests.crash.customers import Placed
from tests.crash.points import BY_CHANCE, SEEN, UNITS
from tests.crash.processes import NOTIFY, Outside
from tests.crash.timelines import torn

SETTINGS = OrderSettings(notify=(NOTIFY,))
#: What each kind of call is made under: one key per order and effect.
KEYS = {
    "charge": "charge",
    "lookup": "charge",
    "complete": "charge",
    "refund": "refund",
    "handover": "restaurant",
    "withdrawal": "withdrawal",
}


class Evidence(NamedTuple):
    """All there is to look at, after everything has settled and the server has stopped."""

    placed: list[Placed]
    ledgers: list[tuple[Order, tuple[LedgerEntry, ...]]]
    executions: Counter[str]
    torn: list[str]
    left_over: dict[str, int]
    movements: list[Movement]
    bank: list[BankLine]
    restaurant: list[RestaurantLine]
    received: Counter[str]
    units: set[str]
    log: str

    @property
    def orders(self) -> dict[str, Order]:
        return {order.id: order for order, _ in self.ledgers}


def gather(folder: Path, placed: list[Placed], outside: Outside) -> Evidence:
    with closing(open_reader(folder / "data" / "expediter.db")) as connection:
        session = Session(connection)
        orders = SqliteOrders(session, SETTINGS, lambda _: None, None)
        mail = outside.mail_lines()
        return Evidence(
            placed=placed,
            ledgers=list(orders.with_entries()),
            executions=Counter(status for (status,) in session.rows("SELECT status FROM execution")),
            torn=list(torn(session)),
            left_over={
                "messages": _count(session, "message"),
                "dead letters": _count(session, "dead_letter"),
                "mails": _count(session, "mail WHERE sent_at IS NULL"),
                "events": _count(session, "event WHERE due_at IS NOT NULL OR dead_at IS NOT NULL"),
            },
            movements=msgspec.convert(httpx.get(f"{outside.bank}/records").json()["items"], list[Movement]),
            bank=outside.bank_lines(),
            restaurant=outside.restaurant_lines(),
            received=Counter(line.mail.message_id for line in mail if line.mail),
            units=set((folder / SEEN).read_text().splitlines()),
            log=(folder / "server.log").read_text(),
        )


def _count(session: Session, what: str) -> int:
    return int(one(session, f"SELECT count(*) FROM {what}")[0])


def unfinished(found: Evidence) -> Iterator[str]:
    """Every order that was handed in was accepted in the end, is there as it was sent, and has ended."""
    orders = found.orders
    for placed in found.placed:
        order = orders.pop(placed.id, None)
        if not placed.accepted or order is None:
            yield f"{placed.id}: accepted {placed.accepted}, stored {order is not None}"
        elif not order.ended or (order.quantity, order.email) != (placed.quantity, placed.email):
            yield f"{placed.id} is {order.status}, {order.quantity} for {order.email}"
    yield from (f"{order_id}: nobody placed it" for order_id in orders)
    if found.executions.keys() != {"SUCCEEDED"} or found.executions.total() != len(found.ledgers):
        yield f"workflows: {found.executions} for {len(found.ledgers)} orders"
    yield from (f"{count} {what} left over" for what, count in found.left_over.items() if count)


def broken_promises(found: Evidence) -> Iterator[str]:
    """A cancel that was confirmed is kept, one that was refused is not done after all."""
    orders = found.orders
    for placed in found.placed:
        order = orders.get(placed.id)
        cancelled = order is not None and order.status is Status.CANCELLED
        if placed.cancelled is not None and placed.cancelled != cancelled:
            yield f"{placed.id}: cancelled for its customer {placed.cancelled}, in the file {cancelled}"


def other_prices(found: Evidence) -> Iterator[str]:
    """An order has the one total and currency that every answer gave, whatever the settings of later lives are."""
    orders = found.orders
    for placed in found.placed:
        order = orders.get(placed.id)
        if order is not None and placed.told - {(order.total, order.currency)}:
            yield f"{placed.id}: told {placed.told}, in the file {order.total} {order.currency}"


def strange_keys(found: Evidence) -> Iterator[str]:
    """Every call goes out under the one key of its order and effect. Finance's key for a refund is the order's id."""
    known = {placed.id for placed in found.placed}
    for call, key in _calls(found):
        order_id, _, effect = key.partition("/")
        if order_id not in known or effect not in {KEYS[call], f"{KEYS[call]}/{order_id}"}:
            yield f"{call} under {key}"


def _calls(found: Evidence) -> Iterator[tuple[str, str]]:
    """Every call that came to the bank or the restaurant, and its key."""
    yield from ((line.call, line.key) for line in found.bank)
    yield from ((line.call, line.key) for line in found.restaurant)


def blind_repeats(found: Evidence) -> Iterator[str]:
    """Before a charge is made again, the bank is asked about its key; never again once the bank has answered it."""
    open_tries: set[str] = set()
    settled: set[str] = set()
    for line in found.bank:
        if line.call == "lookup":
            open_tries.discard(line.key)
        elif line.call == "charge":
            if line.key in open_tries | settled:
                yield f"{line.key}: try {line.tries} without asking, or after the answer"
            open_tries.add(line.key)
        settled.update(record.key for record in line.records if record.kind == "charge")


def wrong_money(found: Evidence) -> Iterator[str]:
    """The ledger equals the bank's records; the bank holds what is left of an order that succeeded, else nothing."""
    report = reconcile(found.ledgers, found.movements)
    yield from (f"{offender.order_id}: {offender.problem}" for offender in report.offenders)
    moved: dict[str, list[Movement]] = defaultdict(list)
    for movement in found.movements:
        moved[movement.order_id].append(movement)
    for order, _ in found.ledgers:
        charged, refunded = (
            [each.amount for each in moved[order.id] if each.kind == kind] for kind in ("charge", "refund")
        )
        parts = len(order.refunds or ())
        held = order.total - parts if order.status is Status.SUCCESS else 0
        if len(charged) > 1 or len(refunded) > 1 + parts or sum(charged) - sum(refunded) != held:
            yield f"{order.id} is {order.status}, {order.total}: charged {charged}, refunded {refunded}"


def wrong_meals(found: Evidence) -> Iterator[str]:
    """The kitchen cooks each order that succeeded, once, and no other."""
    taken: Counter[str] = Counter()
    withdrawn: set[str] = set()
    for record in (line.record for line in found.restaurant if line.record):
        if record.kind == "withdrawal":
            withdrawn.add(record.order_id)
        elif record.refused is None:
            taken[record.order_id] += 1
    for order, _ in found.ledgers:
        cooked = 0 if order.id in withdrawn else taken[order.id]
        if cooked != (order.status is Status.SUCCESS):
            yield f"{order.id} is {order.status}, handed over {taken[order.id]}, withdrawn {order.id in withdrawn}"


def wrong_mails(found: Evidence) -> Iterator[str]:
    """One mail per end and recipient, and one to the customer of a payment that waited: whatever came twice came under
    the same Message-ID.
    """
    due = {message_id(mail) for order, _ in found.ledgers if order.ended for mail in mails(order, SETTINGS)}
    waited = {record.order_id for line in found.bank for record in line.records if record.pending}
    begun = [msgspec.structs.replace(order, status=Status.PENDING) for order, _ in found.ledgers if order.id in waited]
    may = due | {message_id(mail) for order in begun for mail in mails(order, SETTINGS)}
    yield from (f"never came: {name}" for name in due - found.received.keys())
    yield from (f"came and should not: {name}" for name in found.received.keys() - may)


def torn_timelines(found: Evidence) -> Iterator[str]:
    """The events of each workflow lead to its state."""
    yield from found.torn


def complaints(found: Evidence) -> Iterator[str]:
    """What the server itself took for an error."""
    yield from (line for line in found.log.splitlines() if '"level":"ERROR"' in line or "Traceback" in line)


def unknown_units(found: Evidence) -> Iterator[str]:
    """Units that the server has and this test does not kill at."""
    yield from sorted(found.units - {*UNITS, *BY_CHANCE})


#: Everything that is looked at, each with the words for a report.
CHECKS = {
    "every order that was handed in ended as it was sent": unfinished,
    "what a customer was told about a cancel is so": broken_promises,
    "what a customer was told about price and currency is so": other_prices,
    "no effect under two keys": strange_keys,
    "no charge was repeated without asking first": blind_repeats,
    "the money is where it belongs, and the ledger equals the bank's records": wrong_money,
    "each success was handed over once, and nothing else is cooked": wrong_meals,
    "one mail per end and recipient": wrong_mails,
    "each timeline leads to the end that its workflow has": torn_timelines,
    "every unit of the writer is a point to die at": unknown_units,
    "the server met nothing that it did not expect": complaints,
}


def summary(found: Evidence) -> Iterable[str]:
    """What it all came to, in numbers."""
    statuses = Counter(order.status.value for order, _ in found.ledgers)
    calls = Counter(call for call, _ in _calls(found))
    twice = sum(count - 1 for count in found.received.values())
    yield f"orders       {len(found.ledgers)}: " + ", ".join(f"{status} {n}" for status, n in statuses.most_common())
    again = [placed.asked for placed in found.placed if placed.asked > 1]
    yield f"asked again  {len(again)} orders whose answer was lost, {sum(again) - len(again)} times in all"
    yield f"cancelled    {sum(placed.cancelled is True for placed in found.placed)} confirmed"
    yield "calls        " + ", ".join(f"{call} {count}" for call, count in calls.most_common())
    kinds = Counter(movement.kind for movement in found.movements)
    yield f"money moved  {kinds['charge']} charges, {kinds['refund']} refunds"
    yield f"mails        {len(found.received)}, and {twice} repeats under the same Message-ID"
