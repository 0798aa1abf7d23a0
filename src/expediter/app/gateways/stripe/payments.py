"""The conversations with Stripe about a charge, a refund, and what became of a charge's key.

A charge is a PaymentIntent that one request creates and confirms. It is found again by the key in its metadata.
Stripe's search may lag a minute behind. Within a day that does no harm: a request that is repeated under its key is
answered as the first one was. After a day only the search counts, and nothing is charged any more.
"""

from collections.abc import Generator, Iterable
from functools import partial
from urllib.parse import quote

import msgspec

from expediter.app.gateways.charging import answered, charged_once
from expediter.app.gateways.http import (
    Conversation,
    Finding,
    HttpRequest,
    HttpResponse,
    Secret,
    authorized,
    cleaned,
    parsed,
    pause,
    succeeded,
)
from expediter.app.gateways.stripe.amounts import AmountRefused, chargeable, in_stripe_units
from expediter.app.gateways.stripe.messages import (
    GivenBack,
    Intent,
    Intents,
    Refunds,
    failure,
    get,
    post,
    refusal,
    unsettled,
)
from expediter.app.tasks.calls import Charge, Done, NeverSeen, Pending, Refund, Refunded, Refused

INTENTS, REFUNDS = "/v1/payment_intents", "/v1/refunds"
NO_METHOD = "The order names no payment method."
#: The states of a PaymentIntent in which nothing was taken, and nothing is taken unless we ask for it.
_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"})
#: Seconds that a bank may take: a SEPA debit is known to have failed after 14 working days at most
#: (https://docs.stripe.com/payments/sepa-debit), which are 20 days.
BANK_SECONDS = 20 * 24 * 3600
#: The states of a refund whose money is back or on its way.
ON_ITS_WAY = frozenset({"succeeded", "pending", "requires_action"})
#: Those of one whose money stays with us.
_NOT_MADE = frozenset({"failed", "canceled"})
REFUSED = "Stripe did not make the refund."


# ── charge ────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered
def charge(call: Charge, now: int, secret: Secret) -> Conversation:
    """Charges the customer: Done, Refused or Pending. Raises PaymentUnavailable.

    Only cards. One whose customer has to do something more is pending.
    """
    if call.charge_id is not None:
        response, intent = yield from _intent(call.charge_id, secret)
        return _state(intent, response)
    if call.payment_method is None:
        return Refused(NO_METHOD)
    try:
        amount = chargeable(call.amount, call.currency)
    except AmountRefused as error:
        return Refused(str(error))
    fields = {
        **_opening(call.order_id, call.key, amount, call.currency),
        "payment_method": call.payment_method,
        "confirm": "true",
    }
    request = post(INTENTS, call.key, fields)
    looked = partial(find, call.key, secret)
    return (yield from charged_once(call, now, secret, request=request, find=looked, read=_charged))


def _opening(order_id: str, key: str, amount: int, currency: str) -> dict[str, str]:
    """The fields of a new PaymentIntent; ``amount`` in Stripe's units."""
    return {
        "amount": str(amount),
        "currency": currency.lower(),
        "payment_method_types[]": "card",
        "metadata[order_id]": order_id,
        "metadata[charge_key]": key,
    }


def _charged(response: HttpResponse) -> Done | Refused | Pending:
    """The answer to a charge, whether it comes now or is repeated under its key."""
    intent = parsed(response, Intent) if succeeded(response) else None
    if intent is not None:
        return _state(intent, response)
    why = failure(response)
    if why is None or why.type not in ("card_error", "invalid_request_error"):
        raise unsettled(response)
    return refusal(why)


def _state(intent: Intent, response: HttpResponse) -> Done | Refused | Pending:
    """What a PaymentIntent says of its charge. Raises PaymentUnavailable for a state that we do not know."""
    if intent.status == "succeeded":
        return Done(intent.id)
    if intent.status == "requires_action":
        page = intent.next_action and intent.next_action.redirect_to_url
        return Pending(intent.id, intent.client_secret, page.url if page else None)
    if intent.status == "processing":
        return Pending(intent.id, wait_seconds=BANK_SECONDS)
    if intent.status in ("requires_payment_method", "requires_confirmation", "canceled"):
        return refusal(intent.last_payment_error)
    raise unsettled(response)


def _intent(intent_id: str, secret: Secret) -> Generator[HttpRequest, HttpResponse, tuple[HttpResponse, Intent]]:
    """The PaymentIntent as it is now."""
    response = yield from authorized(get(f"{INTENTS}/{quote(intent_id, safe='')}"), secret)
    intent = parsed(response, Intent) if succeeded(response) else None
    if intent is None:
        raise unsettled(response)
    return response, intent


@answered
def find(key: str, secret: Secret, after: float = 0.0) -> Finding:
    """What became of the charge under this key; nothing is moved. Raises PaymentUnavailable.

    ``after``: the seconds to wait before asking.
    """
    response, intent = yield from _search(key, secret, after)
    return NeverSeen() if intent is None else _state(intent, response)


