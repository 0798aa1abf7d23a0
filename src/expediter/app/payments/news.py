"""News of a pending payment. News settles nothing: the workflow asks the provider then, and only its answer counts."""

import msgspec

from expediter.app.ports import Outcome, Work
from expediter.domain.order import CHARGE, UNKNOWN, AwaitedPayment, Order


def tell(work: Work, order: Order) -> None:
    """Ends the task that waits for news of the order's payment.

    When no task waits, the news is stored until the provider's answer arrives. Raises OrderChanged.
    """
    if order.result(CHARGE) is not UNKNOWN:
        return
    awaited = AwaitedPayment() if order.awaited_payment is msgspec.UNSET else order.awaited_payment
    if awaited.task_token and work.workflows.answer(awaited.task_token, {}):
        return
    if not awaited.news:
        told = msgspec.structs.replace(awaited, task_token=None, news=True)
        told_order = msgspec.structs.replace(
            order, awaited_payment=told, updated_at=work.now, version=order.version + 1
        )
        work.orders.apply(order, Outcome(told_order))
