"""Since when an order's customer is owed money."""

from expediter.domain.order import Kind, Order


def owed_since(order: Order) -> int:
    """Of an order in REFUND_PENDING: when the customer asked for it back, or it was first tried to be given back.

    Milliseconds since 1970 UTC.
    """
    if order.cancel_requested_at is not None:
        return order.cancel_requested_at
    refund = order.effects.get(Kind.REFUND)
    return refund.tried_at if refund else order.updated_at
