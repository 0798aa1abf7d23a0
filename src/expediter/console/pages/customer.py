"""The customer's page of one order: its status. The link may be shared, so the page has nothing private."""

from typing import NamedTuple

from expediter.api.errors import PathUnknown
from expediter.api.request import Response
from expediter.app import orders
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Caller
from expediter.console.render import page
from expediter.console.visit import Visit
from expediter.domain.errors import OrderNotFound
from expediter.domain.order import EffectKind, Order, Result, Status

_NEWS: dict[Status, tuple[str, str]] = {
    Status.PENDING: ("We have your order", "The payment is next."),
    Status.PAID: ("Your order is paid", "We hand it to the restaurant in a moment."),
    Status.SUCCESS: ("The restaurant has your order", "Enjoy your meal."),
    Status.FAILED: ("Your order could not be completed", "Nothing is charged; what had been charged was given back."),
    Status.CANCELLED: ("Your order is cancelled", "What had been charged was given back."),
    Status.REFUND_PENDING: ("We are giving your money back", "The order does not go on."),
}

#: The order waits for its payment. How the payment goes on is said where it was ordered: a link may be shown to others.
_PAYMENT = ("Your order waits for your payment", "Please complete the payment where you ordered.")


class Mark(NamedTuple):
    """One step of the way: ``state`` is done, current, todo or failed."""

    title: str
    state: str


def opened_order(services: OperatorServices, order_id: str, generation: int) -> Order:
    """The order that a link of this generation opens. Raises OrderNotFound, PathUnknown."""
    order = orders.find(services.work, Caller(), order_id)
    if order.erased or generation != services.links.generation(order_id):
        raise PathUnknown("This link is not valid any more. Ask for a new one.")
    return order


def customer_mark(services: OperatorServices, order_id: str, generation: int) -> str:
    """A text that changes whenever the page would change."""
    try:
        return str(opened_order(services, order_id, generation).version)
    except (OrderNotFound, PathUnknown):
        return "gone"


def show_customer(services: OperatorServices, visit: Visit, generation: int) -> Response:
    """Raises OrderNotFound, PathUnknown."""
    order = opened_order(services, visit.params["id"], generation)
    title, text = _PAYMENT if order.awaited_payment else _NEWS[order.status]
    return page("customer", visit, order=order, title=title, text=text, steps=_steps(order), mark=order.version)


def _steps(order: Order) -> list[Mark]:
    paid = order.result(EffectKind.CHARGE) is Result.DONE
    sent = order.status is Status.SUCCESS
    names = ["Ordered", "Paid", "With the restaurant"]
    done = [True, paid, sent]
    if order.status in (Status.FAILED, Status.CANCELLED, Status.REFUND_PENDING):
        back = order.status is not Status.REFUND_PENDING
        last = "Cancelled" if order.cancel_requested_at is not None else "Not completed"
        marks = [Mark("Ordered", "done"), *([Mark("Paid", "done")] if paid else [])]
        money = [Mark("Money given back", "done" if back else "current")] if paid and order.total else []
        return [*marks, *money, Mark(last, "failed" if back else "todo")]
    first = done.index(False) if False in done else len(done)
    states = ["done" if place < first else "current" if place == first else "todo" for place in range(len(names))]
    return [Mark(name, state) for name, state in zip(names, states, strict=True)]
