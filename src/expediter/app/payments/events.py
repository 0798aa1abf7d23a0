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

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Topic(StrEnum):
    """What an event is about."""

    PAYMENT = "payment"
    """Something happened to a payment."""
    UNKNOWN = "unknown"
    """Nothing that we act on."""


class EventInvalid(ValueError):
    """The event cannot be read. The message says why."""


class Event(msgspec.Struct, frozen=True):
    """One event. ``id`` is the same at every delivery. ``order_id``: of the order that it is about, if it says so."""

    id: str
    type: str
    topic: Topic
    order_id: str | None = None


class _Object(msgspec.Struct, frozen=True):
    metadata: dict[str, str] = {}


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


def event_in(provider: str, body: bytes) -> Event:
    """The event in the body of a provider's request. Raises EventInvalid."""
    try:
        return _of_stripe(body) if provider == "stripe" else _of_http(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventInvalid(f"it cannot be read: {error}") from error


def _of_stripe(body: bytes) -> Event:
    said = msgspec.json.decode(body, type=_StripeEvent)
    topic = Topic.PAYMENT if said.type in _OF_PAYMENTS else Topic.UNKNOWN
    return Event(said.id, said.type, topic, said.data.object.metadata.get("order_id"))


def _of_http(body: bytes) -> Event:
    said = msgspec.json.decode(body, type=_HttpEvent)
    return Event(said.id, "payment.changed", Topic.PAYMENT, said.order_id)
