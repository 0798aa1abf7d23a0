"""Alerts: reasons for an operator to look at an order that does not go on as it should."""

from enum import StrEnum

import msgspec

from expediter.domain.order import EffectKind, Order, Status

#: Milliseconds: how long a refund may be tried, and how long an order may take beyond its hold.
REFUND_TIME = 3_600_000
ORDER_TIME = 900_000


class ClockAlert(StrEnum):
    """Why operators are told of the machine's clock."""

    CLOCK_SET = "CLOCK_SET"
    """It was set, or it was wrong before: it differs from the server's time."""


class Alert(StrEnum):
    """Why operators are told of an order."""

    NEEDS_OPERATOR = "NEEDS_OPERATOR"
    """Its workflow ended in an error."""
    REFUND_LATE = "REFUND_LATE"
    """Its refund is tried for too long."""
    ORDER_LATE = "ORDER_LATE"
    """It should have ended by now."""
    DEAD_LETTER = "DEAD_LETTER"
    """Its message could not be processed."""
    MAIL_GIVEN_UP = "MAIL_GIVEN_UP"
    """A mail to its customer or to an operator could not be sent."""
    REFUND_FAILED = "REFUND_FAILED"
    """A refund was refused, or came back later."""
    DISPUTED = "DISPUTED"
    """Its customer's bank disputes the payment."""


def owed_since(order: Order) -> int:
    """Since when an order in REFUND_PENDING is owed its money (ms since 1970 UTC).

    That is the time of the customer's cancel, or else of the first try of the refund.
    """
    if order.cancel_requested_at is not None:
        return order.cancel_requested_at
    refund = order.effects.get(EffectKind.REFUND)
    return refund.tried_at if refund else order.updated_at


def alert_of(order: Order, now: int, hold: int) -> Alert | None:
    """The alert that the order's own record gives at ``now`` (ms since 1970 UTC). ``hold``: milliseconds."""
    refund = order.effects.get(EffectKind.REFUND)
    if order.ended or order.awaited_payment is not msgspec.UNSET:  # a payment is awaited for a time of its own
        return None
    if refund is not None and order.status is Status.REFUND_PENDING:
        return Alert.REFUND_LATE if now - refund.tried_at >= REFUND_TIME else None
    return Alert.ORDER_LATE if overdue(order.created_at, now, hold) else None


def overdue(accepted_at: int, now: int, hold: int) -> bool:
    """Whether an order accepted then should have ended."""
    return now - accepted_at >= hold + ORDER_TIME
