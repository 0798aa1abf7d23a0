"""The tasks of an order that ends without success: what is owed is written down, given back, and only then it ends."""

import msgspec

from expediter.app.mails import mails
from expediter.app.ports import Outcome
from expediter.app.tasks.calls import Call, Refund, Refunded, Withdraw
from expediter.app.tasks.reasons import reason
from expediter.app.tasks.task import Step
from expediter.domain.order import (
    CANCELLED,
    CHARGE,
    DONE,
    FAILED,
    REFUND,
    REFUND_PENDING,
    REFUSED,
    RESTAURANT,
    UNKNOWN,
    WITHDRAWAL,
    Order,
    entry,
    moved,
    settled,
)


def request_owing(step: Step) -> Call | None:
    """First what is owed is written down, then a handover that the restaurant took, or may have, is withdrawn."""
    order = step.order
    if order.status is REFUND_PENDING and _may_be_cooking(order):
        return Withdraw(key=order.key(WITHDRAWAL), order_id=order.id, tried_at=order.tried_at(WITHDRAWAL, step.now))
    return None


def settle_owing(step: Step) -> Outcome:
    order = step.order
    if step.answer is not None:
        withdrawn = settled(order, WITHDRAWAL, DONE, step.now, step.answer.reference)
        return Outcome(withdrawn, output={"status": "ok"})
    owing = owed(step)
    return Outcome(owing, output={"status": "ok"}, again=owing is not order and _may_be_cooking(owing))


def owed(step: Step) -> Order:
    """The order with what is owed written down; unchanged when it is already, or when nothing is."""
    if (step.order.status is REFUND_PENDING and step.order.error_message) or not step.order.owes_refund:
        return step.order
    return moved(step.order, REFUND_PENDING, reason(step.order, step.input))


def request_refund(step: Step) -> Call | None:
    order = step.order
    if not order.owes_refund or owed(step) is not order:
        return None
    charge = order.effects[CHARGE]
    return Refund(
        key=order.key(REFUND),
        order_id=order.id,
        charge_key=order.key(CHARGE),
        charge_id=charge.reference,
        amount=order.total,
        currency=order.currency,
        charge_known=charge.result is DONE,
        tried_at=order.tried_at(REFUND, step.now),
    )


def settle_refund(step: Step) -> Outcome:
    order, answer = step.order, step.answer
    if not isinstance(answer, Refunded):
        owing = owed(step)
        return Outcome(owing, output={"status": "ok"}, again=owing is not order)
    known = order.result(CHARGE) is DONE
    if not known:
        result = DONE if answer.charged else REFUSED
        order = settled(order, CHARGE, result, step.now, answer.charge_id)
    order = settled(order, REFUND, DONE, step.now, answer.reference)
    charge = (entry(order, CHARGE, step.now),) if answer.charged and not known else ()
    refund = (entry(order, REFUND, step.now),) if answer.charged or known else ()
    return Outcome(order, entries=(*charge, *refund), output={"status": "ok"})


def settle_failure(step: Step) -> Outcome:
    """Ends the order unsuccessfully; where the workflow gave nothing back yet, this does it first."""
    if step.order.owes_refund or isinstance(step.answer, Refunded):
        return msgspec.structs.replace(settle_refund(step), again=True)
    asked = step.order.cancel_requested_at is not None
    why = step.order.error_message or reason(step.order, step.input)
    end = moved(step.order, CANCELLED if asked else FAILED, why)
    return Outcome(end, mails=mails(end, step.settings), output={"status": str(end.status)})


def _may_be_cooking(order: Order) -> bool:
    asked = order.result(RESTAURANT) in (UNKNOWN, DONE)
    return asked and order.result(WITHDRAWAL) is not DONE
