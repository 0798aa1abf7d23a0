"""Why an order failed, in words for its customer, from what the workflow knows."""

from expediter.asl.protocol import Json
from expediter.domain.order import Order

CANCELLED = "The customer cancelled the order."

#: The reason for an error that the workflow caught. The error's own text is for operators, not for customers.
_ERRORS = {
    "PaymentUnavailable": "The payment could not be confirmed.",
    "RestaurantUnavailable": "The restaurant could not be reached.",
    "StoreUnavailable": "The order could not be read or written.",
}


def reason(order: Order, state: Json) -> str:
    """The customer's wish, else a gateway's answer, else the error that the workflow caught (under ``$.error``)."""
    if order.cancel_requested_at is not None:
        return CANCELLED
    if order.error_message:
        return order.error_message
    caught = state.get("error") if isinstance(state, dict) else None
    name = caught.get("Error") if isinstance(caught, dict) else None
    return _ERRORS.get(name or "", f"The order could not be completed ({name or 'no reason given'}).")
