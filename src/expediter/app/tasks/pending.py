"""A charge that waits for its customer or for a bank.

    ProcessPayment ─→ pending ─→ AwaitPayment ─→ news, or its time is over ─→ ProcessPayment, which asks the provider

News says only that something happened. ProcessPayment asks the provider each time what happened, and only it settles
the payment. So news may come early, late, twice or in any order.
"""

import msgspec

from expediter.app.mails import mails
from expediter.app.ports import Outcome
from expediter.app.tasks.calls import Pending
from expediter.app.tasks.task import TaskContext
from expediter.domain.errors import PaymentNotAwaited
from expediter.domain.order import CHARGE, UNKNOWN, AwaitedPayment, settled

OVERDUE = "The payment was not completed in time."


def settle_pending(context: TaskContext, answer: Pending) -> Outcome:
    """Stores what the customer has to do, and for how many seconds the workflow waits: 0 when the time is over or the
    order was cancelled.

    Asks the provider again when there was news meanwhile. The customer gets a mail, unless only a bank has to act.
    """
    awaited, now = context.order.awaited_payment, context.now
    order = settled(context.order, CHARGE, UNKNOWN, now, answer.reference)
    wait = answer.wait_seconds or context.settings.payment_wait_seconds
    left = order.effects[CHARGE].tried_at + 1000 * wait - now
    if left <= 0 or order.cancel_requested_at is not None:
        over = msgspec.structs.replace(
            order, awaited_payment=msgspec.UNSET, error_message=order.error_message or OVERDUE
        )
        return Outcome(over, output={"status": "overdue", "error_message": OVERDUE})
    shown = AwaitedPayment(answer.client_secret, answer.redirect_url)
    waiting = msgspec.structs.replace(order, awaited_payment=shown)
    news = awaited is not msgspec.UNSET and awaited.news
    sent = mails(waiting, context.settings) if answer.wait_seconds is None else ()
    return Outcome(waiting, mails=sent, output={"status": "pending", "wait_seconds": -(-left // 1000)}, again=news)


def await_payment(context: TaskContext) -> Outcome:
    """Stores the token of the task that waits. Raises PaymentNotAwaited when there is news already."""
    order = context.order
    awaited = order.awaited_payment
    if awaited is msgspec.UNSET or awaited.news or order.cancel_requested_at is not None:
        raise PaymentNotAwaited
    waiting = msgspec.structs.replace(awaited, task_token=context.input.get("task_token"))
    return Outcome(msgspec.structs.replace(order, awaited_payment=waiting))
