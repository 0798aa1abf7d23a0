"""Requests to Stripe, and what comes back: only the fields that we use.

https://docs.stripe.com/api/payment_intents, https://docs.stripe.com/api/refunds, https://docs.stripe.com/api/errors
"""

from urllib.parse import quote, urlencode

import msgspec

from expediter.app.gateways.http import HttpRequest, HttpResponse, cleaned, parsed
from expediter.app.tasks.calls import Refused
from expediter.domain.errors import PaymentUnavailable

#: The API version of every request. The default version of an account may change.
VERSION = "2026-10-28.endive"

DECLINED = "The payment was declined."
#: Declines after which the same card may do (https://docs.stripe.com/declines/codes).
_LATER = frozenset(
    {
        "approve_with_id",
        "card_velocity_exceeded",
        "insufficient_funds",
        "issuer_not_available",
        "processing_error",
        "reenter_transaction",
        "try_again_later",
        "withdrawal_count_limit_exceeded",
    }
)
#: The statuses of an answer to what was understood and refused. A 409 or 429 is about the moment.
_REFUSALS = frozenset({400, 402, 404})


class Failure(msgspec.Struct, frozen=True):
    """Why something failed."""

    type: str | None = None
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class Redirection(msgspec.Struct, frozen=True):
    """A page of a bank's."""

    url: str | None = None


class NextAction(msgspec.Struct, frozen=True):
    """What the customer has to do."""

    redirect_to_url: Redirection | None = None


class Intent(msgspec.Struct, frozen=True):
    """A PaymentIntent: one payment, from its beginning to its end. Stripe.js needs its ``client_secret``."""

    id: str
    status: str
    client_secret: str | None = None
    next_action: NextAction | None = None
    last_payment_error: Failure | None = None
    metadata: dict[str, str] = {}


class Intents(msgspec.Struct, frozen=True):
    data: tuple[Intent, ...]


class GivenBack(msgspec.Struct, frozen=True):
    """A refund; ``amount`` in Stripe's units."""

    id: str
    amount: int
    currency: str
    status: str | None = None
    metadata: dict[str, str] = {}


class Refunds(msgspec.Struct, frozen=True):
    data: tuple[GivenBack, ...]


class Disputed(msgspec.Struct, frozen=True):
    """A dispute; ``amount`` in Stripe's units."""

    id: str
    amount: int
    currency: str
    status: str
    reason: str = ""


class Disputes(msgspec.Struct, frozen=True):
    data: tuple[Disputed, ...]


class _Error(msgspec.Struct, frozen=True):
    error: Failure


def post(path: str, key: str | None, fields: dict[str, str]) -> HttpRequest:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Stripe-Version": VERSION}
    if key is not None:
        headers["Idempotency-Key"] = key
    return HttpRequest("POST", path, headers, urlencode(fields).encode())


def get(path: str, after: float = 0.0, **query: str) -> HttpRequest:
    """``after``: the seconds to wait before it is sent."""
    return HttpRequest("GET", f"{path}?{urlencode(query, quote_via=quote)}", {"Stripe-Version": VERSION}, pause=after)


def failure(response: HttpResponse) -> Failure | None:
    """Why Stripe refused what it was asked; None: it did not say that it will never be done."""
    if response.status not in _REFUSALS or (said := parsed(response, _Error)) is None:
        return None
    return said.error


def refusal(why: Failure | None) -> Refused:
    """A decline, in words for the customer. Only a card's own message is meant for customers."""
    if why is None:
        return Refused(DECLINED)
    if why.type not in (None, "card_error"):
        return Refused(f"The payment could not be made ({cleaned(why.code or why.type or '')}).")
    return Refused(cleaned(why.message or "") or DECLINED, try_again=(why.decline_code or why.code) in _LATER)


def unsettled(response: HttpResponse) -> PaymentUnavailable:
    if response.status in (401, 403):
        return PaymentUnavailable(
            f"Stripe does not take our token (HTTP {response.status}). Check EXPEDITER_STRIPE_KEY and what it may do."
        )
    return PaymentUnavailable(f"Stripe's answer (HTTP {response.status}) settles nothing.")
