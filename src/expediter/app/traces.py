"""The trace of an order: its id follows from the order's, so it is the same in every log, call, process and restart."""

import uuid


def trace_id(order_id: str) -> str | None:
    """The order's id without its dashes, which is a W3C trace id (https://www.w3.org/TR/trace-context/#trace-id).

    None when that would be none: not a UUID, or all zeros.
    """
    try:
        number = uuid.UUID(order_id)
    except ValueError:
        return None
    return number.hex if number.int else None
