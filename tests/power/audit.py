"""Looks at a folder after the power was lost: is the file sound, and does it hold all that somebody counts on?"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import apsw

from expediter.app.mails import mails
from expediter.app.operator.reconcile import reconcile
from expediter.app.ports import OrderSettings
from expediter.domain.order import EffectKind
from expediter.embedded.sqlite.database import open_writer
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.orders import SqliteOrders
from tests.crash.timelines import torn
from tests.power.kitchen import settings
from tests.power.recording import Event, Told


def problems(folder: Path, before: Iterable[Event]) -> list[str]:
    """What is wrong with the folder, given what had happened before the power was lost; empty: nothing."""
    told = [event for event in before if isinstance(event, Told)]
    try:
        with closing(open_writer(folder / "expediter.db")) as connection:
            check = connection.pragma("integrity_check")
            if check != "ok":
                return [f"integrity_check: {check}"]
            session = Session(connection)
            given = settings(folder).orders
            orders = SqliteOrders(session, given, lambda _: None, None)
            return [*_forgotten(orders, told), *_contradictions(session, orders, given)]
    except apsw.Error as error:
        return [f"the file cannot be opened: {error!r}"]


def _forgotten(orders: SqliteOrders, told: list[Told]) -> Iterator[str]:
    """What somebody was told and the file does not know."""
    for what, order_id in told:
        order = orders.find(order_id)
        if what == "accepted":
            kept = order is not None or orders.accepted(order_id) is not None
        elif what == "cancelled":
            kept = order is not None and order.cancel_requested_at is not None
        else:
            kept = order is not None and EffectKind(what) in order.effects
        if not kept:
            yield f"forgotten: {what} {order_id}"


def _contradictions(session: Session, orders: SqliteOrders, given: OrderSettings) -> Iterator[str]:
    """Where what belongs to one step was not applied as one."""
    yield from (f"{offender.order_id}: {offender.problem}" for offender in reconcile(orders.with_entries()).offenders)
    yield from torn(session, most=4)
    executions: dict[str, str] = dict(session.rows("SELECT claim.id, status FROM execution JOIN claim USING (no)"))
    posted = set(session.rows("SELECT claim.id, status, recipient FROM mail JOIN claim ON claim.no = order_no"))
    waiting = {order_id for (order_id,) in session.rows("SELECT order_id FROM message")}
    if waiting & executions.keys():
        yield f"taken in and still waiting: {waiting & executions.keys()}"
    for order, _ in orders.with_entries():
        if executions.get(order.id) == "SUCCEEDED":
            due = {(mail.order_id, mail.status, mail.recipient) for mail in mails(order, given)}
            if not order.ended or not due <= posted:
                yield f"{order.id}: its workflow ended, the order is {order.status}, posted {due & posted}"
        elif order.ended and order.cancel_requested_at is None:
            yield f"{order.id} is {order.status}, its workflow {executions.get(order.id)}"
