"""What Stripe's books say of one payment: its refunds and disputes.

https://docs.stripe.com/api/refunds/list, https://docs.stripe.com/api/disputes/list
"""

from urllib.parse import quote

from expediter.app.gateways.charging import answered
from expediter.app.gateways.http import Conversation, Secret, authorized, parsed, succeeded
from expediter.app.gateways.stripe.amounts import in_our_units
from expediter.app.gateways.stripe.messages import Disputed, Disputes, GivenBack, Intent, Refunds, get, unsettled
from expediter.app.gateways.stripe.payments import INTENTS, ON_ITS_WAY, REFUNDS
from expediter.app.tasks.calls import LookUp, StatedRefund, Statement
from expediter.domain.refunds import Dispute

DISPUTES = "/v1/disputes"
#: The most that one page of a list holds. A payment has fewer refunds and disputes.
PAGE = "100"
#: The statuses of disputes by what they mean (https://docs.stripe.com/api/disputes/object).
TAKEN = frozenset({"needs_response", "under_review", "lost"})
_CLOSED = frozenset({"won", "lost", "warning_closed", "prevented"})


@answered
def look_up(call: LookUp, _: int, secret: Secret) -> Conversation:
    """The refunds and disputes of the payment: Statement. Raises PaymentUnavailable."""
    payment = call.charge_id or ""
    response = yield from authorized(get(f"{INTENTS}/{quote(payment, safe='')}"), secret)
    intent = parsed(response, Intent) if succeeded(response) else None
    if intent is None:
        raise unsettled(response)
    order_id = intent.metadata.get("order_id")
    if order_id is None or "charge_key" not in intent.metadata:
        return Statement(None)  # another payment of the account
    response = yield from authorized(get(REFUNDS, payment_intent=payment, limit=PAGE), secret)
    refunds = parsed(response, Refunds) if succeeded(response) else None
    if refunds is None:
        raise unsettled(response)
    response = yield from authorized(get(DISPUTES, payment_intent=payment, limit=PAGE), secret)
    disputes = parsed(response, Disputes) if succeeded(response) else None
    if disputes is None:
        raise unsettled(response)
    # Stripe lists the newest first.
    return Statement(
        order_id, tuple(map(_refund, reversed(refunds.data))), tuple(map(_dispute, reversed(disputes.data)))
    )


def _refund(said: GivenBack) -> StatedRefund:
    currency = said.currency.upper()
    amount = in_our_units(said.amount, currency)
    return StatedRefund(said.id, amount, currency, said.status in ON_ITS_WAY, said.metadata.get("refund_key"))


def _dispute(said: Disputed) -> Dispute:
    amount = in_our_units(said.amount, said.currency.upper())
    return Dispute(said.id, amount, 0, said.reason, said.status, said.status in TAKEN, said.status in _CLOSED)
