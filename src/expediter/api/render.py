"""Orders and dead letters as REST shows them. Times are ISO 8601 in UTC with milliseconds."""

import msgspec

from expediter.app.instants import instant
from expediter.app.ports import DeadLetter
from expediter.domain.order import Item, Order, Status


class OrderView(msgspec.Struct, frozen=True):
    """An order as REST shows it; ``total`` and prices in minor units of ``currency``."""

    id: str
    user_id: str
    restaurant_id: str
    name: str | None
    quantity: int
    items: tuple[Item, ...]
    total: int
    currency: str
    order_status: Status
    error_message: str | None
    created_at: str
    updated_at: str


class LetterView(msgspec.Struct, frozen=True):
    """A dead letter; bytes of its body that are no UTF-8 as ``\\xNN``."""

    id: str
    reason: str
    body: str
    attributes: dict[str, str]
    receive_count: int
    sent_at: str
    died_at: str


def order_view(order: Order) -> OrderView:
    return OrderView(
        id=order.id,
        user_id=order.user_id,
        restaurant_id=order.restaurant_id,
        name=order.name,
        quantity=order.quantity,
        items=order.items,
        total=order.total,
        currency=order.currency,
        order_status=order.status,
        error_message=order.error_message,
        created_at=instant(order.created_at),
        updated_at=instant(order.updated_at),
    )


def letter_view(letter: DeadLetter) -> LetterView:
    return LetterView(
        id=letter.id,
        reason=letter.reason,
        body=letter.body.decode("utf-8", "backslashreplace"),
        attributes=letter.attributes,
        receive_count=letter.receive_count,
        sent_at=instant(letter.sent_at),
        died_at=instant(letter.died_at),
    )
