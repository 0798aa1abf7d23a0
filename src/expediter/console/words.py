"""Formats values for people: times, durations, statuses."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from expediter.app.instants import instant
from expediter.asl.protocol import Json
from expediter.domain.alert import Alert
from expediter.domain.money import money
from expediter.domain.order import Order, Status

#: A status as operators read it.
STATUSES: Mapping[Status, str] = {
    Status.PENDING: "Pending",
    Status.PAID: "Paid",
    Status.SUCCESS: "Success",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
    Status.REFUND_PENDING: "Refund owed",
}
#: The subjects of mails: statuses and alerts.
SUBJECTS: Mapping[str, str] = {
    **{status.value: text for status, text in STATUSES.items()},
    Alert.NEEDS_OPERATOR.value: "Needs an operator",
    Alert.REFUND_LATE.value: "Refund late",
    Alert.ORDER_LATE.value: "Order late",
    Alert.DEAD_LETTER.value: "Dead letter",
    Alert.MAIL_GIVEN_UP.value: "Mail given up",
    Alert.REFUND_FAILED.value: "Refund failed",
    Alert.DISPUTED.value: "Disputed",
}

#: What does not happen while a part is simulated.
NOT_REAL: Mapping[str, str] = {
    "payments": "No money is taken.",
    "restaurant": "No meal is cooked.",
    "mail": "No mail is sent.",
}

#: The results of actions, as the next page shows them.
SAID: Mapping[str, str] = {
    "placed": "The order was placed.",
    "twice": "The order was sent twice under one key and accepted once.",
    "cancelling": "The order was placed. It will be cancelled as soon as it is paid.",
    "cancelled": "The order was cancelled for the customer.",
    "again": "The same order was placed once more; this is the new one.",
    "retried": "The workflow goes on from the state you chose.",
    "revoked": "The links to this order are not valid any more. The button for the customer's page has a new one.",
    "redriven": "The message went back to the queue.",
    "redriven-all": "The messages went back to the queue.",
    "deleted": "The message was removed for good.",
    "corrected": "The corrected order went back to the queue.",
    "resent": "The mail will be sent once more, under the same Message-ID.",
}


def clock(at: int, *, millis: bool = False) -> str:
    """Milliseconds since 1970 as the time of day in UTC."""
    text = instant(at).partition("T")[2]
    return text[:12] if millis else text[:8]


def day(at: int) -> str:
    """Milliseconds since 1970 as the date in UTC."""
    return instant(at).partition("T")[0]


def moment(at: int, now: int) -> str:
    """The time of day, with the date in front unless it is today's."""
    return _moment(at // 1000, now // 86_400_000)


def duration(milliseconds: int) -> str:
    """``340 ms``, ``12.3 s``, ``4 min``, ``3 h 20 min``, ``2 d 3 h``."""
    seconds = milliseconds / 1000
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def what(order: Order) -> str:
    """What was ordered, in one line."""
    first = f"{order.items[0].quantity} × {order.items[0].name}"  # noqa: RUF001  # the sign that is meant
    return first if len(order.items) == 1 else f"{first} + {len(order.items) - 1} more"


def short(order_id: str) -> str:
    """The end of an id. The beginning of a UUIDv7 is the time, so it is the same for all orders of a minute."""
    return order_id[-8:]


def pretty(value: Json) -> str:
    """JSON for reading."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def compact(value: Json) -> str:
    """JSON for reading, short values on one line each: objects inside are not spread out."""
    if not isinstance(value, dict):
        return _line(value)
    return "\n".join(f"{name}: {_line(part)}" for name, part in value.items()) or "{}"


def added(output: Json, given: Json) -> str:
    """The fields of an output that its input did not have; the whole output where they are no objects."""
    if not isinstance(output, dict) or not isinstance(given, dict):
        return compact(output)
    new = {name: value for name, value in output.items() if name not in given or given[name] != value}
    rest = "\n… and what its input had" if len(new) < len(output) else ""
    return compact(new) + rest


def row(order: Order, now: int) -> tuple[str, int, str, str, str, str, str, str, str, int]:
    """An order's line in the list: id, version, texts, when it was placed; sent to the page as it is drawn on it."""
    return (
        order.id,
        order.version,
        what(order),
        order.restaurant_id,
        order.user_id,
        money(order.total, order.currency),
        order.status.value,
        STATUSES[order.status],
        moment(order.created_at, now),
        order.created_at,
    )


def spaced(name: str) -> str:
    """``TimedOut`` → ``timed out``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _line(value: Json) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


@lru_cache(1024)
def _moment(second: int, today: int) -> str:
    """``moment``, remembered: in a rush many orders are placed in one second."""
    at = second * 1000
    return clock(at) if at // 86_400_000 == today else f"{day(at)} {clock(at)[:5]}"
