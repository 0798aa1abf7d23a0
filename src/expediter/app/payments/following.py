"""What follows from an event: at once, or from the provider's answer to one call.

    follow(event) ─→ True | False     it is done; False: nothing follows from it
                  └→ AnyCall ─→ the provider ─→ follow(event, answered) ─→ …

News of a refund or a dispute settles nothing either: the provider is asked what its books say.
"""

from typing import NamedTuple

from expediter.app.payments import refunds
from expediter.app.payments.events import Event, Topic
from expediter.app.payments.news import tell
from expediter.app.payments.statement import take_statement
from expediter.app.ports import Work
from expediter.app.tasks.calls import Answer, AnyCall, LookUp, Refund, Statement
from expediter.domain.errors import OrderChanged
from expediter.domain.order import CHARGE, DONE, UNKNOWN, Order


class Answered(NamedTuple):
    """A call that an event asked for, and the provider's answer."""

    call: AnyCall
    answer: Answer


def follow(work: Work, event: Event, answered: Answered | None = None) -> AnyCall | bool:
    """Processes an event; False when nothing follows from it. A second time has no further effect.

    A Call is made after the unit of work, and the event goes on with its answer. Raises PaymentUnavailable when the
    event has to come again.
    """
    while True:
        try:
            return _follow(work, event, answered)
        except OrderChanged:
            continue  # another unit wrote the order first: decide on the newer row


def _follow(work: Work, event: Event, answered: Answered | None) -> AnyCall | bool:
    if answered is not None and isinstance(answered.answer, Statement):
        return take_statement(work, answered.answer)
    if event.topic is Topic.RETURNS and event.charge_id:
        return LookUp(event.charge_id, order_id=event.order_id or "")
    order = work.orders.find(event.order_id) if event.order_id else None
    if order is None or event.topic is Topic.UNKNOWN:
        return False
    if event.topic is Topic.REFUND_ASKED:
        return _give_back(work, order, answered)
    if event.topic is Topic.ANYTHING and order.result(CHARGE) is DONE:
        return LookUp(order.effects[CHARGE].reference, order.key(CHARGE), order.id)
    if order.result(CHARGE) is UNKNOWN:
        tell(work, order)
    return True


def _give_back(work: Work, order: Order, answered: Answered | None) -> AnyCall | bool:
    """Settles the refund that was answered, and asks for the next one that is pending."""
    if answered is not None and isinstance(answered.call, Refund):
        outcome = refunds.settled(order, answered.call, answered.answer, work.now, work.settings)
        if outcome is not None:
            work.orders.apply(order, outcome)
            order = outcome.order
    return refunds.next_call(order) or True
