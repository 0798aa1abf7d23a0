"""Decides which changes of an order subscribers get: those that its customer can see."""

from expediter.domain.order import Order


def is_news(before: Order | None, after: Order) -> bool:
    """Whether a subscriber can see the difference. The time of the last write is none. An order that had ended when its
    row was first written was imported, and is none either.
    """
    return not after.ended if before is None else _seen(before) != _seen(after)


def _seen(order: Order) -> tuple[object, ...]:
    """What GraphQL's type Order shows, without the time of its change. The owner and the id never change."""
    return order.restaurant_id, order.name, order.items, order.currency, order.status, order.error_message
