"""What is news of an order: what its customer would see changed."""

from expediter.api.graphql import order_json
from expediter.asl.protocol import Json
from expediter.domain.order import Order


def is_news(before: Order | None, after: Order) -> bool:
    """Whether a subscriber would see a difference; when it was written last is none, and what had ended when it came
    was carried over from another home."""
    return not after.ended if before is None else _seen(before) != _seen(after)


def _seen(order: Order) -> Json:
    return {**order_json(order), "updatedAt": None}
