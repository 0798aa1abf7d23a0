"""The tasks of an order that ends without success: record what is owed, give it back, and only then end the order."""

import msgspec

from expediter.app.mails import mails
from expediter.app.ports import Outcome
from expediter.app.tasks.calls import Call, Refund, Refunded, Withdraw
from expediter.app.tasks.reasons import reason
from expediter.app.tasks.task import TaskContext
from expediter.domain.errors import PaymentUnavailable
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
from expediter.domain.refunds import RefundStatus


def request_owing(context: TaskContext) -> Call | None:
    """Withdraws a handover that the restaurant took, or may have, once what is owed is recorded, if anything is."""
    order = context.order
    recorded = order.status is REFUND_PENDING or not (order.owes_refund or order.ended)
    if recorded and _may_be_cooking(order):
        return Withdraw(key=order.key(WITHDRAWAL), order_id=order.id, tried_at=order.tried_at(WITHDRAWAL, context.now))
    return None


def settle_owing(context: TaskContext) -> Outcome:
    order = context.order
    if context.answer is not None:
        withdrawn = settled(order, WITHDRAWAL, DONE, context.now, context.answer.reference)
        return Outcome(withdrawn, output={"status": "ok"})
    owing = owed(context)
    return Outcome(owing, output={"status": "ok"}, again=owing is not order and _may_be_cooking(owing))


def owed(context: TaskContext) -> Order:
    """The order with what is owed recorded; unchanged when it is recorded already, or when nothing is owed."""
    if (context.order.status is REFUND_PENDING and context.order.error_message) or not context.order.owes_refund:
        return context.order
    return moved(context.order, REFUND_PENDING, reason(context.order, context.input))


def request_refund(context: TaskContext) -> Call | None:
    """The refund of all that is left. Raises PaymentUnavailable while a refund in part is under way."""
    order = context.order
    if not order.owes_refund or owed(context) is not order:
        return None
    if any(refund.status is RefundStatus.PENDING for refund in order.refunds or ()):
        raise PaymentUnavailable("A refund in part is under way; what is left is given back after it.")
    charge = order.effects[CHARGE]
    return Refund(
        key=order.key(REFUND),
        order_id=order.id,
        charge_key=order.key(CHARGE),
        charge_id=charge.reference,
        amount=order.total - order.going_back,
        currency=order.currency,
        charge_known=charge.result is DONE,
        tried_at=order.tried_at(REFUND, context.now),
        rest=order.going_back > 0,
    )


def settle_refund(context: TaskContext) -> Outcome:
    order, answer = context.order, context.answer
    if not isinstance(answer, Refunded):
        owing = owed(context)
        return Outcome(owing, output={"status": "ok"}, again=owing is not order)
    known = order.result(CHARGE) is DONE
    if not known:
        result = DONE if answer.charged else REFUSED
        order = settled(order, CHARGE, result, context.now, answer.charge_id)
        order = msgspec.structs.replace(order, awaited_payment=msgspec.UNSET)
    order = settled(order, REFUND, DONE, context.now, answer.reference)
    charge = (entry(order, CHARGE, context.now),) if answer.charged and not known else ()
    refund = (entry(order, REFUND, context.now),) if answer.charged or known else ()
    return Outcome(order, entries=(*charge, *refund), output={"status": "ok"})


def settle_failure(context: TaskContext) -> Outcome:
    """Ends the order without success. If the workflow did not give the money back yet, this task does it first."""
    if context.order.owes_refund or isinstance(context.answer, Refunded):
        return msgspec.structs.replace(settle_refund(context), again=True)
    asked = context.order.cancel_requested_at is not None
    why = context.order.error_message or reason(context.order, context.input)
    end = moved(context.order, CANCELLED if asked else FAILED, why)
    return Outcome(end, mails=mails(end, context.settings), output={"status": str(end.status)})


def _may_be_cooking(order: Order) -> bool:
    asked = order.result(RESTAURANT) in (UNKNOWN, DONE)
    return asked and order.result(WITHDRAWAL) is not DONE