def _search(
    key: str, secret: Secret, after: float = 0.0
) -> Generator[HttpRequest, HttpResponse, tuple[HttpResponse, Intent | None]]:
    """The PaymentIntent with this key, one whose money was taken before any other; None: there is none, or Stripe's
    search does not have it yet. ``after``: the seconds to wait before asking."""
    question = get(f"{INTENTS}/search", after, query=f"metadata['charge_key']:'{key}'")
    response = yield from authorized(question, secret)
    found = parsed(response, Intents) if succeeded(response) else None
    if found is None:
        raise unsettled(response)
    taken = [intent for intent in found.data if intent.status == "succeeded"]
    return response, next(iter((*taken, *found.data)), None)


# ── refund ────────────────────────────────────────────────────────────────────────────────────────────────────────


@answered
def refund(call: Refund, now: int, secret: Secret) -> Conversation:
    """Gives the money back: Refunded; for a part also Refused. Raises PaymentUnavailable."""
    charge_id = call.charge_id
    if charge_id is None or not call.charge_known:
        charge_id = yield from _closed(call, secret)
    if charge_id is None:
        return Refunded(None, charged=False)
    earlier = (yield from _refunds_of(charge_id, secret)) if call.repeat else ()
    ours = [one for one in earlier if one.metadata.get("refund_key") == call.key]
    back: GivenBack | Refused | None = _first_on_its_way(ours)
    if back is None:
        # A refund that failed answers under its key as it did at first, so the next one has another key.
        key = call.key if not ours else f"{call.key}/{len(ours) + 1}"
        back = yield from _given_back(call, charge_id, key, now, secret)
    if isinstance(back, Refused):
        return back
    return Refunded(back.id, charged=True, charge_id=charge_id)


def _given_back(
    call: Refund, charge_id: str, key: str, now: int, secret: Secret
) -> Generator[HttpRequest, HttpResponse, GivenBack | Refused]:
    amount = in_stripe_units(call.amount, call.currency)
    fields = {
        "payment_intent": charge_id,
        "amount": str(amount),
        "metadata[order_id]": call.order_id,
        "metadata[refund_key]": call.key,
    }
    # What is left may change between two tries, and Stripe takes no other amount under the same key.
    request = post(REFUNDS, f"{key}/{amount}" if call.rest else key, fields)
    response = yield from authorized(request, secret)
    if (busy := pause(response, now)) is not None:
        response = yield from authorized(msgspec.structs.replace(request, pause=busy), secret)
    back = parsed(response, GivenBack) if succeeded(response) else None
    why = failure(response)
    if call.part and why is not None and why.type == "invalid_request_error":
        return Refused(cleaned(why.message or "") or REFUSED)
    if why is not None and why.code == "charge_already_refunded":
        listed = yield from _refunds_of(charge_id, secret)
        back = _first_on_its_way(one for one in listed if one.amount == amount)
    if back is not None and call.part and back.status in _NOT_MADE:
        return Refused(REFUSED)
    if back is None or back.status not in ON_ITS_WAY:
        raise unsettled(response)
    return back


def _refunds_of(charge_id: str, secret: Secret) -> Generator[HttpRequest, HttpResponse, tuple[GivenBack, ...]]:
    response = yield from authorized(get(REFUNDS, payment_intent=charge_id, limit="100"), secret)
    listed = parsed(response, Refunds) if succeeded(response) else None
    if listed is None:
        raise unsettled(response)
    return listed.data


def _first_on_its_way(refunds: Iterable[GivenBack]) -> GivenBack | None:
    return next((one for one in refunds if one.status in ON_ITS_WAY), None)


# ── a charge whose result is unknown ──────────────────────────────────────────────────────────────────────────────


def _closed(call: Refund, secret: Secret) -> Generator[HttpRequest, HttpResponse, str | None]:
    """Sees to it that nothing will be charged under the charge's key: the id of what was charged, or None.

    Where no charge is found, its key is taken for a PaymentIntent that is never confirmed. If the charge is still on
    its way, Stripe then refuses it; if it arrived and is not found yet, Stripe refuses this one.
    """
    intent: Intent | None
    if call.charge_id is not None:
        response, intent = yield from _intent(call.charge_id, secret)
    else:
        response, intent = yield from _search(call.charge_key, secret)
    if intent is None:
        try:
            amount = chargeable(call.amount, call.currency)
        except AmountRefused:
            return None  # it was never sent
        opening = _opening(call.order_id, call.charge_key, amount, call.currency)
        response = yield from authorized(post(INTENTS, call.charge_key, opening), secret)
        intent = parsed(response, Intent) if succeeded(response) else None
    if intent is not None and intent.status in _OPEN:
        response = yield from authorized(post(f"{INTENTS}/{intent.id}/cancel", None, {}), secret)
        intent = parsed(response, Intent) if succeeded(response) else None
    if intent is None or intent.status not in ("succeeded", "canceled"):
        raise unsettled(response)
    return intent.id if intent.status == "succeeded" else None
