"""Events of payment providers: only the fields that we use.

Stripe's: https://docs.stripe.com/api/events. That of a provider behind a URL: docs/how-to/gateways.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

#: Bytes of an event.
LARGEST_EVENT = 1024 * 1024
#: The header with an event's signature, by the name of its provider.
SIGNATURES: Mapping[str, str] = {"stripe": "stripe-signature", "payments": "payments-signature"}
#: In the place of a provider: it is no event, but a refund in part that waits to be made.
OURSELVES = "expediter"

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Topic(StrEnum):
    """What an event is about."""

    PAYMENT = "payment"
    """Something happened to a payment."""
    RETURNS = "returns"
    """Something happened to a refund, or a payment is disputed."""
    ANYTHING = "anything"
    """Something happened to a payment or to its refunds."""
    REFUND_ASKED = "refund asked"
    """A refund in part waits to be made."""
    UNKNOWN = "unknown"
    """Nothing that we act on."""


class EventInvalid(ValueError):
    """The event cannot be read. The message says why."""


class Event(msgspec.Struct, frozen=True):
    """One event. ``id`` is the same at every delivery. ``order_id``: of the order that it is about, if it says so.
    ``charge_id``: the provider's id of the charge, for news of refunds and disputes.
    """

    id: str
    type: str
    topic: Topic
    order_id: str | None = None
    charge_id: str | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: dict[str, str] = {}
    payment_intent: str | None = None


class _Data(msgspec.Struct, frozen=True):
    object: _Object


class _StripeEvent(msgspec.Struct, frozen=True):
    id: _Id
    type: _Id
    data: _Data


class _HttpEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Id
    order_id: _Id


#: The types of Stripe's events that are news of a payment.
_OF_PAYMENTS = frozenset(
    f"payment_intent.{what}"
    for what in (
        "succeeded",
        "payment_failed",
        "canceled",
        "processing",
        "requires_action",
        "amount_capturable_updated",
    )
)
#: Those that are news of refunds and disputes (https://docs.stripe.com/api/events/types).
_OF_RETURNS = frozenset(
    {
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
        *(f"charge.dispute.{what}" for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")),
    }
)


def event_in(provider: str, body: bytes) -> Event:
    """The event in the body of a provider's request. Raises EventInvalid."""
    try:
        if provider == OURSELVES:
            return _of_ourselves(body)
        return _of_stripe(body) if provider == "stripe" else _of_http(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventInvalid(f"it cannot be read: {error}") from error


def refund_asked(order_id: str, key: str) -> bytes:
    """The body of the message that has a refund in part made."""
    return msgspec.json.encode(_HttpEvent(key, order_id))


def _of_stripe(body: bytes) -> Event:
    said = msgspec.json.decode(body, type=_StripeEvent)
    about = said.data.object
    order_id = about.metadata.get("order_id")
    if said.type in _OF_PAYMENTS:
        return Event(said.id, said.type, Topic.PAYMENT, order_id)
    if said.type in _OF_RETURNS and about.payment_intent:
        return Event(said.id, said.type, Topic.RETURNS, order_id, about.payment_intent)
    return Event(said.id, said.type, Topic.UNKNOWN, order_id)


def _of_http(body: bytes) -> Event:
    said = msgspec.json.decode(body, type=_HttpEvent)
    return Event(said.id, "payment.changed", Topic.ANYTHING, said.order_id)


def _of_ourselves(body: bytes) -> Event:
    said = msgspec.json.decode(body, type=_HttpEvent)
    return Event(said.id, "refund.asked", Topic.REFUND_ASKED, said.order_id)
