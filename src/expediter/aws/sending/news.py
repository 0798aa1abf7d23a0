"""What is news of an order: what its customer would see changed."""

from expediter.domain.order import Order


def is_news(before: Order | None, after: Order) -> bool:
    """Whether a subscriber would see a difference; when it was written last is none, and what had ended when it came
    was carried over from another home."""
    return not after.ended if before is None else _seen(before) != _seen(after)


def _seen(order: Order) -> tuple[object, ...]:
    """What GraphQL's type Order is made of, but for its time of change; the owner and the id never change."""
    return order.restaurant_id, order.name, order.items, order.currency, order.status, order.error_message
